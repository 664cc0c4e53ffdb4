"""The sideband of one call: one reader, one sender at a time, and the knowledge of which is ours.

Frames are handed on in the reader itself. What is to be sent waits in order, and is sent by
whoever gets to it first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

import aiohttp

from offhook.runtime.cloud import Socket

TEXT = aiohttp.WSMsgType.TEXT


class Sideband:
    """Calls `hear(raw)` for each frame, and `lost(detail)` once if the line goes by itself."""

    def __init__(self, hear: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._hear = hear
        self._lost = lost
        self._socket: Socket | None = None
        self._outbox: deque[bytes] = deque()
        self._sending = False
        self.heard_at = 0.0

    @property
    def open(self) -> bool:
        """Whether frames can be sent."""
        return self._socket is not None

    @property
    def owes(self) -> bool:
        """Whether frames wait and nobody is sending them."""
        return bool(self._outbox) and not self._sending and self.open

    def adopt(self, socket: Socket) -> None:
        """From now on this is the line."""
        self._socket = socket
        self.heard_at = asyncio.get_running_loop().time()

    def send(self, frames: Iterable[bytes]) -> None:
        """Put frames behind those that wait; `flush` sends them."""
        self._outbox += frames

    async def flush(self) -> None:
        """Send what waits, unless somebody else is about it."""
        if self._sending:
            return
        self._sending = True
        try:
            while self._outbox and self._socket is not None:
                await self._socket.send_frame(self._outbox.popleft(), TEXT)
        except (aiohttp.ClientError, OSError):
            pass  # the reader sees the same loss, and tells of it
        finally:
            self._sending = False

    async def read(self, socket: Socket) -> None:
        """Hear frames until the line goes."""
        receive, hear, clock = socket.receive, self._hear, asyncio.get_running_loop().time
        while (message := await receive()).type is TEXT:
            self.heard_at = clock()
            hear(message.data)
            if self._outbox:
                await self.flush()
        if self._socket is socket:
            self.detach()
            self._lost(f"close code {socket.close_code} {message.extra or ''}".strip())
            await self.flush()

    def detach(self) -> Socket | None:
        """Leave the line by our own wish: `lost` is not called. Returns what is to be closed."""
        socket, self._socket = self._socket, None
        self._outbox.clear()
        return socket
