"""A call has one owner, whoever asks, dies, sleeps or leaves."""

from __future__ import annotations

import asyncio

import pytest

from offhook.store.database import Database
from offhook.store.ownership import Lease, Ownership, Replica, State
from support.leases import claimed, joined
from support.postgres import Cluster

NOW = 1_000_000


@pytest.fixture
async def a(database: Database) -> Ownership:
    return await joined(database, "a", now_ms=NOW)


@pytest.fixture
async def b(database: Database) -> Ownership:
    return await joined(database, "b", now_ms=NOW)


async def _seen(by: Ownership, name: str) -> Replica:
    return next(r for r in await by.peers() if r.id == name)


async def test_a_call_is_claimed_once_however_many_ask(a: Ownership, b: Ownership) -> None:
    claims = await asyncio.gather(*(claimed(o, "rtc_1", NOW) for o in (a, b) * 5))
    assert [c for c in claims if c is not None] == [Lease("rtc_1", 1)]


async def test_calls_that_ring_together_are_claimed_together(a: Ownership, b: Ownership) -> None:
    ids = [f"rtc_{n}" for n in range(200)]
    mine = dict.fromkeys(ids[:120], NOW)
    theirs = dict.fromkeys(reversed(ids[80:]), NOW)
    won = await asyncio.gather(*(o.claim(rang) for rang in (mine, theirs) * 2 for o in (a, b)))
    assert sorted(lease.call_id for leases in won for lease in leases) == sorted(ids)
    assert await a.claim({}) == []


async def test_a_replica_counts_its_beats_and_its_calls(a: Ownership) -> None:
    before = await _seen(a, "a")
    assert await a.beat(live=3)
    after = await _seen(a, "a")
    assert (after.beats, after.live, after.free) == (before.beats + 1, 3, 7)


async def test_one_that_has_beaten_meanwhile_is_not_declared_gone(
    a: Ownership, b: Ownership
) -> None:
    as_seen = await _seen(a, "b")
    await b.beat(live=0)
    assert await a.declare_gone([as_seen]) == []
    assert await b.beat(live=0)


async def test_calls_of_the_gone_are_taken_with_a_greater_fence(a: Ownership, b: Ownership) -> None:
    old = await claimed(b, "rtc_1", NOW)
    assert old is not None
    assert await a.take_orphans(10) == []
    assert await a.declare_gone([await _seen(a, "b")]) == ["b"]
    assert await a.orphans() == 1
    assert await a.take_orphans(10) == [Lease("rtc_1", 2)]
    assert await a.holds(Lease("rtc_1", 2))
    assert not await b.holds(old)


async def test_an_owner_that_was_taken_for_dead_learns_what_it_has_lost(
    a: Ownership, b: Ownership
) -> None:
    lost, kept = await claimed(b, "rtc_1", NOW), await claimed(b, "rtc_2", NOW + 1)
    assert lost is not None
    assert kept is not None
    await a.declare_gone([await _seen(a, "b")])
    await a.take_orphans(1)
    assert not await b.beat(live=2)
    await b.announce(capacity=10, version="1", host="h", now_ms=NOW)
    assert await b.mine() == [kept]
    assert await a.take_orphans(10) == []


async def test_replicas_that_take_at_once_take_different_calls(database: Database) -> None:
    dead, *living = [await joined(database, name, now_ms=NOW) for name in "dabc"]
    for n in range(30):
        await claimed(dead, f"rtc_{n}", NOW + n)
    await dead.depart()
    taken = await asyncio.gather(*(each.take_orphans(10) for each in living))
    rest = await living[0].take_orphans(30)
    calls = [lease.call_id for some in (*taken, rest) for lease in some]
    assert sorted(calls) == sorted(f"rtc_{n}" for n in range(30))


async def test_the_oldest_calls_are_taken_first(a: Ownership, b: Ownership) -> None:
    for n in (2, 0, 1):
        await claimed(b, f"rtc_{n}", NOW + n)
    await b.depart()
    assert [lease.call_id for lease in await a.take_orphans(1)] == ["rtc_0"]


async def test_nothing_is_taken_from_an_owner_of_whom_nothing_is_known(a: Ownership) -> None:
    """Its row is written before its first claim, so one without a row was deleted as gone."""
    stranger = Ownership(a._db, "stranger")
    await claimed(stranger, "rtc_1", NOW)
    assert await a.take_orphans(10) == [Lease("rtc_1", 2)]


