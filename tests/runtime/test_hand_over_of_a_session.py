"""A call changes hands while its caller speaks: what was said is stepped by one of the two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest

from offhook.bot import Bot
from offhook.config import load
from offhook.core import commands as do
from offhook.core.call import Phase
from offhook.core.step import ring
from offhook.observe.metrics import Metrics
from offhook.runtime.checkpoint import Upto
from offhook.runtime.cloud import Cloud, Socket
from offhook.runtime.coalescing import Coalescer
from offhook.runtime.hold import Hold
from offhook.runtime.line import make_line
from offhook.runtime.narrator import Narrator
from offhook.runtime.overheard import Overheard
from offhook.runtime.owned import OwnedSession
from offhook.runtime.scribe import Scribe


class Line:
    """A socket that receives what it is given; a ping comes back when the test says so."""

    close_code = 1006

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.pinged: asyncio.Queue[bytes] = asyncio.Queue()
        self.taken: asyncio.Queue[None] = asyncio.Queue()  # a token for each message that is read

    async def receive(self) -> Any:
        message = await self.inbox.get()
        self.taken.put_nowait(None)
        return message

    async def ping(self, data: bytes = b"") -> None:
        self.pinged.put_nowait(data)

    async def pong(self, data: bytes) -> None:
        pass

    async def send_frame(self, frame: bytes, kind: aiohttp.WSMsgType) -> None:
        pass

    async def close(self) -> None:
        self.put(aiohttp.WSMsgType.CLOSED)

    def put(self, kind: aiohttp.WSMsgType, data: bytes = b"") -> None:
        self.inbox.put_nowait(aiohttp.WSMessage(kind, data, None))

    def hear(self, *frames: bytes) -> None:
        for frame in frames:
            self.put(aiohttp.WSMsgType.TEXT, frame)


class OneLine:
    """A cloud to which there is one line."""

    def __init__(self, line: Line) -> None:
        self.coalescer = Coalescer()
        self._line = line

    async def attach(self, call_id: str, within: float) -> Socket:
        return cast("Socket", self._line)


class Lease:
    """A right to the call that is given away when the test says so, to an heir that is ready."""

    stale = False
    claimed = True

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.given = asyncio.Event()

    async def holds(self) -> bool:
        return not self.given.is_set()

    async def hand_over(self) -> bool:
        self.wanted.set()
        await self.given.wait()
        return True


class Record:
    """A scribe that remembers how far the owner had got when it gave the call away."""

    seen: Upto

    def began(self, call: object) -> None:
        pass

    def stepped(self, *_: object) -> None:
        pass

    async def settled(self) -> None:
        pass

    async def hand_over(self, call: object, seen: Upto, within: float) -> bool:
        self.seen = seen
        return True


class Owner:
    """A live call in the hands of one session."""

    def __init__(self) -> None:
        settings = load(None, {"OPENAI_API_KEY": "k", "TEST_MODE": "1"})
        line = make_line(Bot("Be brief."), settings)
        self.line, self.lease, self.record = Line(), Lease(), Record()
        self.left = asyncio.Event()
        self.session = OwnedSession(
            line,
            cast("Cloud", OneLine(self.line)),
            Narrator("rtc_1", Metrics(), words=False),
            lambda _: self.left.set(),
            cast("Scribe", self.record),
            cast("Hold", self.lease),
        )
        now = asyncio.get_running_loop().time()
        call, _ = ring("rtc_1", line.rules, now)
        call = call.enter(Phase.REJOINING, greeted=True, opened=True, accepted_at=now)
        self.session.begin(call, [do.Attach(5.0)])

    async def steps(self, *frames: bytes) -> None:
        """Hear these now."""
        self.line.hear(*frames)
        for _ in frames:
            await self.line.taken.get()

    @property
    def words(self) -> list[str | None]:
        return [said.text for said in self.session.call.transcript]


def frame(kind: str, event_id: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "event_id": event_id, **fields}).encode()


def said(number: int) -> bytes:
    """What speech recognition tells of one sentence of the caller."""
    kind = "conversation.item.input_audio_transcription.completed"
    return frame(kind, f"event_{number}", item_id=f"item_{number}", transcript=f"Sentence {number}")


def key(digit: str) -> bytes:
    """The one kind of frame without an id."""
    return b'{"type":"input_audio_buffer.dtmf_event_received","event":"%s"}' % digit.encode()


@pytest.fixture
async def owner() -> AsyncIterator[Owner]:
    owner = Owner()
    yield owner
    owner.session.leave()
    await owner.session.settled()


@pytest.fixture
def heir_line() -> Line:
    return Line()


@pytest.fixture
async def heir(heir_line: Line) -> Overheard:
    return Overheard(cast("Socket", heir_line))


async def pong(owner: Owner) -> None:
    """What the cloud sent before it comes back before it."""
    owner.line.put(aiohttp.WSMsgType.PONG, await owner.line.pinged.get())


async def given_away(owner: Owner, giving: asyncio.Task[None]) -> None:
    owner.lease.given.set()
    await giving
    assert owner.left.is_set()


async def taken(heir: Overheard, line: Line, owner: Owner) -> list[bytes]:
    """What the heir steps. What was put on its line before is heard first."""
    while not line.inbox.empty():
        await line.taken.get()
    _, frames = await heir.taken(owner.record.seen)
    return frames


async def test_what_only_the_owner_was_told_is_stepped_before_the_call_is_given(
    owner: Owner, heir: Overheard, heir_line: Line
) -> None:
    """The first sentence was told before the heir listened, and is still on its way."""
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    ping = await owner.line.pinged.get()
    assert not owner.lease.wanted.is_set()
    owner.line.hear(said(1), said(2))
    owner.line.put(aiohttp.WSMsgType.PONG, ping)
    heir_line.hear(said(2), said(3))
    await owner.lease.wanted.wait()
    assert owner.words == ["Sentence 1", "Sentence 2"]
    await given_away(owner, giving)
    assert await taken(heir, heir_line, owner) == [said(3)]


async def test_what_comes_once_the_call_is_sealed_is_left_to_the_heir(
    owner: Owner, heir: Overheard, heir_line: Line
) -> None:
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    heir_line.hear(said(1), said(2))
    owner.line.hear(said(1))
    await pong(owner)
    await owner.lease.wanted.wait()
    owner.line.hear(said(2))
    await given_away(owner, giving)
    assert owner.words == ["Sentence 1"]
    assert await taken(heir, heir_line, owner) == [said(2)]


async def test_a_key_that_the_owner_has_stepped_is_not_pressed_again(
    owner: Owner, heir: Overheard, heir_line: Line
) -> None:
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    owner.line.hear(said(1), key("1"), key("1"))
    await pong(owner)
    await owner.lease.wanted.wait()
    heir_line.hear(said(1), key("1"), key("1"), key("1"), said(2))
    await given_away(owner, giving)
    assert owner.record.seen == Upto("event_1", 2)
    assert await taken(heir, heir_line, owner) == [key("1"), said(2)]


async def test_a_call_that_is_busy_by_then_is_kept(owner: Owner) -> None:
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    output = {"type": "function_call", "id": "i", "call_id": "call_1", "name": "looks"}
    response = {"id": "resp_1", "status": "completed", "output": [output]}
    owner.session._tools.start = lambda *_: None  # type: ignore[method-assign]  # it never ends
    owner.line.hear(frame("response.done", "event_1", response=response))
    await pong(owner)
    await giving
    assert not owner.lease.wanted.is_set()
    assert not owner.left.is_set()


async def test_a_line_that_answers_no_ping_delays_nothing_for_long(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.runtime.owned.HEAR_S", 0.01)
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    await owner.lease.wanted.wait()
    await given_away(owner, giving)


async def test_an_owner_that_is_asked_twice_gives_once(owner: Owner) -> None:
    giving = asyncio.create_task(owner.session.hand_over(at_once=False))
    await pong(owner)
    await owner.session.hand_over(at_once=True)
    await owner.lease.wanted.wait()
    assert owner.line.pinged.empty()
    await given_away(owner, giving)
