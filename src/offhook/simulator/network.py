"""A slow line in front of a server: every byte takes its time, in both directions.

It delays bytes rather than requests, so that TLS and WebSocket handshakes cost the round trips
that they cost on a real line. The handshake of TCP itself, which the loopback hides, is added to
the first bytes of each connection.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast
from weakref import WeakSet


class _End(asyncio.Protocol):
    """One end of a relayed connection. What it receives waits in line for its time to pass on."""

    def __init__(self, delay_s: float, extra_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_s = delay_s
        self._not_before = self._loop.time() + extra_s
        self._under_way: deque[bytes | None] = deque()
        self._arrived: list[bytes | None] = []
        self.peer: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pass_on(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._pass_on(None)

    def _pass_on(self, data: bytes | None) -> None:
        """Deliver bytes, or the end, in time. Timers may be unordered, the line keeps the order."""
        self._under_way.append(data)
        due = max(self._loop.time(), self._not_before) + self._delay_s
        self._loop.call_at(due, self._arrive)

    def _arrive(self) -> None:
        self._arrived.append(self._under_way.popleft())
        if self.peer is not None:
            self._deliver()

    def _deliver(self) -> None:
        transport = self.peer.transport if self.peer is not None else None
        if transport is None:
            return
        for data in self._arrived:
            if data is None:
                transport.close()
            elif not transport.is_closing():
                transport.write(data)
        self._arrived.clear()

    def join(self, peer: _End) -> None:
        """Connect to the other end; what came early goes out now."""
        self.peer = peer
        self._deliver()


class SlowLine:
    """Listens at an address and relays to another one, `delay_s` real seconds each way."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._ends: WeakSet[_End] = WeakSet()

    async def open(self, host: str, port: int, target_host: str, target_port: int) -> int:
        """Start to relay; returns the port that is listened on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._accepting(target_host, target_port), host, port
        )
        return int(self._server.sockets[0].getsockname()[1])

    def _accepting(self, host: str, port: int) -> Callable[[], _End]:
        def accept() -> _End:
            outer = _End(self._delay_s, extra_s=2 * self._delay_s)
            task = asyncio.get_running_loop().create_task(self._connect(outer, host, port))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return outer

        return accept

    async def _connect(self, outer: _End, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, inner = await loop.create_connection(lambda: _End(self._delay_s), host, port)
        except OSError:
            if outer.transport is not None:
                outer.transport.abort()
            return
        self._ends.update((outer, inner))
        inner.join(outer)
        outer.join(inner)

    async def close(self) -> None:
        """Stop and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for end in tuple(self._ends):
            if end.transport is not None:
                end.transport.abort()
