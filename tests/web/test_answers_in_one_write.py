"""What is written in one turn of the event loop leaves in one write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import uvloop

from offhook.web.corked import MOST_BYTES, CorkedTransport


class Wire:
    """A transport that keeps each write, and `None` for the close."""

    def __init__(self) -> None:
        self.writes: list[bytes | None] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.writes.append(None)

    def is_closing(self) -> bool:
        return None in self.writes

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def corked() -> tuple[Wire, Any]:
    wire = Wire()
    return wire, CorkedTransport(cast("asyncio.Transport", wire), asyncio.get_running_loop())


async def test_the_head_and_the_body_of_an_answer_are_one_write() -> None:
    wire, transport = corked()
    transport.write(b"head ")
    transport.write(b"body")
    await asyncio.sleep(0)
    transport.write(b"next ")
    transport.writelines((b"one ", b"after"))
    await asyncio.sleep(0)
    assert wire.writes == [b"head body", b"next one after"]


async def test_a_transport_is_closed_once_all_is_written() -> None:
    wire, transport = corked()
    transport.write(b"head ")
    transport.write(b"body")
    transport.close()
    await asyncio.sleep(0)
    assert wire.writes == [b"head body", None]


async def test_all_else_is_asked_of_the_transport_itself() -> None:
    _, transport = corked()
    assert transport.get_extra_info("peer") == "the peer"


async def test_a_stream_that_never_pauses_is_not_kept_whole() -> None:
    wire, transport = corked()
    for _ in range(3):
        transport.write(b"x" * (MOST_BYTES // 2))
    assert wire.writes == [b"x" * MOST_BYTES]
    await asyncio.sleep(0)
    assert wire.writes == [b"x" * MOST_BYTES, b"x" * (MOST_BYTES // 2)]


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_what_waits_for_a_client_who_has_gone_is_dropped(run: Callable[..., None]) -> None:
    run(answered_too_late())


async def answered_too_late() -> None:
    """The line breaks off, and the answer comes before the server has been told."""
    loop, wrong = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: wrong.append(context))
    over = asyncio.Event()

    class Answer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            kept: Any = CorkedTransport(cast("asyncio.Transport", transport), loop)
            kept.abort()
            kept.write(b"answer")

        def connection_lost(self, exc: Exception | None) -> None:
            loop.call_soon(over.set)

    async with await loop.create_server(Answer, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await over.wait()
        writer.close()
    assert wrong == []
