"""A switch that all replicas see, and what a replica sees of the others."""

from __future__ import annotations

from typing import Any

from offhook.store.census import Census, frequent_callers, take_census
from offhook.store.database import Database
from offhook.store.facts import CallFact
from offhook.store.switches import Switch, read_switch, write_switch
from offhook.store.upserts import Upserts
from support.leases import claimed, joined
from support.records import call_fact


async def test_a_switch_that_nobody_has_touched_is_off(database: Database) -> None:
    assert await read_switch(database) == Switch()


async def test_a_switch_is_as_it_was_put_last(database: Database) -> None:
    first = Switch(on=True, since=5, until=9, by="ann", reason="the cloud is down")
    await write_switch(database, first)
    assert await read_switch(database) == first
    await write_switch(database, Switch(on=False, since=7, by="bob"))
    assert await read_switch(database) == Switch(on=False, since=7, by="bob")


def test_a_switch_goes_off_when_its_time_is_over() -> None:
    assert Switch(on=True).holds(10**13)
    assert Switch(on=True, until=10).holds(9)
    assert not Switch(on=True, until=10).holds(10)
    assert not Switch(until=10).holds(1)


async def test_the_census_counts_the_live_calls_of_others_by_line(database: Database) -> None:
    mine, other = await joined(database, "me"), await joined(database, "other", capacity=7)
    facts = [call_fact(call_id=f"rtc_{n}", line="shop" if n % 2 else None) for n in range(5)]
    await Upserts(database).write(facts)
    await claimed(mine, "rtc_0", 1)
    leases = [await claimed(other, f"rtc_{n}", 1) for n in (1, 2, 3, 4)]
    assert await take_census(database, "me") == Census({"shop": 2, "default": 2}, 7)
    await other.end([lease for lease in leases[:1] if lease], 2)
    assert (await take_census(database, "me")).live == {"shop": 1, "default": 2}
    assert (await take_census(database, "")).room == 17


async def test_frequent_callers_are_those_who_were_let_in_often_enough(
    database: Database,
) -> None:
    def rang(n: int, who: str | None, at: int = 100, **more: Any) -> CallFact:
        fields: dict[str, Any] = {
            "caller_hash": who,
            "rang_at": at,
            "accepted_at": at,
            "line": "shop",
            **more,
        }
        return call_fact(call_id=f"rtc_{n}", **fields)

    facts = [
        *(rang(n, "often") for n in range(3)),
        *(rang(n, "once") for n in range(3, 4)),
        rang(4, "often", at=99),  # too long ago
        rang(5, "often", accepted_at=None),  # was refused
        rang(6, "often", line="office"),
        rang(7, None),
    ]
    await Upserts(database).write(facts)
    assert await frequent_callers(database, 100, 2) == {("shop", "often"): 3}
    assert await frequent_callers(database, 100, 1, "once") == {("shop", "once"): 1}
