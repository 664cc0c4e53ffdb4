"""A slow line in front of a server: every byte takes its time, in both directions.

It delays bytes rather than requests, so that TLS and WebSocket handshakes cost the round trips
that they cost on a real line. The handshake of TCP itself, which the loopback hides, is added to
the first bytes of each connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class _End(asyncio.Protocol):
    """One end of a relayed connection."""

    def __init__(self, delay_s: float, extra_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._delay_s = delay_s
        self._not_before = self._loop.time() + extra_s
        self.peer: _End | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream connection
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        due = max(self._loop.time(), self._not_before) + self._delay_s
        self._loop.call_at(due, self._deliver, data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        due = max(self._loop.time(), self._not_before) + self._delay_s
        self._loop.call_at(due, self._hang_up)

    def _deliver(self, data: bytes) -> None:
        peer = self.peer
        if peer is None or peer.transport is None:
            self._early.append(data)
        elif not peer.transport.is_closing():
            peer.transport.write(data)

    def join(self, peer: _End) -> None:
        """Connect the two ends; what came early goes out now."""
        self.peer = peer
        early, self._early = self._early, []
        for data in early:
            self._deliver(data)

    def _hang_up(self) -> None:
        if self.peer is not None and self.peer.transport is not None:
            self.peer.transport.close()


class SlowLine:
    """Listens at an address and relays to another one, `delay_s` real seconds each way."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._ends: set[_End] = set()

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
        _, inner = await loop.create_connection(lambda: _End(self._delay_s), host, port)
        self._ends |= {outer, inner}
        inner.join(outer)
        outer.join(inner)

    async def close(self) -> None:
        """Stop and drop every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for end in self._ends:
            if end.transport is not None:
                end.transport.abort()
