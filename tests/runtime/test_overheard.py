"""What is heard on a sideband before the call is ours is kept, and given on without what is old."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import aiohttp

from offhook.runtime.checkpoint import Upto
from offhook.runtime.cloud import Socket
from offhook.runtime.overheard import Overheard, event_id


class Line:
    """A socket that receives what it is given."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.pongs: asyncio.Queue[bytes] = asyncio.Queue()
        self.closed = False

    async def receive(self) -> Any:
        return await self.inbox.get()

    async def pong(self, data: bytes) -> None:
        self.pongs.put_nowait(data)

    async def close(self) -> None:
        self.closed = True

    def put(self, kind: aiohttp.WSMsgType, data: bytes = b"") -> None:
        self.inbox.put_nowait(aiohttp.WSMessage(kind, data, None))


def frame(number: int) -> bytes:
    return b'{"type":"x","event_id":"event_%d"}' % number


async def heard(*frames: bytes) -> tuple[Line, Overheard]:
    """A line on which these have come; a ping behind them tells that they are heard."""
    line = Line()
    overheard = Overheard(cast("Socket", line))
    for raw in frames:
        line.put(aiohttp.WSMsgType.TEXT, raw)
    line.put(aiohttp.WSMsgType.PING, b"all")
    assert await line.pongs.get() == b"all"
    return line, overheard


async def given(overheard: Overheard, seen: Upto | None) -> tuple[Any, list[bytes]]:
    """The line and the frames, whatever kind of line it is."""
    return await overheard.taken(seen)


async def test_what_comes_after_the_last_frame_of_the_owner_is_given_on() -> None:
    line, overheard = await heard(*map(frame, range(5)))
    assert await given(overheard, Upto("event_2")) == (line, [frame(3), frame(4)])


async def test_all_of_it_is_where_the_owner_has_not_told_or_that_frame_was_not_heard() -> None:
    for seen in (None, Upto("event_9")):
        line, overheard = await heard(frame(0), frame(1))
        assert await given(overheard, seen) == (line, [frame(0), frame(1)])


async def test_what_was_heard_on_a_line_that_has_gone_is_not_lost_with_it() -> None:
    line, overheard = await heard(frame(0))
    line.put(aiohttp.WSMsgType.CLOSED)
    await asyncio.wait({overheard._reader})
    assert await given(overheard, None) == (line, [frame(0)])


async def test_only_what_is_heard_shows_that_the_cloud_tells_us_something() -> None:
    line = Line()
    overheard = Overheard(cast("Socket", line))
    assert not await overheard.hears(0.001)
    waiting = asyncio.create_task(overheard.hears(60))
    line.put(aiohttp.WSMsgType.PING)
    await line.pongs.get()
    assert not waiting.done()
    line.put(aiohttp.WSMsgType.TEXT, frame(1))
    assert await waiting


async def test_nothing_is_waited_for_on_a_line_that_has_gone() -> None:
    line, overheard = await heard()
    line.put(aiohttp.WSMsgType.CLOSED)
    assert not await overheard.hears(60)


async def test_it_is_closed_if_the_call_goes_to_another() -> None:
    line, overheard = await heard()
    await overheard.close()
    assert line.closed


def test_a_frame_without_an_id_has_none() -> None:
    assert event_id(frame(7)) == "event_7"
    assert event_id(b"{}") is None
    assert event_id(b"") is None
