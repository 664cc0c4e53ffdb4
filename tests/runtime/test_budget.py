"""The daily budget: what counts, when it warns, when it refuses, and when it forgets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError

from offhook.core.end import End, EndReason, Fault
from offhook.core.party import UNKNOWN
from offhook.observe.metrics import Metrics
from offhook.runtime.admission import Ring
from offhook.runtime.budget import Budget, day_of, following
from offhook.store.database import Database
from offhook.store.upserts import Upserts
from support.records import call_fact
from support.serving import logging_to

RING = Ring("rtc_1", UNKNOWN)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Clock:
    """The time of day, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def budget(usd: float = 10.0, *, zone: str = "UTC", clock: Clock | None = None) -> Budget:
    return Budget(usd, 503, zone, Metrics(), clock=clock or Clock())


def records(usd: float) -> Callable[[int, int], Awaitable[float]]:
    async def spent(since: int, until: int) -> float:
        return usd

    return spent


def test_new_calls_come_in_until_all_of_it_is_spent() -> None:
    purse = budget()
    purse.spend(9.99, 1.0)
    assert purse.check(RING) is None
    purse.spend(0.02, 1.0)
    refused = purse.check(RING)
    assert refused is not None
    assert (refused.code, refused.reason) == (503, EndReason.OVER_BUDGET)
    assert refused.why == "$10.01 of $10.00 spent today"


def test_a_refusal_is_a_matter_of_configuration() -> None:
    assert End(EndReason.OVER_BUDGET).fault is Fault.CONFIGURATION


async def test_what_other_replicas_and_earlier_lives_spent_counts() -> None:
    purse = budget()
    await purse.look(records(12.0))
    assert purse.check(RING) is not None


async def test_what_the_records_tell_already_is_not_counted_twice() -> None:
    purse = budget()
    purse.spend(4.0, 1.0)
    await purse.look(records(4.0))
    assert purse.spent == pytest.approx(4.0)
    purse.spend(1.0, 1.0)
    await purse.look(records(5.5))  # half a dollar is somebody else's
    assert purse.spent == pytest.approx(5.5)


async def test_what_the_records_do_not_tell_yet_is_not_forgotten() -> None:
    purse = budget()
    purse.spend(6.0, 1.0)
    await purse.look(records(2.0))
    assert purse.spent == pytest.approx(6.0)


async def test_while_the_database_is_away_what_is_known_holds_and_grows() -> None:
    purse = budget()
    await purse.look(records(7.0))

    async def away(since: int, until: int) -> float:
        raise OperationalError("SELECT", {}, OSError("away"))

    await purse.look(away)
    purse.spend(4.0, 1.0)
    assert purse.spent == pytest.approx(11.0)
    assert purse.check(RING) is not None


def test_at_midnight_a_new_day_begins() -> None:
    clock = Clock()
    purse = budget(clock=clock)
    purse.spend(20.0, 1.0)
    clock.now = NOON + 12 * HOUR - 1
    assert purse.check(RING) is not None
    clock.now += 1
    assert purse.check(RING) is None
    assert purse.spent == 0.0


def test_a_call_counts_on_the_day_on_which_it_rang() -> None:
    clock = Clock(NOON + 12 * HOUR + 60)  # a minute after midnight
    purse = budget(clock=clock)
    purse.spend(20.0, 120.0)
    assert purse.spent == 0.0
    purse.spend(1.0, 30.0)
    assert purse.spent == 1.0


async def test_records_of_a_day_that_ended_while_they_were_read_are_not_counted() -> None:
    clock = Clock()
    purse = budget(clock=clock)

    async def slow(since: int, until: int) -> float:
        clock.now += 13 * HOUR
        return 20.0

    await purse.look(slow)
    assert purse.spent == 0.0


async def test_the_records_are_asked_for_the_day_of_the_time_zone() -> None:
    asked: list[tuple[int, int]] = []

    async def spent(since: int, until: int) -> float:
        asked.append((since, until))
        return 0.0

    await budget(zone="Europe/Berlin").look(spent)
    midnight = datetime(2026, 11, 22, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000
    assert asked == [(midnight, midnight + 24 * HOUR * 1000)]


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)]
)
def test_a_day_is_as_long_as_its_calendar_says(day: tuple[int, int, int], hours: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin, end = day_of(datetime(*day, 12, tzinfo=zone).timestamp(), zone)
    assert datetime.fromtimestamp(begin, zone) == datetime(*day, tzinfo=zone)
    assert end - begin == hours * HOUR


def test_at_80_percent_it_warns_once_a_day() -> None:
    clock = Clock()
    with logging_to() as log:
        purse = budget(clock=clock)
        purse.spend(7.99, 1.0)
        assert not log.of("most of the daily budget is spent")
        purse.spend(0.02, 1.0)
        purse.spend(1.0, 1.0)
        (line,) = log.of("most of the daily budget is spent", level="warning")
        assert (line["spent_usd"], line["budget_usd"]) == (8.01, 10.0)
        clock.now += 24 * HOUR
        purse.spend(9.0, 1.0)
        assert len(log.of("most of the daily budget is spent")) == 2


def test_the_metrics_tell_what_was_spent_and_what_may_be() -> None:
    metrics = Metrics()
    purse = Budget(10.0, 503, "UTC", metrics, clock=Clock())
    purse.spend(2.5, 1.0)
    values = metrics.registry.get_sample_value
    assert values("offhook_spent_today_usd") == 2.5
    assert values("offhook_daily_budget_usd") == 10.0


async def test_it_follows_the_records_from_before_the_first_call(database: Database) -> None:
    await Upserts(database).write([call_fact(rang_at=round(NOON * 1000), known_usd=11.0)])
    purse = budget()
    async with following(purse, database):
        assert purse.check(RING) is not None
        assert len(asyncio.all_tasks()) == 2
    assert len(asyncio.all_tasks()) == 1


async def test_without_records_only_this_process_counts() -> None:
    purse = budget()
    async with following(purse, None), following(None, None):
        purse.spend(1.0, 1.0)
        assert purse.spent == 1.0
