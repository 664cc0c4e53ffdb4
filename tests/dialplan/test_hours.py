"""Opening hours mean what the clock on the wall shows, on every day of the year."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.dialplan import parse_hours

BERLIN = ZoneInfo("Europe/Berlin")


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T07:59", False),  # a Monday
        ("2026-11-23T08:00", True),
        ("2026-11-23T17:59", True),
        ("2026-11-23T18:00", False),
        ("2026-11-28T09:00", True),
        ("2026-11-28T13:00", False),
        ("2026-11-29T10:00", False),
        ("2026-12-25T10:00", False),
    ],
)
def test_days_times_and_closed_days(moment: str, is_open: bool) -> None:
    hours = parse_hours(
        "Europe/Berlin",
        ["mon-fri 08:00-18:00", "Sat 09:00 - 13:00"],
        closed=[dt.date(2026, 12, 25)],
    )
    assert hours.is_open(_at(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27T21:59", False),  # a Friday
        ("2026-11-27T22:00", True),
        ("2026-11-28T05:59", True),
        ("2026-11-28T06:00", False),
        ("2026-11-28T23:00", False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, is_open: bool) -> None:
    assert parse_hours("Europe/Berlin", ["fri 22:00-06:00"]).is_open(_at(moment)) is is_open


def test_a_week_may_wrap_round() -> None:
    hours = parse_hours("Europe/Berlin", ["sat-mon 10:00-11:00"])
    assert [hours.is_open(_at(f"2026-11-{day}T10:30")) for day in range(23, 30)] == [
        True, False, False, False, False, True, True,
    ]  # fmt: skip


def test_the_clock_on_the_wall_counts_when_the_clocks_change() -> None:
    hours = parse_hours("Europe/Berlin", ["daily 08:00-09:00"])
    for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"):
        assert hours.is_open(_at(f"{day}T08:30"))
        assert not hours.is_open(_at(f"{day}T07:30"))


def test_all_day_long() -> None:
    assert parse_hours("UTC", ["daily 00:00-24:00"]).is_open(_at("2026-11-23T00:30"))


@pytest.mark.parametrize(
    "entry",
    [
        *("", "mon", "mon 8-18", "mo 08:00-18:00", "mon 25:00-26:00", "mon 08:60-09:00"),
        *("daily-fri 1", "mon 08:00-08:00", "mon 24:00-08:00", "daily-mon 08:00-09:00"),
    ],
)
def test_what_cannot_be_read_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="(?s)" + (entry or "mon-fri")):
        parse_hours("UTC", [entry])


@given(
    st.integers(1_577_836_800, 2_051_222_400).map(lambda s: dt.datetime.fromtimestamp(s, dt.UTC))
)
def test_open_hours_and_their_complement_share_no_moment(moment: dt.datetime) -> None:
    day = parse_hours("America/New_York", ["daily 07:00-19:00"])
    night = parse_hours("America/New_York", ["daily 19:00-07:00"])
    assert day.is_open(moment) is not night.is_open(moment)
