"""A call is claimed once; what the database does not know yet it is told later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from offhook.runtime.claims import Claims
from offhook.runtime.pulse import Pulse
from offhook.store.database import Database
from offhook.store.ownership import Lease, Ownership
from support.leases import claimed, joined


def claims_of(own: Ownership, pulse: Pulse | None = None) -> Claims:
    claims = Claims(own, pulse or Pulse(2.0), first=True)
    claims.open = True
    return claims


@pytest.fixture
async def a(database: Database) -> Claims:
    return claims_of(await joined(database, "a"))


@pytest.fixture
async def b(database: Database) -> Claims:
    return claims_of(await joined(database, "b"))


async def test_the_first_to_claim_has_the_call(a: Claims, b: Claims) -> None:
    hold = await a.claim("rtc_1")
    assert hold is not None
    assert hold.lease == Lease("rtc_1", 1)
    assert await b.claim("rtc_1") is None
    assert await hold.holds()


async def test_before_others_know_of_us_a_call_is_ours_without_the_database(
    a: Claims, b: Claims
) -> None:
    a.open = False
    hold = await a.claim("rtc_1")
    assert hold is not None
    assert not hold.claimed
    assert await hold.holds()
    await a.settle()
    assert hold.claimed
    assert await b.claim("rtc_1") is None


async def test_a_call_that_was_over_before_the_database_knew_of_it_is_nobodys(
    a: Claims, database: Database
) -> None:
    hold = a.claim_behind("rtc_1")
    a.release(hold, over=True)
    await a.settle()
    watcher = Ownership(database, "c")
    assert await watcher.orphans() == 0
    assert (await a.compare()).strays == ()


async def test_a_claim_whose_answer_was_lost_is_found_to_be_ours(
    a: Claims, database: Database
) -> None:
    await claimed(Ownership(database, "a"), "rtc_1", 1)
    hold = a.claim_behind("rtc_1")
    await a.settle()
    assert hold.claimed


async def test_what_others_have_taken_and_what_nobody_serves_is_found(
    a: Claims, database: Database
) -> None:
    taken = await a.claim("rtc_1")
    kept = await a.claim("rtc_2")
    assert taken is not None
    assert kept is not None
    other = claims_of(await joined(database, "b"))
    own, others = Ownership(database, "a"), Ownership(database, "b")
    me = next(r for r in await others.peers() if r.id == "a")
    await others.declare_gone([me])
    (first,) = await others.take_orphans(1)
    await own.announce(capacity=10, version="1", host="h", now_ms=1)
    await claimed(own, "rtc_3", 2)
    found = await a.compare()
    assert found.lost == (first.call_id,)
    assert [lease.call_id for lease in found.strays] == ["rtc_3"]
    lost = taken if first.call_id == "rtc_1" else kept
    assert not await lost.holds()
    assert await other.take(first).holds()


class Counting(Ownership):
    """Counts the questions, and keeps them waiting until it may answer."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "a")
        self.asked: list[list[str]] = []
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()

    async def claim(self, rang: Mapping[str, int]) -> list[Lease]:
        self.asked.append(list(rang))
        self.reached.set()
        await self.answers.wait()
        return await super().claim(rang)


async def test_what_rings_while_a_question_is_under_way_is_asked_in_the_next_one(
    database: Database, b: Claims
) -> None:
    own = Counting(database)
    claims = claims_of(own)
    assert await b.claim("rtc_5") is not None
    tasks = [asyncio.create_task(claims.claim("rtc_0"))]
    await own.reached.wait()
    tasks += [asyncio.create_task(claims.claim(f"rtc_{n}")) for n in range(1, 10)]
    await asyncio.sleep(0)
    own.answers.set()
    holds = await asyncio.gather(*tasks)
    assert own.asked == [["rtc_0"], [f"rtc_{n}" for n in range(1, 10)]]
    assert [hold.lease.call_id for hold in holds if hold] == [
        f"rtc_{n}" for n in range(10) if n != 5
    ]
    assert all(hold.claimed for hold in holds if hold)


async def test_where_the_database_breaks_all_that_wait_are_ours_until_the_cloud_decides(
    database: Database,
) -> None:
    class Broken(Counting):
        async def claim(self, rang: Mapping[str, int]) -> list[Lease]:
            await super().claim({})
            raise OSError

    own = Broken(database)
    claims = claims_of(own)
    tasks = [asyncio.create_task(claims.claim(f"rtc_{n}")) for n in range(3)]
    await own.reached.wait()
    tasks.append(asyncio.create_task(claims.claim("rtc_3")))
    await asyncio.sleep(0)
    own.answers.set()
    holds = await asyncio.gather(*tasks)
    assert [hold is not None and hold.claimed for hold in holds] == [False] * 4
    assert len(own.asked) == 1  # who has waited for the first need not wait for another


async def test_all_that_the_database_does_not_know_is_told_at_once(
    a: Claims, b: Claims, database: Database
) -> None:
    assert await b.claim("rtc_7") is not None
    assert await claimed(Ownership(database, "a"), "rtc_8", 1) is not None
    holds = [a.claim_behind(f"rtc_{n}") for n in range(700)]
    await a.settle()
    assert [hold.lease.call_id for hold in holds if not hold.claimed] == ["rtc_7"]
