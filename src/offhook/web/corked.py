"""Puts the head and the body of an answer into one write.

uvicorn writes them one after the other, so whoever waits for the answer is woken twice, and each
write is a trip into the kernel: of all that a webhook costs that was a fifth.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_Protocol: Any = AutoHTTPProtocol  # httptools where it is installed, else h11
MOST_BYTES = 1 << 16  # more goes out at once: only the transport knows when a stream must pause


class CorkedTransport:
    """A transport that writes what comes in one turn of the event loop at the end of that turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Have it written behind what waits."""
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)
        self._bytes += len(data)
        if self._bytes >= MOST_BYTES:
            self._flush()

    def writelines(self, data: Iterable[bytes]) -> None:
        """The same for several; the transport's own would overtake what waits."""
        self.write(b"".join(data))

    def close(self) -> None:
        """Close it, once all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        kept, self._kept, self._bytes = self._kept, [], 0
        if kept and not self._transport.is_closing():  # uvloop's raises once it is closed
            self._transport.write(b"".join(kept))


class CorkedProtocol(_Protocol):  # type: ignore[misc]
    """uvicorn's protocol over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has connected."""
        corked = CorkedTransport(transport, asyncio.get_running_loop())
        super().connection_made(cast("asyncio.Transport", corked))
