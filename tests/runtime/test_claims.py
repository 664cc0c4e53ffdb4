"""A call is claimed once; what the database does not know yet it is told later."""

from __future__ import annotations

import pytest

from offhook.runtime.claims import Claims
from offhook.runtime.pulse import Pulse
from offhook.store.database import Database
from offhook.store.ownership import Lease, Ownership


async def joined(database: Database, name: str) -> Claims:
    own = Ownership(database, name)
    await own.announce(capacity=10, version="1", host="h", now_ms=1)
    claims = Claims(own, Pulse(2.0), first=True)
    claims.open = True
    return claims


@pytest.fixture
async def a(database: Database) -> Claims:
    return await joined(database, "a")


@pytest.fixture
async def b(database: Database) -> Claims:
    return await joined(database, "b")


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
    await Ownership(database, "a").claim("rtc_1", 1)
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
    other = await joined(database, "b")
    own, others = Ownership(database, "a"), Ownership(database, "b")
    me = next(r for r in await others.peers() if r.id == "a")
    await others.declare_gone([me])
    (first,) = await others.take_orphans(1)
    await own.announce(capacity=10, version="1", host="h", now_ms=1)
    await own.claim("rtc_3", 2)
    found = await a.compare()
    assert found.lost == (first.call_id,)
    assert [lease.call_id for lease in found.strays] == ["rtc_3"]
    lost = taken if first.call_id == "rtc_1" else kept
    assert not await lost.holds()
    assert await other.take(first).holds()
