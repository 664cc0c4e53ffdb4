"""A WebSocket that hands text frames on as they are parsed, without waking anybody.

Each frame that goes through `receive()` costs a future, a wake-up of a task and a way down its
coroutines: 1.6 of the 13.6 microseconds that a frame costs a bare receive loop, the kernel's
share included (100 connections, 6,000 frames a second). Nearly all frames mean nothing to us:
they end here, as each call of a function costs them more than all that is done with them. None
needs to be waited for. Everything else that arrives (ping, pong, close, errors,
and text that nobody listens to yet) stays with `receive()`, in its order.

aiohttp has no public place for this, so the module says what it relies on: `ClientSession`
assigns the parser of a new line to `_parser` of its `ws_response_class` before any byte is fed
to it, the queue's `feed_data` can be overridden, and what writes has a `transport` to write to and
a `protocol` that knows when to pause. Where no parser is assigned, every frame comes through
`receive()`; where something else does not hold, `SOCKET` is aiohttp's own class.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import aiohttp

try:
    from aiohttp._websocket.helpers import websocket_mask
    from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
    from aiohttp._websocket.writer import WebSocketWriter
    from aiohttp.base_protocol import BaseProtocol
except ImportError:  # pragma: no cover  # another aiohttp
    BaseProtocol = WebSocketDataQueue = WebSocketReader = object  # type: ignore[assignment,misc]
    WebSocketWriter = object  # type: ignore[assignment,misc]
    websocket_mask = None  # type: ignore[assignment]

from offhook.realtime.frames import NOISE

Hear: TypeAlias = Callable[[bytes, bytes, float], None]

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
        kind = raw[: raw.find(b'"', 9)]  # `frames.head`, without a call
        if kind in NOISE:
            return
        if self._buffer:
            super().feed_data(message, size)
            return
        try:
            hear(kind, raw, at)
        except Exception as error:  # aiohttp would take it for one of the peer's
            self.hear = None
            super().feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.ERROR, error, None), 0)


class DirectSocket(aiohttp.ClientWebSocketResponse[Any]):
    """aiohttp's client WebSocket with an ear in its parser.

    For lines without compression and without a limit to the size of a message, whose text is
    not decoded; those of `Cloud.attach`.
    """

    def hear(self, hear: Hear) -> None:
        """From now on give text frames to `hear`, with their head and when they came.

        It must not block. Frames of no use (`frames.NOISE`) only change `heard_at`. What has
        arrived before, and all that is no text, still comes from `receive()`, which must be read
        all the while. An error raised in `hear` comes from there, too, as a message of the type
        `ERROR`; nothing is given to `hear` after it.
        """
        if isinstance(self._reader, Queue):
            self._reader.hear = hear

    @property
    def heard_at(self) -> float:
        """When the last frame came that was not for `receive()`, on the loop's clock."""
        return self._reader.heard_at if isinstance(self._reader, Queue) else 0.0

    async def send_frames(self, frames: Iterable[bytes]) -> None:
        """Send text frames in one go: each write to a socket wakes up the other side.

        Raises `ClientConnectionResetError` on a line that is closing.
        """
        writer = self._writer
        if self.closed or writer.transport.is_closing():
            raise aiohttp.ClientConnectionResetError("the line is closing")
        writer.transport.write(b"".join(map(_masked, frames)))
        if writer.protocol.writing_paused:
            await writer.protocol._drain_helper()

    def wake(self) -> None:
        """Have `receive()` return once more, with a pong that nobody has sent."""
        self._reader.feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.PONG, b"", None), 0)

    def fail(self, error: Exception) -> None:
        """Have `receive()` return this error of whoever has heard, as if raised in `hear`."""
        self._reader.feed_data(aiohttp.WSMessage(aiohttp.WSMsgType.ERROR, error, None), 0)

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


def _masked(frame: bytes) -> bytes:
    """A text frame as a client sends it (RFC 6455, 5.2 and 5.3)."""
    length, mask = len(frame), os.urandom(4)
    if length < 126:
        head = bytes((0x81, 0x80 | length))
    elif length < 1 << 16:
        head = b"\x81\xfe" + length.to_bytes(2)
    else:
        head = b"\x81\xff" + length.to_bytes(8)
    payload = bytearray(frame)
    websocket_mask(mask, payload)
    return head + mask + payload


def _fits() -> bool:
    """Whether this aiohttp can be listened to, and written to, in our way."""
    try:
        return _hears() and _writes()
    except Exception:
        return False


def _hears() -> bool:
    """Whether a frame, masked as we do it, comes through the parser to our ear."""
    heard: list[bytes] = []
    none: Any = None
    queue = Queue(none, 2**16, loop=none)
    queue.clock = float
    queue.hear = lambda _, raw, __: heard.append(raw)
    WebSocketReader(queue, 0, compress=False, decode_text=False).feed_data(_masked(b"{}"))
    return heard == [b"{}"]


def _writes() -> bool:
    """Whether the writer and its protocol have what `send_frames` asks of them."""
    none: Any = None
    writer = WebSocketWriter(none, none, use_mask=True)
    return (
        hasattr(writer, "transport")
        and hasattr(writer, "protocol")
        and hasattr(BaseProtocol, "writing_paused")
        and hasattr(BaseProtocol, "_drain_helper")
    )


SOCKET: type[aiohttp.ClientWebSocketResponse[Any]] = (
    DirectSocket if _fits() else aiohttp.ClientWebSocketResponse
)
