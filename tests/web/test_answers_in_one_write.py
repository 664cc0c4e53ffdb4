"""What is written in one turn of the event loop leaves in one write."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from offhook.web.corked import CorkedTransport


class Wire:
    """A transport that keeps each write, and `None` for the close."""

    def __init__(self) -> None:
        self.writes: list[bytes | None] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.writes.append(None)

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
    transport.write(b"next")
    await asyncio.sleep(0)
    assert wire.writes == [b"head body", b"next"]


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
