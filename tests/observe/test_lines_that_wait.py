"""Lines of the log may wait a moment, but never for long, out of order, or for ever."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from offhook.observe import logs
from offhook.observe.backlog import Backlog, Logged
from offhook.observe.logs import configure, get_logger
from support.serving import logging_to

LONG = 3600.0


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """A log whose lines wait for an hour, if they may."""
    stream = io.StringIO()
    with logging_to():
        configure("json", stream=stream, delay_s=LONG)
        yield stream


def events(out: io.StringIO) -> list[Any]:
    return [json.loads(line)["event"] for line in out.getvalue().splitlines()]


async def test_what_went_well_waits_and_is_there_in_the_end(out: io.StringIO) -> None:
    get_logger("call").info("one")
    get_logger("tool").info("two")
    assert events(out) == []
    logs.flush()
    assert events(out) == ["one", "two"]


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
async def test_what_went_wrong_is_there_at_once_behind_what_waited(
    out: io.StringIO, level: str
) -> None:
    get_logger("call").info("before")
    getattr(get_logger("call"), level)("wrong")
    assert events(out) == ["before", "wrong"]


async def test_an_exception_is_there_at_once_at_any_level(out: io.StringIO) -> None:
    get_logger("call").info("met", exc_info=ValueError())
    assert events(out) == ["met"]


async def test_lines_of_libraries_do_not_overtake_ours(out: io.StringIO) -> None:
    get_logger("call").info("ours")
    logging.getLogger("library").warning("theirs")
    get_logger("call").info("ours again")
    structlog.get_logger().warning("structlog's")
    assert events(out) == ["ours", "theirs", "ours again", "structlog's"]


def test_nothing_waits_where_no_loop_would_come_back(out: io.StringIO) -> None:
    get_logger("call").info("alone")
    assert events(out) == ["alone"]


async def test_a_line_tells_when_it_was_logged_not_when_it_was_written() -> None:
    written: list[Logged] = []
    backlog = Backlog(written.extend)
    backlog.delay = LONG
    backlog.put(Logged(1, "info", "call", "first", {}), at_once=False)
    backlog.put(Logged(2, "info", "call", "second", {}), at_once=True)
    assert [entry.at for entry in written] == [1, 2]


async def test_what_waits_is_written_after_the_delay() -> None:
    done = asyncio.Event()
    written: list[Logged] = []

    def write(entries: list[Logged]) -> None:
        written.extend(entries)
        done.set()

    backlog = Backlog(write)
    backlog.delay = 0.01
    for round_ in range(2):
        for n in range(3):
            backlog.put(Logged(n, "info", "call", round_, {}), at_once=False)
        assert len(written) == 3 * round_
        await done.wait()
        done.clear()
        assert len(written) == 3 * (round_ + 1)


def test_a_loop_that_ended_does_not_keep_the_lines_of_the_next_one() -> None:
    written: asyncio.Queue[list[Logged]] = asyncio.Queue()
    backlog = Backlog(written.put_nowait)
    backlog.delay = 0.01

    async def log_one() -> None:
        backlog.put(Logged(0, "info", "call", "event", {}), at_once=False)

    async def log_another() -> list[Logged]:
        await log_one()
        return await written.get()

    asyncio.run(log_one())
    assert written.empty()
    assert len(asyncio.run(log_another())) == 2


async def test_every_line_of_many_threads_is_written_once() -> None:
    written: list[Logged] = []
    backlog = Backlog(written.extend)

    def log_many(number: int) -> None:
        for n in range(200):
            backlog.put(Logged(n, "info", "call", number, {}), at_once=True)

    threads = [threading.Thread(target=log_many, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((e.event, e.at) for e in written) == [
        (n, at) for n in range(4) for at in range(200)
    ]


@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError"])
def test_nothing_is_lost_at_the_end_of_the_program(end: str) -> None:
    program = f"""
import asyncio, sys
from offhook.observe.logs import configure, get_logger
configure("json", delay_s={LONG})
async def main():
    get_logger("call").info("the last words")
    {end}
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "the last words" in ended.stderr
