"""A sideband that is only listened to, until the call is ours."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import aiohttp
import msgspec
from msgspec import Struct

from offhook.realtime.frames import is_key
from offhook.runtime.checkpoint import Upto
from offhook.runtime.cloud import Socket

MOST = 10_000  # frames; a hand-over that takes longer than they do has failed


class Overheard:
    """Keeps what is heard. The cloud sends the same to every sideband of a call."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._frames: deque[bytes] = deque(maxlen=MOST)
        self._something = asyncio.Event()  # was heard, or nothing will be
        self._reader = asyncio.get_running_loop().create_task(self._listen())

    async def hears(self, within: float) -> bool:
        """Wait for the first frame. Whether it comes in time.

        The answer to an upgrade may come from a proxy; only what is heard shows that the cloud
        tells us what it tells the others.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._something.wait()
        return bool(self._frames)

    async def _listen(self) -> None:
        try:
            await self._keep_frames()
        finally:
            self._something.set()

    async def _keep_frames(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._frames.append(message.data)
                self._something.set()
            elif message.type is aiohttp.WSMsgType.PING:
                with suppress(aiohttp.ClientError, OSError):
                    await self._socket.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                return

    async def taken(self, seen: Upto | None) -> tuple[Socket, list[bytes]]:
        """The line, and what came on it after what was `seen`. It may have gone meanwhile.

        All of it where that frame is not among what was heard: what the last owner has stepped
        already means nothing the second time. But a key does, so those are counted.
        """
        await self._stop()
        return self._socket, [*_after(list(self._frames), seen or Upto())]

    async def close(self) -> None:
        """Leave the line to others."""
        await self._stop()
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.close()

    async def _stop(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


def _after(frames: list[bytes], seen: Upto) -> Iterator[bytes]:
    last, keys = seen.frame, seen.keys
    found = [n + 1 for n, raw in enumerate(frames) if last is not None and event_id(raw) == last]
    for raw in frames[found[-1] if found else 0 :]:
        if keys and is_key(raw):
            keys -= 1
        else:
            yield raw


class _Named(Struct):
    event_id: str | None = None


_decode = msgspec.json.Decoder(_Named).decode


def event_id(raw: bytes) -> str | None:
    """The id that the cloud gave to a frame."""
    try:
        return _decode(raw).event_id
    except msgspec.MsgspecError:
        return None
