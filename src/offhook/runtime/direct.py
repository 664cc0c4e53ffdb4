"""A WebSocket that hands text frames on as they are parsed, without waking anybody.

Each frame that goes through `receive()` costs a future, a wake-up of a task and a way down its
coroutines: 1.6 of the 13.6 microseconds that a frame costs a bare receive loop, the kernel's
share included (100 connections, 6,000 frames a second). Nearly all frames mean nothing to us:
they end here, as each call of a function costs them more than all that is done with them. None
needs to be waited for. Everything else that arrives (ping, pong, close, errors,
and text that nobody listens to yet) stays with `receive()`, in its order.

aiohttp has no public place for this, so the module says what it relies on: `ClientSession`
assigns the parser of a new line to `_parser` of its `ws_response_class` before any byte is fed
to it, and the queue's `feed_data` can be overridden. `SOCKET` is aiohttp's own class where that
does not hold; then every frame comes through `receive()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import aiohttp

try:
    from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
except ImportError:  # pragma: no cover  # another aiohttp
    WebSocketDataQueue = WebSocketReader = object  # type: ignore[assignment]

from offhook.realtime.frames import NOISE

Hear: TypeAlias = Callable[[bytes, float], None]

TEXT = aiohttp.WSMsgType.TEXT


class Queue(WebSocketDataQueue):
    """The queue between aiohttp's parser and `receive()`, passed by while somebody listens."""

    hear: Hear | None = None
    heard_at = 0.0
    clock: Callable[[], float]

    def feed_data(self, message: Any, size: int) -> None:
        """Take one parsed message. What waits for `receive()` is not overtaken."""
        hear = self.hear
        if hear is None or message[0] is not TEXT:
            super().feed_data(message, size)
            return
        raw = message[1]
        self.heard_at = at = self.clock()
        if raw[: raw.find(b'"', 9)] in NOISE:  # `frames.head`, without a call
            return
        if self._buffer:
            super().feed_data(message, size)
            return
        try:
            hear(raw, at)
        except Exception as error:  # aiohttp would take it for one of the peer's
            self.hear = None
            super().feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.ERROR, error, None), 0)


class _Box:
    """Stands in for a transport, and keeps what is written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.is_closing = transport.is_closing
        self.kept: list[bytes] = []
        self.write = self.kept.append


class DirectSocket(aiohttp.ClientWebSocketResponse[Any]):
    """aiohttp's client WebSocket with an ear in its parser.

    For lines without compression and without a limit to the size of a message, whose text is
    not decoded; those of `Cloud.attach`.
    """

    def hear(self, hear: Hear) -> None:
        """From now on give text frames and when they came to `hear`; it must not block.

        Those of no use (`frames.NOISE`) only change `heard_at`. What has arrived before, and all
        that is no text, still comes from `receive()`, which must be read all the while. An error
        raised in `hear` comes from there, too, as a message of the type `ERROR`; nothing is given
        to `hear` after it.
        """
        if isinstance(self._reader, Queue):
            self._reader.hear = hear

    @property
    def heard_at(self) -> float:
        """When the last frame came that was not for `receive()`, on the loop's clock."""
        return self._reader.heard_at if isinstance(self._reader, Queue) else 0.0

    def wake(self) -> None:
        """Have `receive()` return once more, with a pong that nobody has sent."""
        self._reader.feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.PONG, b"", None), 0)

    def fail(self, error: Exception) -> None:
        """Have `receive()` return this error of whoever has heard, as if raised in `hear`."""
        self._reader.feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.ERROR, error, None), 0)

    async def send_together(self, frames: Iterable[bytes]) -> None:
        """Send text frames in one write: each costs a trip into the kernel and wakes the peer."""
        writer: Any = self._writer
        transport = writer.transport
        writer.transport = box = _Box(transport)
        try:
            for frame in frames:
                await self.send_frame(frame, TEXT)
        finally:
            writer.transport = transport
            transport.write(b"".join(box.kept))

    async def close(self, *, code: int = aiohttp.WSCloseCode.OK, message: bytes = b"") -> bool:
        """Close the line. Text that still comes in is nobody's any more."""
        if isinstance(self._reader, Queue):
            self._reader.hear = None
        closed = await super().close(code=code, message=message)
        error: BaseException | None = self._exception
        while error is not None:  # its traceback refers to us: a line would not be freed for hours
            error = error.with_traceback(None).__context__
        return closed

    @property
    def _parser(self) -> Any:
        return self.__parser

    @_parser.setter
    def _parser(self, parser: Any) -> None:
        """Put a parser with our queue in the place of the one that aiohttp has made."""
        if parser is not None:
            theirs = self._reader
            self._reader = Queue(theirs._protocol, theirs._limit // 2, loop=self._loop)
            self._reader.clock = self._loop.time
            parser = WebSocketReader(self._reader, 0, compress=False, decode_text=False)
        self.__parser = parser


def _fits() -> bool:
    """Whether a frame fed to this aiohttp's parser reaches our ear."""
    heard: list[bytes] = []
    try:
        none: Any = None
        queue = Queue(none, 2**16, loop=none)
        queue.clock = float
        queue.hear = lambda raw, _: heard.append(raw)
        WebSocketReader(queue, 0, compress=False, decode_text=False).feed_data(b"\x81\x02{}")
    except Exception:
        return False
    return heard == [b"{}"]


SOCKET: type[aiohttp.ClientWebSocketResponse[Any]] = (
    DirectSocket if _fits() else aiohttp.ClientWebSocketResponse
)
