"""One WebSocket beside a call: frames out in order and in batches, client events in."""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec
from aiohttp import ClientConnectionResetError, WSMsgType, web

from offhook.simulator.wire import Json, Problem, decode

ABNORMAL = 1006


class Attended(Protocol):
    """What a sideband is attached to."""

    def attach(self, sideband: Sideband) -> None:
        """The connection is open."""

    def receive(self, body: Json) -> None:
        """A client event has come in."""

    def complain(self, problem: Problem) -> None:
        """Something came in that is no client event."""

    def detach(self, sideband: Sideband, code: int | None) -> None:
        """The connection is gone."""


class Sideband:
    """Sends without waiting: a single task writes what has gathered."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport
        self._outbox: list[bytes] = []
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()

    def send(self, frame: bytes) -> None:
        """Send one text frame, in order."""
        self._outbox.append(frame)
        self._wake.set()

    def finish(self, code: int, reason: str = "") -> None:
        """Close once everything is sent; with 1006 as a broken line does, with no close frame."""
        self._closing = (code, reason)
        self._wake.set()

    def abort(self) -> None:
        """Drop the connection at once: frames that are still on their way are lost."""
        self._outbox.clear()
        self._transport.abort()

    async def attend(self, call: Attended) -> None:
        """Serve the connection until it is gone."""
        call.attach(self)
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._take_in(call, message.data)
        finally:
            call.detach(self, self._socket.close_code)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _take_in(self, call: Attended, text: str) -> None:
        try:
            body = decode(text)
        except msgspec.DecodeError:
            body = None
        if isinstance(body, dict):
            call.receive(body)
        else:
            call.complain(Problem("Could not parse the message as a JSON object.", "invalid_event"))

    async def _write(self) -> None:
        send = self._socket.send_frame
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                frames, self._outbox = self._outbox, []
                for frame in frames:
                    await send(frame, WSMsgType.TEXT)
                if self._closing is not None:
                    code, reason = self._closing
                    if code == ABNORMAL:
                        self._transport.close()
                    else:
                        await self._socket.close(code=code, message=reason.encode())
                    return
        except ClientConnectionResetError:
            return