async def test_a_call_that_is_over_is_nobodys_and_is_not_answered_again(
    a: Ownership, b: Ownership
) -> None:
    lease = await claimed(b, "rtc_1", NOW)
    assert lease is not None
    await b.end([lease], NOW + 5)
    await b.depart()
    assert await a.take_orphans(10) == []
    assert await claimed(a, "rtc_1", NOW + 6) is None


async def test_a_former_owner_cannot_end_a_call(a: Ownership, b: Ownership) -> None:
    old = await claimed(b, "rtc_1", NOW)
    assert old is not None
    await b.depart()
    (new,) = await a.take_orphans(1)
    await b.end([old], NOW + 5)
    assert await a.holds(new)
    assert await a.mine() == [new]


async def test_what_is_long_over_is_forgotten(a: Ownership, b: Ownership) -> None:
    live, over = await claimed(b, "rtc_1", NOW), await claimed(b, "rtc_2", NOW)
    assert live is not None
    assert over is not None
    await b.end([over], NOW + 1)
    await b.depart()
    assert await a.forget(before_ms=NOW + 2) == 1
    assert await a.take_orphans(10) == [Lease("rtc_1", 2)]


class TestHandOver:
    """From an owner that leaves to an heir, who listens before the owner lets go."""

    @pytest.fixture
    async def lease(self, b: Ownership) -> Lease:
        lease = await claimed(b, "rtc_1", NOW)
        assert lease is not None
        await b.beat(live=1, state=State.LEAVING)
        return lease

    async def test_the_owner_stays_the_owner_until_the_heir_is_ready(
        self, a: Ownership, b: Ownership, lease: Lease
    ) -> None:
        assert await a.inherit(10) == [lease]
        assert await b.awaited() == set()
        assert not await b.hand_over(lease)
        assert await b.holds(lease)
        await a.ready(["rtc_1"])
        assert await b.awaited() == {"rtc_1"}
        assert await a.given(["rtc_1"]) == []
        assert await b.hand_over(lease)
        assert not await b.holds(lease)
        assert await a.given(["rtc_1"]) == [Lease("rtc_1", 2)]

    async def test_a_call_has_one_heir(self, a: Ownership, b: Ownership, lease: Lease) -> None:
        c = await joined(a._db, "c", now_ms=NOW)
        first, second = await asyncio.gather(a.inherit(10), c.inherit(10))
        assert [*first, *second] == [lease]

    async def test_one_that_leaves_takes_nothing(
        self, a: Ownership, b: Ownership, lease: Lease
    ) -> None:
        assert await b.inherit(10) == []
        assert (await _seen(a, "b")).free == 0

    async def test_an_heir_that_cannot_leaves_it_to_others(
        self, a: Ownership, b: Ownership, lease: Lease
    ) -> None:
        await a.inherit(10)
        await a.decline(["rtc_1"])
        c = await joined(a._db, "c", now_ms=NOW)
        assert await c.inherit(10) == [lease]

    async def test_an_heir_that_dies_is_replaced(
        self, a: Ownership, b: Ownership, lease: Lease
    ) -> None:
        c = await joined(a._db, "c", now_ms=NOW)
        assert await c.inherit(10) == [lease]
        await c.ready(["rtc_1"])
        await c.depart()
        assert await a.inherit(10) == [lease]
        assert await b.awaited() == set()

    async def test_an_owner_that_dies_while_leaving_loses_its_calls_to_anybody(
        self, a: Ownership, b: Ownership, lease: Lease
    ) -> None:
        await a.inherit(10)
        await b.depart()
        assert await a.take_orphans(10) == [Lease("rtc_1", 2)]


async def test_within_a_transaction_of_the_owner_the_call_cannot_be_taken(
    postgres: Cluster,
) -> None:
    database = Database(postgres.create())
    await database.open()
    a, b = await joined(database, "a", now_ms=NOW), await joined(database, "b", now_ms=NOW)
    lease = await claimed(b, "rtc_1", NOW)
    assert lease is not None
    await a.declare_gone([await _seen(a, "b")])
    async with database.write() as connection:
        assert await b.holds(lease, connection)
        assert await a.take_orphans(10) == []
    assert await a.take_orphans(10) == [Lease("rtc_1", 2)]
    await database.close()
