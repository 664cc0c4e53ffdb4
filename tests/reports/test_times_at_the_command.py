"""Times as people type them, and how we print them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import UserError
from offhook.reports import times

NOW = datetime(2026, 11, 22, 14, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:15", datetime(2026, 11, 1, 10, 15, tzinfo=UTC)),
        ("2026-11-01T10:15:00+01:00", datetime(2026, 11, 1, 9, 15, tzinfo=UTC)),
        ("2026-11-01t10:15:00z", datetime(2026, 11, 1, 10, 15, tzinfo=UTC)),
        ("today", datetime(2026, 11, 22, tzinfo=UTC)),
        (" Today ", datetime(2026, 11, 22, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 21, tzinfo=UTC)),
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("4w", NOW - timedelta(weeks=4)),
    ],
)
def test_a_time_is_read_as_it_is_meant(typed: str, meant: datetime) -> None:
    assert times.parse(typed, "--since", NOW) == int(meant.timestamp() * 1000)


def test_today_is_that_of_utc() -> None:
    there = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=5)))
    assert times.iso(times.parse("today", "--since", there)) == "2026-11-22T00:00:00.000Z"


@pytest.mark.parametrize(
    "typed", ["", "soon", "7", "7y", "-7d", "2026-13-01", "999999w", "22.11.2026", "0001-01-01"]
)
def test_a_mistake_is_told_with_what_is_accepted(typed: str) -> None:
    with pytest.raises(UserError, match=r"^--until: .* is no time\. It takes a date such as 2026-"):
        times.parse(typed, "--until", NOW)


@given(st.text())
def test_whatever_is_typed_is_a_time_or_a_user_error(typed: str) -> None:
    try:
        assert times.parse(typed, "--since", NOW) >= 0
    except UserError as error:
        assert "--since" in str(error)  # noqa: PT017  # both ways are right


def test_times_are_printed_in_utc() -> None:
    at = times.parse("2026-11-22T14:30:05.120Z", "--since", NOW)
    assert times.minute(at) == "2026-11-22 14:30"
    assert times.iso(at) == "2026-11-22T14:30:05.120Z"


@pytest.mark.parametrize(
    ("ms", "printed"),
    [(None, "-"), (0, "0:00"), (7_400, "0:07"), (754_000, "12:34"), (3_723_000, "1:02:03")],
)
def test_a_length_is_printed_as_on_a_phone(ms: int | None, printed: str) -> None:
    assert times.length(ms) == printed
