"""A sideband that is only listened to, until the call is ours."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

import aiohttp
import msgspec
from msgspec import Struct

from offhook.runtime.cloud import Socket

MOST = 10_000  # frames; a hand-over that takes longer than they do has failed


class Overheard:
    """Keeps what is heard. The cloud sends the same to every sideband of a call."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._frames: deque[bytes] = deque(maxlen=MOST)
        self._reader = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._frames.append(message.data)
            elif message.type is aiohttp.WSMsgType.PING:
                with suppress(aiohttp.ClientError, OSError):
                    await self._socket.pong(message.data)
            elif message.type is not aiohttp.WSMsgType.PONG:
                return

    async def taken(self, seen: str | None) -> tuple[Socket, list[bytes]] | None:
        """The line, and what came on it after the frame `seen`; `None` if it has gone.

        All of it where that frame is not among what was heard: what the last owner has stepped
        already means nothing the second time.
        """
        gone = self._reader.done()
        await self._stop()
        if gone:
            return None
        frames = list(self._frames)
        if seen is not None:
            after = [n + 1 for n, raw in enumerate(frames) if event_id(raw) == seen]
            frames = frames[after[-1] if after else 0 :]
        return self._socket, frames

    async def close(self) -> None:
        """Leave the line to others."""
        await self._stop()
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.close()

    async def _stop(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


class _Named(Struct):
    event_id: str | None = None


_decode = msgspec.json.Decoder(_Named).decode


def event_id(raw: bytes) -> str | None:
    """The id that the cloud gave to a frame."""
    try:
        return _decode(raw).event_id
    except msgspec.MsgspecError:
        return None
