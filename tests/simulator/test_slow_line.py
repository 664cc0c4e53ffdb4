"""A slow line delays bytes, keeps their order and passes on the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from offhook.simulator.network import SlowLine

DELAY_S = 0.01


async def _through_the_line() -> tuple[bytes, float]:
    """Send a lot in small pieces through the line to an echo; what came back, and how long."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        over.set_result(None)

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    line = SlowLine(DELAY_S)
    target = server.sockets[0].getsockname()[1]
    port = await line.open("127.0.0.1", 0, "127.0.0.1", target)
    began = loop.time()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(2000):
        writer.write(b"%05d" % number)
        if number % 50 == 0:
            await writer.drain()
            await asyncio.sleep(0)
    echoed = await reader.readexactly(10_000)
    took = loop.time() - began
    writer.close()
    await writer.wait_closed()
    await line.close()
    await over
    server.close()
    return echoed, took


def _on_uvloop(work: Coroutine[Any, Any, Any]) -> Any:
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@pytest.mark.parametrize("run", [asyncio.run, _on_uvloop])
def test_bytes_arrive_late_but_in_order(run: Callable[[Any], tuple[bytes, float]]) -> None:
    """TCP's handshake and one way and back: two round trips."""
    echoed, took = run(_through_the_line())
    assert echoed == b"".join(b"%05d" % number for number in range(2000))
    assert took >= 4 * DELAY_S * 0.9  # uvloop rounds to milliseconds


async def test_nobody_behind_the_line_is_a_closed_connection() -> None:
    line = SlowLine(DELAY_S)
    port = await line.open("127.0.0.1", 0, "127.0.0.1", 9)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    await line.close()
