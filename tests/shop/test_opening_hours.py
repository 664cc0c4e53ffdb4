"""When a place is open, on its own clock."""

from __future__ import annotations

import datetime as dt

import pytest

from offhook.shop.hours import Hours, Span, said

NINE_TO_FIVE = Span(dt.time(9), dt.time(17))


def hours(zone: str = "Europe/Berlin", **week: Span) -> Hours:
    return Hours(zone, {int(day[1:]): span for day, span in week.items()}, {(12, 25): "Christmas"})


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-27 08:00", True),  # 9:00, Friday
        ("2026-03-27 07:59", False),
        ("2026-03-27 15:59", True),
        ("2026-03-27 16:00", False),  # closing time
        ("2026-03-29 06:59", False),  # Sunday, the clocks have changed
        ("2026-03-29 07:00", True),
        ("2026-03-28 10:00", False),  # Saturday
        ("2026-12-25 10:00", False),  # a Friday, but Christmas
    ],
)
def test_open_is_judged_on_the_places_own_clock(at: str, is_open: bool) -> None:
    assert hours(d4=NINE_TO_FIVE, d6=NINE_TO_FIVE).is_open(utc(at)) is is_open


def test_the_same_moment_is_another_hour_elsewhere() -> None:
    at = utc("2026-03-27 08:30")
    assert hours("Europe/Berlin", d4=NINE_TO_FIVE).is_open(at)
    assert not hours("Europe/London", d4=NINE_TO_FIVE).is_open(at)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-27 03:00", "2026-03-27 08:00"),  # later today
        ("2026-03-27 08:00", "2026-03-30 07:00"),  # it opens just now: the next is Monday
        ("2026-03-28 12:00", "2026-03-30 07:00"),  # over the weekend and the change of clocks
        ("2026-12-24 22:00", "2026-12-28 08:00"),  # over Christmas
    ],
)
def test_the_next_opening_skips_closed_days(at: str, opens: str) -> None:
    weekdays = hours(d0=NINE_TO_FIVE, d4=NINE_TO_FIVE)
    assert weekdays.next_opening(utc(at)) == utc(opens)


def test_a_place_that_never_opens_has_no_next_opening() -> None:
    assert hours().next_opening(utc("2026-03-27 10:00")) is None


def test_a_moment_is_told_with_its_weekday() -> None:
    assert said(utc("2026-03-30 10:00")) == "Monday 2026-03-30 10:00"
