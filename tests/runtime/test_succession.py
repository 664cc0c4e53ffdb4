"""To go on with calls of others: whenever their owner gives them, they are had, and heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, cast

import aiohttp
import pytest

from offhook.config import Replicas
from offhook.core.events import Refusal
from offhook.core.rules import Rules
from offhook.lines import ENGLISH
from offhook.runtime.claims import Claims
from offhook.runtime.cloud import Cloud, Refused, Socket
from offhook.runtime.hold import Hold
from offhook.runtime.overheard import Overheard
from offhook.runtime.pulse import Pulse
from offhook.runtime.revival import Revival, Revived
from offhook.runtime.succession import Board, Succession
from offhook.store.database import Database
from offhook.store.ownership import Lease, Ownership, State
from offhook.store.vault import Vault
from offhook.store.writer import Writer
from support.leases import claimed, joined

FRAME = b'{"type":"x","event_id":"event_1"}'


class Line:
    """A sideband on which one frame has come."""

    def __init__(self) -> None:
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._inbox.put_nowait(aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, FRAME, None))
        self.closed = asyncio.Event()

    async def receive(self) -> Any:
        return await self._inbox.get()

    async def close(self) -> None:
        self.closed.set()


class Lines:
    """A cloud that has, or had, the call."""

    def __init__(self) -> None:
        self.opened: list[Line] = []
        self.gone = False

    async def attach(self, call_id: str, within: float) -> Socket:
        if self.gone:
            raise Refused(Refusal.GONE, "http 404")
        self.opened.append(Line())
        return cast("Socket", self.opened[-1])


class Calls:
    """A board that remembers what it was given."""

    def __init__(self) -> None:
        self.taken: list[tuple[Lease, Overheard | None]] = []

    def __len__(self) -> int:
        return len(self.taken)

    def rules_of(self, line: str) -> Rules:
        return Rules(lines=ENGLISH)

    def take_over(
        self, revived: Revived, hold: Hold, heard: Overheard | None, since: float
    ) -> None:
        self.taken.append((revived.lease, heard))

    def hand_over(self, call_ids: Iterable[str], *, at_once: bool) -> None: ...

    def fence(self, call_id: str) -> None: ...

    def abandon(self) -> None: ...

    def remember(self, call_ids: Iterable[str]) -> None: ...


class Heir(Ownership):
    """The ownership of the heir. After one of its questions the test has something happen."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "heir")
        self.is_ready = asyncio.Event()
        self.after: dict[str, Callable[[], Any]] = {}

    async def expected(self) -> set[str]:
        found = await super().expected()
        await self._meanwhile("expected")
        return found

    async def given(self, call_ids: Iterable[str]) -> list[Lease]:
        found = await super().given(call_ids)
        await self._meanwhile("given")
        return found

    async def ready(self, call_ids: Iterable[str]) -> None:
        await super().ready(call_ids)
        self.is_ready.set()

    async def decline(self, call_ids: Iterable[str]) -> None:
        await super().decline(call_ids)
        self.is_ready.set()

    async def _meanwhile(self, question: str) -> None:
        happens = self.after.pop(question, None)
        if happens is not None:
            await happens()


class World:
    """An owner that leaves with one call, and an heir that looks."""

    def __init__(self, database: Database, owner: Ownership, lease: Lease) -> None:
        self.owner, self.lease = owner, lease
        self.heir, self.cloud, self.calls = Heir(database), Lines(), Calls()
        pulse = Pulse(2.0)
        self.succession = Succession(
            self.heir,
            pulse,
            Claims(self.heir, pulse, first=True),
            Revival(database, Vault(None)),
            cast("Cloud", self.cloud),
            cast("Writer", None),
            Replicas(),
        )
        self.succession.board = cast("Board", self.calls)

    async def look(self) -> None:
        await self.succession.look(*await self.heir.survey())

    async def give(self) -> None:
        assert await self.owner.hand_over(self.lease)

    async def end(self) -> None:
        await self.owner.end([self.lease], 2)

    @property
    def line(self) -> Line:
        (line,) = self.cloud.opened
        return line


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """The heir listens already, and waits to be given the call."""
    owner, _ = await joined(database, "owner"), await joined(database, "heir")
    lease = await claimed(owner, "rtc_1", 1)
    assert lease is not None
    await owner.beat(1, State.LEAVING)
    world = World(database, owner, lease)
    await world.look()
    await world.heir.is_ready.wait()
    yield world
    await world.succession.close()
    for _, heard in world.calls.taken:
        if heard is not None:
            await heard.close()


@pytest.mark.parametrize("question", ["expected", "given"])
async def test_a_call_that_is_given_between_two_questions_is_had_with_what_was_heard(
    world: World, question: str
) -> None:
    """Asked the other way round, it was neither given yet nor expected any more: the heir stopped
    to listen, and what was said until it listened again was lost."""
    world.heir.after[question] = world.give
    for _ in range(2):
        await world.look()
    ((lease, heard),) = world.calls.taken
    assert (lease.call_id, lease.fence) == ("rtc_1", 2)
    assert heard is not None
    assert (await heard.taken(None))[1] == [FRAME]
    assert not world.line.closed.is_set()
    assert not world.succession.busy


@pytest.mark.parametrize("question", ["expected", "given"])
async def test_a_call_that_ends_between_two_questions_is_listened_to_no_longer(
    world: World, question: str
) -> None:
    world.heir.after[question] = world.end
    for _ in range(2):
        await world.look()
    await world.line.closed.wait()
    assert world.calls.taken == []
    assert not world.succession.busy


async def test_an_heir_waits_until_it_is_given_the_call(world: World) -> None:
    await world.look()
    assert world.calls.taken == []
    assert world.succession.busy
    assert await world.owner.awaited() == {"rtc_1"}


async def test_a_call_that_is_gone_before_the_heir_listens_stays_with_its_owner(
    database: Database, world: World
) -> None:
    world.cloud.gone = True
    lease = await claimed(world.owner, "rtc_2", 2)
    assert lease is not None
    await world.owner.beat(2, State.LEAVING)
    world.heir.is_ready.clear()
    await world.look()
    await world.heir.is_ready.wait()
    assert await world.owner.holds(lease)
    assert await world.owner.awaited() == {"rtc_1"}
