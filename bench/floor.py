"""The floor: the least that any bot in Python with aiohttp has to do, and nothing else.

It takes the webhook unchecked, accepts, attaches, asks for a greeting, decodes the type of each
frame, and answers function calls with a fixed text. It has no state, no deadlines, no logs.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import aiohttp
import msgspec
import uvloop
from aiohttp import web
from msgspec import Struct

BASE = os.environ.get("OPENAI_BASE", "")
GREET = msgspec.json.encode({"type": "response.create"})
INSTRUCTIONS = "You are ACME's voice on the phone. Greet the caller, then help. Be brief."
LOOK_UP = {
    "type": "function",
    "name": "lookup_order",
    "description": "Look up one order and say where it is.",
    "parameters": {
        "type": "object",
        "properties": {"order_number": {"type": "string"}},
        "required": ["order_number"],
    },
}
ACCEPT = msgspec.json.encode(
    {
        "type": "realtime",
        "model": "gpt-realtime-2.1",
        "instructions": INSTRUCTIONS,
        "output_modalities": ["audio"],
        "audio": {"output": {"voice": "marin"}},
        "tools": [LOOK_UP],
    }
)
STATUS = '{"order_number":"ACME-10005","status":"shipped","due":"Thursday"}'
TEXT = aiohttp.WSMsgType.TEXT


class Event(Struct):
    """All that is read of most frames."""

    type: str


class Data(Struct):
    call_id: str


class Ring(Struct):
    data: Data


class Item(Struct):
    type: str
    call_id: str = ""


class Response(Struct):
    output: list[Item]


class Done(Struct):
    response: Response


read_event = msgspec.json.Decoder(Event).decode
read_done = msgspec.json.Decoder(Done).decode
read_ring = msgspec.json.Decoder(Ring).decode
encode = msgspec.json.Encoder().encode


class Floor:
    """The program."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._socket_base = "ws" + base.removeprefix("http") + "/realtime?call_id="
        self._calls: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession

    def app(self) -> web.Application:
        """The server."""
        app = web.Application()
        app.router.add_post("/openai/webhook", self._ring)
        app.cleanup_ctx.append(self._client)
        return app

    async def _client(self, _: web.Application) -> Any:
        key = os.environ.get("OPENAI_API_KEY", "")
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"},
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=50),
        )
        yield
        await self._http.close()

    async def _ring(self, request: web.Request) -> web.Response:
        ring = read_ring(await request.read())
        task = asyncio.create_task(self._call(ring.data.call_id))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return web.Response()

    async def _call(self, call_id: str) -> None:
        url = f"{self._base}/realtime/calls/{call_id}/accept"
        async with self._http.post(
            url, data=ACCEPT, headers={"Content-Type": "application/json"}
        ) as answer:
            answer.raise_for_status()
        async with self._http.ws_connect(
            self._socket_base + call_id, max_msg_size=0, decode_text=False
        ) as socket:
            await socket.send_frame(GREET, TEXT)
            while (message := await socket.receive()).type is TEXT:
                if read_event(message.data).type == "response.done":
                    await self._answer(socket, message.data)

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse[Any], frame: bytes) -> None:
        calls = [i for i in read_done(frame).response.output if i.type == "function_call"]
        for call in calls:
            output = {"type": "function_call_output", "call_id": call.call_id, "output": STATUS}
            await socket.send_frame(
                encode({"type": "conversation.item.create", "item": output}), TEXT
            )
        if calls:
            await socket.send_frame(GREET, TEXT)


if __name__ == "__main__":
    web.run_app(
        Floor(BASE).app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )
