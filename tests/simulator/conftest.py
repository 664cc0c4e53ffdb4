"""A small client of the cloud, made of nothing but aiohttp: it shares no code with the product."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from offhook.simulator import Simulator

Event = dict[str, Any]


class Webhooks:
    """A webhook receiver that keeps what it gets and answers what it is told to."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.slow = 0
        """How many of the next deliveries are not answered in time."""
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def take(self, request: web.Request) -> web.Response:
        """Answer with the next status, then 200."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.read()))
        if self.slow > 0:
            self.slow -= 1
            await asyncio.Event().wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    def verifies(self, secret: str, index: int = 0) -> bool:
        """Whether any of the signatures is right."""
        headers, body = self.requests[index]
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        right = "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()
        return right in headers["webhook-signature"].split(" ")


class Line:
    """One sideband."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, trace: Callable[[], str]) -> None:
        self.socket = socket
        self.trace = trace
        self.events: list[Event] = []

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one client event."""
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def send_if_open(self, kind: str) -> None:
        """Send one client event into the void, as a bot does that has not noticed the end."""
        with contextlib.suppress(ConnectionError):
            await self.send(kind)

    async def order(self, text: str) -> None:
        """Let the bot say a text."""
        await self.send(
            "conversation.item.create",
            item={
                "type": "message",
                "role": "system",
                "content": [{"type": "input_text", "text": f'Say exactly these words: "{text}"'}],
            },
        )
        await self.send("response.create", response={"metadata": {"purpose": "order"}})

    async def until(self, kind: str, where: Callable[[Event], bool] = lambda _: True) -> Event:
        """Read up to an event of a kind."""
        try:
            async with asyncio.timeout(5):
                return await self._until(kind, where)
        except TimeoutError:
            raise AssertionError(f"no {kind}: {self.kinds}\n{self.trace()}") from None

    async def _until(self, kind: str, where: Callable[[Event], bool]) -> Event:
        while True:
            message = await self.socket.receive()
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise AssertionError(f"closed ({message.type}) before {kind}: {self.kinds}")
            event: Event = json.loads(message.data)
            self.events.append(event)
            if event["type"] == kind and where(event):
                return event

    async def closed(self) -> int | None:
        """Read to the end; the close code."""
        async with asyncio.timeout(10):
            while True:
                message = await self.socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return self.socket.close_code
                self.events.append(json.loads(message.data))

    @property
    def kinds(self) -> list[str]:
        """The types of all events, runs of deltas as one."""
        found: list[str] = []
        for event in self.events:
            if not (found and found[-1] == event["type"] and "delta" in event["type"]):
                found.append(event["type"])
        return found


class Client:
    """REST and sidebands of one cloud."""

    def __init__(self, cloud: Simulator, http: aiohttp.ClientSession) -> None:
        self.cloud = cloud
        self.http = http
        self.headers = {"Authorization": f"Bearer {cloud.api_key}"}

    def _url(self, path: str) -> str:
        return f"{self.cloud.base_url}{self.cloud.profile.prefix}/realtime{path}"

    async def post(
        self, call_id: str, verb: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """POST to a call; status and body (`None` where it is empty)."""
        async with self.http.post(
            self._url(f"/calls/{call_id}/{verb}"), json=body, headers=headers or self.headers
        ) as answer:
            raw = await answer.read()
            try:
                return answer.status, json.loads(raw) if raw else None
            except ValueError:
                return answer.status, raw.decode()

    async def accept(self, call_id: str, **session: Any) -> tuple[int, Any]:
        """Accept with a minimal session."""
        body = {"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief."}
        return await self.post(call_id, "accept", {**body, **session})

    async def attach(self, call_id: str, **headers: str) -> Line:
        """Open a sideband."""
        socket = await self.http.ws_connect(
            self._url(f"?call_id={call_id}"), headers={**self.headers, **headers}
        )
        return Line(socket, lambda: "\n".join(map(str, self.cloud.calls[call_id].trace)))

    async def join(self, call_id: str, **session: Any) -> Line:
        """Accept and attach."""
        status, body = await self.accept(call_id, **session)
        assert status == 200, body
        return await self.attach(call_id)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def webhooks() -> AsyncIterator[Webhooks]:
    receiver = Webhooks()
    app = web.Application()
    app.router.add_post("/webhook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def connect(http: aiohttp.ClientSession) -> Callable[[Simulator], Client]:
    return lambda cloud: Client(cloud, http)
