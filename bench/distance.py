"""A line with a length: carries bytes between two ends on loopback, as late as a far cloud would.

It stands in front of the TLS server, so that handshakes are as slow as everything else. A new
connection costs one round trip before its first byte, as TCP's own handshake does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import cast

TICK_S = 0.002  # timers of an event loop are a millisecond late or early; the rest is polled


@asynccontextmanager
async def far(port: int, one_way: float) -> AsyncIterator[int]:
    """Make the server at `port` as far away as `one_way` seconds. Yields the port to dial."""
    loop = asyncio.get_running_loop()
    ends: set[_End] = set()

    def dialled() -> _End:
        near = _End(ends, one_way, opens=perf_counter() + 2 * one_way)
        away = _End(ends, one_way)
        near.other, away.other = away, near
        near.dialling = loop.create_task(_dial(away, port))
        return near

    server = await loop.create_server(dialled, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for end in tuple(ends):
            end.leave()
        await server.wait_closed()


async def _dial(end: _End, port: int) -> None:
    try:
        await asyncio.get_running_loop().create_connection(lambda: end, "127.0.0.1", port)
    except OSError:
        end.other.leave()


class _End(asyncio.Protocol):
    """One end of a connection. What comes in leaves at the other end, in order, later."""

    other: _End
    dialling: asyncio.Task[None] | None = None

    def __init__(self, ends: set[_End], one_way: float, opens: float = 0.0) -> None:
        self._ends = ends
        self._one_way = one_way
        self._opens = opens
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.Handle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ends.add(self)

    def data_received(self, data: bytes) -> None:
        self._put(data)

    def eof_received(self) -> bool:
        self._put(b"")
        return True  # the other direction stays open

    def connection_lost(self, _: Exception | None) -> None:
        self._ends.discard(self)
        self._put(b"")

    def leave(self) -> None:
        """Close this end now."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _put(self, data: bytes) -> None:
        due = max(perf_counter(), self._opens) + self._one_way
        self._under_way.append((due, data))
        if self._timer is None:
            self._wait(due)

    def _wait(self, due: float) -> None:
        loop, delay = asyncio.get_running_loop(), due - perf_counter()
        if delay > TICK_S:
            self._timer = loop.call_later(delay - TICK_S, self._arrive)
        else:
            self._timer = loop.call_soon(self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        to = self.other._transport
        while self._under_way and (to is not None or self._under_way[0][1] == b""):
            due, data = self._under_way[0]
            if due > perf_counter():
                self._wait(due)
                return
            self._under_way.popleft()
            if to is None or to.is_closing():
                continue
            if data:
                to.write(data)
            else:
                to.close()
        if self._under_way:  # the far end is still being dialled
            self._wait(perf_counter() + 2 * TICK_S)
