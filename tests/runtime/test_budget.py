"""The daily budget: what counts, when it warns, when it refuses, and when it forgets."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from offhook.core.end import End, EndReason, Fault
from offhook.runtime.budget import Budget, Kind, day_of
from support.serving import logging_to

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0


class Clock:
    """The time of day, moved by hand."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def budget(usd: float = 10.0, *, zone: str = "UTC", clock: Clock | None = None) -> Budget:
    return Budget(usd, Kind.MONEY, zone, clock=clock or Clock())


def told(purse: Budget, amount: float) -> None:
    """The records tell so much of today."""
    purse.recorded(amount, purse.turn_page()[0])


def test_new_calls_come_in_until_all_of_it_is_spent() -> None:
    purse = budget()
    purse.spend(9.99, 1.0)
    assert purse.over() is None
    purse.spend(0.02, 1.0)
    assert purse.over() == "$10.01 of $10.00 spent today"


def test_minutes_are_told_as_minutes_and_a_line_as_a_line() -> None:
    talk = Budget(30.0, Kind.MINUTES, "UTC", line="shop", clock=Clock())
    talk.spend(30.4, 60.0)
    assert talk.over() == "30 of 30 minutes used today on the line"


def test_a_refusal_is_a_matter_of_configuration() -> None:
    assert End(EndReason.OVER_BUDGET).fault is Fault.CONFIGURATION


def test_what_other_replicas_and_earlier_lives_spent_counts() -> None:
    purse = budget()
    told(purse, 12.0)
    assert purse.over() is not None


def test_what_the_records_tell_already_is_not_counted_twice() -> None:
    purse = budget()
    purse.spend(4.0, 1.0)
    told(purse, 4.0)
    assert purse.used == pytest.approx(4.0)
    purse.spend(1.0, 1.0)
    told(purse, 5.5)  # half a dollar is somebody else's
    assert purse.used == pytest.approx(5.5)


def test_what_the_records_do_not_tell_yet_is_not_forgotten() -> None:
    purse = budget()
    purse.spend(6.0, 1.0)
    told(purse, 2.0)
    assert purse.used == pytest.approx(6.0)


def test_at_midnight_a_new_day_begins() -> None:
    clock = Clock()
    purse = budget(clock=clock)
    purse.spend(20.0, 1.0)
    clock.now = NOON + 12 * HOUR - 1
    assert purse.over() is not None
    clock.now += 1
    assert purse.over() is None
    assert purse.used == 0.0


def test_a_call_counts_on_the_day_on_which_it_rang() -> None:
    clock = Clock(NOON + 12 * HOUR + 60)  # a minute after midnight
    purse = budget(clock=clock)
    purse.spend(20.0, 120.0)
    assert purse.used == 0.0
    purse.spend(1.0, 30.0)
    assert purse.used == 1.0


def test_records_of_a_day_that_ended_while_they_were_read_are_not_counted() -> None:
    clock = Clock()
    purse = budget(clock=clock)
    began = purse.turn_page()[0]
    clock.now += 13 * HOUR
    purse.recorded(20.0, began)
    assert purse.used == 0.0


def test_the_day_is_that_of_the_time_zone() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert budget(zone="Europe/Berlin").turn_page() == (midnight, midnight + 24 * HOUR)


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
        assert (line["spent"], line["budget"], line["kind"]) == (8.01, 10.0, "money")
        clock.now += 24 * HOUR
        purse.spend(9.0, 1.0)
        assert len(log.of("most of the daily budget is spent")) == 2


def test_each_new_sum_is_told() -> None:
    sums: list[tuple[float, float]] = []
    purse = Budget(
        10.0, Kind.MONEY, "UTC", told=lambda used, most: sums.append((used, most)), clock=Clock()
    )
    purse.spend(2.5, 1.0)
    assert sums == [(0.0, 10.0), (2.5, 10.0)]
