"""A cloud without a port: its connections are pairs of sockets within this process.

Everything else is as ever: real requests, real frames, a signed webhook. Nothing listens, so
nothing can collide or be reached from outside, and a test needs no permission to open a port.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from aiohttp import BaseConnector, ClientSession, ClientTimeout, web
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ClientRequest

from offhook.simulator.cloud import Simulator

Message: TypeAlias = MutableMapping[str, Any]
Asgi: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

ADDRESS = "http://127.0.0.1"


class PairConnector(BaseConnector):
    """Connects a client to a server in the same process, whatever address it asks for."""

    def __init__(self, protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        super().__init__(limit=0)
        self._serve = protocol

    async def _create_connection(
        self, req: ClientRequest, traces: list[Any], timeout: ClientTimeout
    ) -> ResponseHandler:
        ours, theirs = socket.socketpair()
        await self._loop.connect_accepted_socket(self._serve, theirs)
        _, protocol = await self._loop.create_connection(self._factory, sock=ours)
        return protocol


class PrivateSimulator(Simulator):
    """A simulator that only `connector()` leads to, and that rings the ASGI application `app`."""

    app: Asgi

    async def _listen(self) -> int:
        return 80

    def _client(self) -> ClientSession:
        return ClientSession(connector=PairConnector(web.Server(self._deliver)))

    def connector(self) -> BaseConnector:
        """What a client must use to reach this cloud."""
        server = self._runner.server
        if server is None:
            raise RuntimeError("the simulator is used outside its context")
        return PairConnector(server)

    async def _deliver(self, request: web.BaseRequest) -> web.StreamResponse:
        return await post(self.app, request)


async def post(app: Asgi, request: web.BaseRequest) -> web.Response:
    """Hand one request to an ASGI application, and bring back its answer."""
    body = await request.read()
    answer: Message = {}
    parts: list[bytes] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.update(message)
        else:
            parts.append(message.get("body", b""))

    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query_string.encode(),
        "headers": [(key.lower(), value) for key, value in request.raw_headers],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return web.Response(status=answer["status"], body=b"".join(parts))
