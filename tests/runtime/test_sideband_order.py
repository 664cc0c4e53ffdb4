"""What is sent on a sideband: all of it, in order, by one sender at a time."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import aiohttp

from offhook.runtime.cloud import Socket
from offhook.runtime.sideband import Frames, Sideband

WSMsg = aiohttp.WSMessage


class Line:
    """A socket whose sending waits until it is let go, and that receives what it is given."""

    close_code = 1006

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.sending = 0
        self.most = 0
        self.go = asyncio.Event()
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.broken = False
        self.pings: asyncio.Queue[bytes] = asyncio.Queue()
        self.pongs: list[bytes] = []

    async def ping(self, data: bytes = b"") -> None:
        self.pings.put_nowait(data)

    async def pong(self, data: bytes) -> None:
        self.pongs.append(data)

    async def send_frame(self, frame: bytes, kind: aiohttp.WSMsgType) -> None:
        assert kind is aiohttp.WSMsgType.TEXT
        self.sending += 1
        self.most = max(self.most, self.sending)
        await self.go.wait()
        self.sending -= 1
        if self.broken:
            raise aiohttp.ClientConnectionResetError("gone")
        self.sent.append(frame)

    async def receive(self) -> Any:
        return await self.inbox.get()

    def hear(self, data: bytes) -> None:
        self.inbox.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, data, None))

    def put(self, kind: aiohttp.WSMsgType, data: bytes = b"") -> None:
        self.inbox.put_nowait(aiohttp.WSMessage(kind, data, None))

    async def close(self) -> None:
        self.end()

    def end(self) -> None:
        self.put(aiohttp.WSMsgType.CLOSED)


def sideband(beat: float = 15.0) -> tuple[Sideband, Line, list[bytes], list[str]]:
    heard: list[bytes] = []
    lost: list[str] = []

    def hear(frames: Frames) -> None:
        while frames:
            heard.append(frames.popleft()[0])

    band, line = Sideband(hear, lost.append, beat), Line()
    band.adopt(cast("Socket", line))
    return band, line, heard, lost


async def test_frames_keep_their_order_whoever_sends_them() -> None:
    band, line, _, _ = sideband()
    band.send([b"1", b"2"])
    first = asyncio.create_task(band.flush())
    await asyncio.sleep(0)
    band.send([b"3"])
    await band.flush()  # somebody is about it
    assert line.sent == []
    line.go.set()
    await first
    assert line.sent == [b"1", b"2", b"3"]
    assert line.most == 1


async def test_what_waits_when_the_line_is_left_is_not_sent_on_the_next_one() -> None:
    """A new sideband starts from what the conversation knows, not from a backlog."""
    band, line, _, lost = sideband()
    band.send([b"1"])
    assert band.owes
    assert band.detach() is cast("Socket", line)
    assert not band.owes
    assert not band.open
    other = Line()
    other.go.set()
    band.adopt(cast("Socket", other))
    await band.flush()
    assert other.sent == []
    assert lost == []


async def test_frames_are_heard_in_order_and_the_end_is_told_once() -> None:
    band, line, heard, lost = sideband()
    line.hear(b"a")
    line.hear(b"b")
    line.end()
    await band.read(cast("Socket", line))
    assert heard == [b"a", b"b"]
    assert lost == ["close code 1006"]
    assert not band.open


async def test_a_line_that_we_left_ourselves_is_not_lost() -> None:
    band, line, _, lost = sideband()
    band.detach()
    line.end()
    await band.read(cast("Socket", line))
    assert lost == []


async def test_an_old_line_that_ends_does_not_take_the_new_one_with_it() -> None:
    band, line, _, lost = sideband()
    band.adopt(cast("Socket", Line()))
    line.end()
    await band.read(cast("Socket", line))
    assert lost == []
    assert band.open


async def test_a_line_that_breaks_while_sending_is_told_of_by_its_reader() -> None:
    band, line, _, lost = sideband()
    line.broken = True
    line.go.set()
    band.send([b"1"])
    await band.flush()
    assert lost == []
    line.end()
    await band.read(cast("Socket", line))
    assert len(lost) == 1


async def test_a_quiet_line_is_pinged_and_closed_if_nothing_answers() -> None:
    band, line, heard, lost = sideband(beat=0.01)
    await band.read(cast("Socket", line))
    assert line.pings.qsize() >= 1
    assert (heard, lost) == ([], ["close code 1006"])


async def test_a_quiet_line_that_answers_its_pings_stays_open() -> None:
    band, line, heard, lost = sideband(beat=0.1)
    reader = asyncio.create_task(band.read(cast("Socket", line)))
    for _ in range(2):
        await line.pings.get()
        line.put(aiohttp.WSMsgType.PONG)
    assert band.open
    assert (heard, lost) == ([], [])
    band.detach()
    line.end()
    await reader


async def test_a_ping_of_the_cloud_is_answered_with_its_own_data() -> None:
    band, line, heard, _ = sideband()
    line.put(aiohttp.WSMsgType.PING, b"7")
    line.end()
    await band.read(cast("Socket", line))
    assert (line.pongs, heard) == ([b"7"], [])


async def test_what_was_on_its_way_is_heard_before_a_ping_comes_back() -> None:
    band, line, heard, _ = sideband()
    reader = asyncio.create_task(band.read(cast("Socket", line)))
    waiting = asyncio.create_task(band.heard_all(60))
    ping = await line.pings.get()
    line.put(aiohttp.WSMsgType.PONG, b"another")
    line.hear(b"a")
    line.put(aiohttp.WSMsgType.PONG, ping)
    assert await waiting
    assert heard == [b"a"]
    line.end()
    await reader


async def test_a_ping_that_does_not_come_back_tells_nothing() -> None:
    band, line, _, _ = sideband()
    assert not await band.heard_all(0.001)
    band.detach()
    assert not await band.heard_all(60)
    assert line.pings.qsize() == 1


async def test_what_was_kept_is_handed_on_even_if_the_line_goes_meanwhile() -> None:
    paused, heard = True, list[bytes]()

    def hear(frames: Frames) -> None:
        while frames and not paused:
            heard.append(frames.popleft()[0])

    band = Sideband(hear, lambda _: None)
    line = Line()
    band.adopt(cast("Socket", line))
    line.hear(b"a")
    line.end()
    await band.read(cast("Socket", line))
    assert heard == []
    paused = False
    band.catch_up()
    assert heard == [b"a"]
