"""The sideband of one call: one reader, one sender at a time, and the knowledge of which is ours.

Frames are handed on as they are parsed, or a moment later where nothing depends on it. What is
to be sent waits in order, and is sent by whoever gets to it first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TypeAlias

import aiohttp

from offhook.realtime.frames import NOISE, head
from offhook.runtime.cloud import Socket
from offhook.runtime.coalescing import Coalescer
from offhook.runtime.direct import DirectSocket

Frames: TypeAlias = deque[tuple[bytes, float]]

TEXT, PING, PONG = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG
ERROR = aiohttp.WSMsgType.ERROR
BEAT_S = 15.0  # a line this quiet is pinged; one that is dead is noticed within three of these


class Sideband:
    """Calls `hear(frames)` with those that have come, and `lost(detail)` once if the line goes.

    Each frame comes with its time on the loop's clock; `hear` takes from the left as many as it
    wants, and is called again with the others by `catch_up`. A frame that `can_wait` does so
    until the `coalescer` comes round, or `catch_up` is called. A line that is quiet for `beat`
    seconds is pinged, and closed if that changes nothing.
    """

    def __init__(
        self,
        hear: Callable[[Frames], None],
        lost: Callable[[str], None],
        beat: float = BEAT_S,
        can_wait: Callable[[bytes], bool] = lambda _: False,
        coalescer: Coalescer | None = None,
    ) -> None:
        self._hear = hear
        self._lost = lost
        self._beat = beat
        self._can_wait = can_wait
        self._coalescer = coalescer or Coalescer()
        self._kept: Frames = deque()  # heard, but not handed on yet
        self._handing_on = False
        self._expected = False  # the coalescer will come round
        self._heard_at = 0.0
        self._pulse_at = 0.0
        self._pulse: asyncio.TimerHandle | None = None
        self._care: asyncio.Task[None] | None = None
        self._socket: Socket | None = None
        self._outbox: deque[bytes] = deque()
        self._sending = False
        self._context: Context
        self._clock = asyncio.get_running_loop().time
        self._echoes: dict[bytes, asyncio.Event] = {}  # by what a ping carried

    @property
    def heard_at(self) -> float:
        """When something was heard last, on the loop's clock."""
        socket = self._socket
        direct = socket.heard_at if isinstance(socket, DirectSocket) else 0.0
        return max(self._heard_at, direct)

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
        if self._pulse is not None:
            self._pulse.cancel()
        self._socket = socket
        self._context = copy_context()
        loop = asyncio.get_running_loop()
        self._heard_at = self._pulse_at = loop.time()
        self._pulse = loop.call_later(self._beat, self._feel_pulse, socket)

    def send(self, frames: Iterable[bytes]) -> None:
        """Put frames behind those that wait; `flush` sends them."""
        self._outbox += frames

    async def flush(self) -> None:
        """Send what waits, unless somebody else is about it."""
        if self._sending:
            return
        self._sending = True
        try:
            while self._outbox and (socket := self._socket) is not None:
                if len(self._outbox) > 1 and isinstance(socket, DirectSocket):
                    frames = tuple(self._outbox)
                    self._outbox.clear()
                    await socket.send_together(frames)
                else:
                    await socket.send_frame(self._outbox.popleft(), TEXT)
        except (aiohttp.ClientError, OSError):
            pass  # the reader sees the same loss, and tells of it
        finally:
            self._sending = False

    async def read(self, socket: Socket) -> None:
        """Hear frames until the line goes."""
        receive, clock = socket.receive, self._clock
        self._context = copy_context()
        if isinstance(socket, DirectSocket):
            socket.hear(self._ear(socket))
        while True:
            message = await receive()
            if message.type is TEXT:
                self.take(message.data)
            elif message.type is PING or message.type is PONG:
                self._pulse_at = clock()
                if message.type is PING:
                    await _quietly(socket.pong(message.data))
                elif message.data in self._echoes:
                    self._echoes[message.data].set()
            else:
                break
            if self._outbox:
                await self.flush()
        if message.type is ERROR and not isinstance(message.data, aiohttp.WebSocketError):
            raise message.data  # a bug of ours, met while hearing
        if self._socket is socket:
            self.catch_up()
            self._unplug()
            self._lost(f"close code {socket.close_code} {message.extra or ''}".strip())
            await self.flush()

    async def heard_all(self, within: float) -> bool:
        """Wait until all that was sent to us before now has been handed on. Whether it is, in time.

        A line keeps its order, so what comes back of a ping has everything older before it.
        """
        socket = self._socket
        if socket is None:
            return False
        echo = asyncio.Event()
        name = b"%d" % id(echo)
        self._echoes[name] = echo
        try:
            async with asyncio.timeout(within):
                await _quietly(socket.ping(name))
                await echo.wait()
        except TimeoutError:
            return False
        finally:
            del self._echoes[name]
            self.catch_up()
        return not self._kept

    def _ear(self, socket: DirectSocket) -> Callable[[bytes, float], None]:
        """Takes frames as the parser meets them; what they lead to is sent by the reader."""
        can_wait = self._can_wait

        def hear(raw: bytes, at: float) -> None:
            self._kept.append((raw, at))
            if can_wait(raw):
                self._wait()
                return
            self.catch_up()
            if self._outbox and not self._sending:
                socket.wake()

        return hear

    def take(self, raw: bytes) -> None:
        """One frame that was heard in another way."""
        self._heard_at = at = self._clock()
        if head(raw) not in NOISE:
            self._kept.append((raw, at))
            self.catch_up()

    def _wait(self) -> None:
        if not self._expected:
            self._expected = True
            self._coalescer.put(self._come_round)

    def catch_up(self) -> None:
        """Hand on what was kept. In the call's context: the connection may have another one's."""
        if self._handing_on or not self._kept:
            return
        self._handing_on = True
        try:
            self._context.run(self._hear, self._kept)
        finally:
            self._handing_on = False

    def _come_round(self) -> None:
        """Hand on what could wait. A bug of ours in there is told by the reader."""
        self._expected = False
        socket = self._socket
        try:
            self.catch_up()
        except Exception as error:
            if isinstance(socket, DirectSocket):
                socket.fail(error)
        if self.owes:
            self._care = asyncio.get_running_loop().create_task(self.flush())

    def detach(self) -> Socket | None:
        """Leave the line by our own wish: `lost` is not called. Returns what is to be closed."""
        self._kept.clear()
        return self._unplug()

    def _unplug(self) -> Socket | None:
        socket, self._socket = self._socket, None
        self._outbox.clear()
        if self._pulse is not None:
            self._pulse.cancel()
        return socket

    def _feel_pulse(self, socket: Socket) -> None:
        """Ping a quiet line. One that has been quiet through a ping is dead: its reader ends."""
        loop = asyncio.get_running_loop()
        quiet = loop.time() - max(self.heard_at, self._pulse_at)
        if quiet >= 2 * self._beat:
            self._care = loop.create_task(_quietly(socket.close()))
            return
        if quiet >= self._beat:
            self._care = loop.create_task(_quietly(socket.ping()))
        self._pulse = loop.call_later(self._beat, self._feel_pulse, socket)


async def _quietly(work: Awaitable[object]) -> None:
    """Do it. If the line breaks meanwhile, the reader sees that, and tells of it."""
    with suppress(aiohttp.ClientError, OSError):
        await work
