"""What was spent in a day, as the records tell."""

from __future__ import annotations

import pytest

from offhook.store.database import Database
from offhook.store.spending import spent
from offhook.store.upserts import Upserts
from support.records import call_fact


async def test_the_known_costs_of_all_calls_that_rang_in_the_span_are_added(
    database: Database,
) -> None:
    before = call_fact(call_id="rtc_0", rang_at=99, known_usd=100.0)
    first = call_fact(call_id="rtc_1", rang_at=100, known_usd=1.5, cost_usd=1.5)
    partly = call_fact(call_id="rtc_2", rang_at=150, known_usd=0.25, cost_usd=None)
    after = call_fact(call_id="rtc_3", rang_at=200, known_usd=100.0)
    await Upserts(database).write([before, first, partly, after])
    assert (await spent(database, 100, 200, 300))["default"].usd == pytest.approx(1.75)


async def test_a_day_without_calls_costs_nothing(database: Database) -> None:
    assert await spent(database, 0, 10**12, 10**12) == {}


async def test_a_call_that_goes_on_counts_with_what_it_costs_by_now(database: Database) -> None:
    upserts = Upserts(database)
    await upserts.write([call_fact(rev=1, rang_at=100, known_usd=0.1)])
    await upserts.write([call_fact(rev=2, rang_at=100, known_usd=0.3)])
    assert (await spent(database, 0, 1000, 1000))["default"].usd == pytest.approx(0.3)


async def test_minutes_are_counted_by_line_from_the_accept_to_the_end_or_until_now(
    database: Database,
) -> None:
    minute = 60_000
    over = call_fact(call_id="rtc_1", rang_at=1, line="a", accepted_at=1, ended_at=2 * minute + 1)
    live = call_fact(call_id="rtc_2", rang_at=1, line="a", accepted_at=minute)
    other = call_fact(call_id="rtc_3", rang_at=1, line="b", accepted_at=1, ended_at=minute + 1)
    refused = call_fact(call_id="rtc_4", rang_at=1, line="b", ended_at=9 * minute)
    await Upserts(database).write([over, live, other, refused])
    found = await spent(database, 0, 2, 4 * minute)
    assert {name: each.minutes for name, each in found.items()} == {"a": 5.0, "b": 1.0}


async def test_a_call_that_nobody_saw_end_counts_for_an_hour_at_most(database: Database) -> None:
    await Upserts(database).write([call_fact(rang_at=1, accepted_at=1)])
    assert (await spent(database, 0, 2, 10**9))["default"].minutes == 60.0
