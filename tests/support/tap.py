"""A tap on the wire to the cloud: passes every byte on and keeps the heads of the requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

_HEAD = re.compile(rb"(GET|POST|HEAD) (\S+) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*)\r\n")


class Request(NamedTuple):
    """One request as it was written on the wire; the names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class Tap:
    """What the product has sent."""

    def __init__(self) -> None:
        self.url = ""
        self._written: list[bytearray] = []

    @property
    def requests(self) -> list[Request]:
        """Each request so far, those of one connection in order."""
        heads = [h for written in self._written for h in _HEAD.finditer(bytes(written))]
        return [Request(h[1].decode(), h[2].decode(), _headers(h[3])) for h in heads]

    async def carry(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass on in both directions until either side closes."""
        written = bytearray()
        self._written.append(written)
        both = {
            asyncio.create_task(_pass_on(near[0], far[1], written)),
            asyncio.create_task(_pass_on(far[0], near[1], bytearray())),
        }
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            for _, writer in (near, far):
                writer.close()
            for _, writer in (near, far):
                with suppress(OSError):
                    await writer.wait_closed()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
) -> None:
    try:
        while data := await reader.read(65536):
            kept += data
            writer.write(data)
            await writer.drain()
    except OSError:
        return


def _headers(raw: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in raw.decode().split("\r\n") if line)
    return {name.lower(): value.strip() for name, _, value in lines}


@asynccontextmanager
async def tapping(base_url: str) -> AsyncIterator[Tap]:
    """A tap in front of an HTTP server."""
    tap, there = Tap(), urlsplit(base_url)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        far = await asyncio.open_connection(there.hostname, there.port)
        await tap.carry((reader, writer), far)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    tap.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield tap
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
