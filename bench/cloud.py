"""A lean cloud: rings, takes accepts, opens sidebands and talks at an exact rate of events.

It does only what the bench measures, so that its own cost does not hide that of the programs.
`offhook.simulator` is the faithful one.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import secrets
import ssl
import time
from collections.abc import Iterable, Sequence
from time import perf_counter

import aiohttp
import msgspec
from aiohttp import web

from bench.call import Call

TICK_S = 0.001
API_KEY = "sk-bench"


class Cloud:
    """Use as an async context manager. `port` is where it listens, on loopback."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.calls: dict[str, Call] = {}
        self._key = secrets.token_bytes(24)
        self._tls = tls
        self._http: aiohttp.ClientSession
        self._runner: web.AppRunner
        self._numbers = itertools.count(1)

    @property
    def webhook_secret(self) -> str:
        """The secret that the webhooks are signed with."""
        return "whsec_" + base64.b64encode(self._key).decode()

    async def __aenter__(self) -> Cloud:
        app = web.Application()
        app.router.add_post("/v1/realtime/calls/{call_id}/accept", self._accept)
        app.router.add_post("/v1/realtime/calls/{call_id}/hangup", self._hang_up)
        app.router.add_get("/v1/realtime", self._sideband)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up(self.calls.values())
        await self._http.close()
        await self._runner.cleanup()

    # What the programs ask

    async def _accept(self, request: web.Request) -> web.Response:
        call = self.calls.get(request.match_info["call_id"])
        if call is None or call.over:
            return _unknown()
        call.accepted_at = perf_counter()
        await request.read()
        return web.Response()

    async def _hang_up(self, request: web.Request) -> web.Response:
        call = self.calls.get(request.match_info["call_id"])
        if call is None or call.over:
            return _unknown()
        await call.hang_up()
        return web.Response()

    async def _sideband(self, request: web.Request) -> web.StreamResponse:
        call = self.calls.get(request.query.get("call_id", ""))
        if call is None or call.over:
            return _unknown()
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, timeout=1)
        await socket.prepare(request)
        await call.serve(socket)
        return socket

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": []})

    # What callers do

    async def ring(self, url: str) -> Call:
        """A caller dials. Returns once the webhook at `url` is answered."""
        number = next(self._numbers)
        call = Call(f"rtc_u0_{number:032x}")
        self.calls[call.id] = call
        body = _incoming(call.id, number)
        headers = self._signed(f"wh_{number:032x}", body)
        call.rang_at = perf_counter()
        async with self._http.post(url, data=body, headers=headers) as answer:
            await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"the webhook answered {answer.status}")
            call.answered_at = perf_counter()
        return call

    async def hang_up(self, calls: Iterable[Call]) -> None:
        """These callers leave."""
        await asyncio.gather(*(call.hang_up() for call in calls if not call.over))

    async def talk(self, calls: Sequence[Call], rate: float) -> None:
        """Talk on all these calls, `rate` events a second in total, until cancelled.

        The calls take turns, so that each frame of a call comes alone, as it does from a model.
        """
        began, sent = perf_counter(), sum(c.sent for c in calls)
        turns = itertools.cycle(calls)
        while True:
            due = sent + rate * (perf_counter() - began) - sum(c.sent for c in calls)
            for call in itertools.islice(turns, len(calls)):
                if due <= 0:
                    break
                due -= await call.step()
            await asyncio.sleep(TICK_S)

    def _signed(self, webhook_id: str, body: bytes) -> dict[str, str]:
        now = str(int(time.time()))
        signature = hmac.digest(self._key, f"{webhook_id}.{now}.".encode() + body, "sha256")
        return {
            "content-type": "application/json",
            "user-agent": "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)",
            "webhook-id": webhook_id,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def _incoming(call_id: str, number: int) -> bytes:
    sip = {
        "From": f'"Ann" <sip:+1555010{number % 10000:04d}@trunk.example.com>;tag=1',
        "To": "<sip:proj_bench@sip.api.openai.com;transport=tls>",
        "Call-ID": f"{number:08x}@trunk.example.com",
        "Via": "SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK1",
        "X-Twilio-CallSid": f"CA{number:032x}",
    }
    data = {"call_id": call_id, "sip_headers": [{"name": n, "value": v} for n, v in sip.items()]}
    event = {
        "object": "event",
        "id": f"evt_{number:032x}",
        "type": "realtime.call.incoming",
        "created_at": int(time.time()),
        "data": data,
    }
    return msgspec.json.encode(event)


def _unknown() -> web.Response:
    error = {"code": "call_id_not_found", "message": "No session found", "type": "invalid_request"}
    return web.json_response({"error": error}, status=404)
