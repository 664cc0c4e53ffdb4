"""One WebSocket beside a call: frames out in order and in batches, client events in."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Protocol

import msgspec
from aiohttp import ClientConnectionResetError, WSMsgType, web

from offhook.simulator.wire import Json, Problem, decode

ABNORMAL = 1006
FULL = 1 << 20  # bytes that wait for a client to read
FULL_S = 0.01  # until the next look at them


def framed(text: bytes) -> bytes:
    """One unmasked text frame as a server sends it (RFC 6455, 5.2)."""
    match len(text):
        case short if short < 126:
            return b"\x81" + short.to_bytes(1, "big") + text
        case longer if longer < 65_536:
            return b"\x81\x7e" + longer.to_bytes(2, "big") + text
        case longest:
            return b"\x81\x7f" + longest.to_bytes(8, "big") + text


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
    """Sends without waiting: what has gathered goes out together, once in a turn of the loop.

    Each write is a system call, which costs more than making the frames that it takes along.
    """

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._outbox: list[bytes] = []
        self._planned = False
        self._closing: asyncio.Future[tuple[int, str]] = self._loop.create_future()

    def send(self, frame: bytes) -> None:
        """Send one text frame, in order."""
        self._outbox.append(frame)
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self._write)

    def finish(self, code: int, reason: str = "") -> None:
        """Close once everything is sent; with 1006 as a broken line does, with no close frame."""
        if not self._closing.done():
            self._closing.set_result((code, reason))

    def abort(self) -> None:
        """Drop the connection at once: frames that are still on their way are lost."""
        self._outbox.clear()
        self._transport.abort()

    async def attend(self, call: Attended) -> None:
        """Serve the connection until it is gone."""
        call.attach(self)
        closer = asyncio.create_task(self._close())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._take_in(call, message.data)
        finally:
            call.detach(self, self._socket.close_code)
            closer.cancel()
            await asyncio.gather(closer, return_exceptions=True)

    def _take_in(self, call: Attended, text: str) -> None:
        try:
            body = decode(text)
        except msgspec.DecodeError:
            body = None
        if isinstance(body, dict):
            call.receive(body)
        else:
            call.complain(Problem("Could not parse the message as a JSON object.", "invalid_event"))

    def _write(self) -> None:
        """Write all that has gathered; to a client that does not read, a little later."""
        self._planned = False
        if self._transport.is_closing() or self._socket.closed:
            return
        if self._transport.get_write_buffer_size() > FULL:
            self._planned = True
            self._loop.call_later(FULL_S, self._write)
            return
        self._transport.write(b"".join(map(framed, self._outbox)))
        self._outbox.clear()

    async def _close(self) -> None:
        code, reason = await self._closing
        self._write()
        while self._outbox and not self._transport.is_closing():
            await asyncio.sleep(FULL_S)
            self._write()
        if code == ABNORMAL:
            self._transport.close()
        else:
            with suppress(ClientConnectionResetError):
                await self._socket.close(code=code, message=reason.encode())
