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
    assert await spent(database, 100, 200) == pytest.approx(1.75)


async def test_a_day_without_calls_costs_nothing(database: Database) -> None:
    assert await spent(database, 0, 10**12) == 0.0


async def test_a_call_that_goes_on_counts_with_what_it_costs_by_now(database: Database) -> None:
    upserts = Upserts(database)
    await upserts.write([call_fact(rev=1, rang_at=100, known_usd=0.1)])
    await upserts.write([call_fact(rev=2, rang_at=100, known_usd=0.3)])
    assert await spent(database, 0, 1000) == pytest.approx(0.3)
