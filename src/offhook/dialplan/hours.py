"""Opening hours as people write them: `mon-fri 08:00-18:00`, in the zone of the place."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FORM = "days and times such as mon-fri 08:00-18:00, sat 09:00-13:00, or daily 22:00-06:00"

_DAY = "|".join(DAYS)
_ENTRY = re.compile(
    rf"(?P<first>{_DAY}|daily)(?:-(?P<last>{_DAY}))?\s+"
    r"(?P<opens>\d\d:\d\d)\s*-\s*(?P<closes>\d\d:\d\d)"
)


class Span(NamedTuple):
    """From when to when, in minutes of the day on which it begins; past 1440 is the next day."""

    opens: int
    closes: int


class Hours(Struct, frozen=True):
    """When somebody is there. `week` is by weekday, Monday first; on `closed` days nobody is."""

    zone: str
    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[dt.date] = frozenset()

    def is_open(self, at: dt.datetime) -> bool:
        """Whether it is open at an aware moment. The minute of closing is closed.

        A span that runs past midnight belongs to the day on which it began.
        """
        local = at.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        yesterday = local.date() - dt.timedelta(1)
        return self._covers(local.date(), minute) or self._covers(yesterday, minute + 1440)

    def _covers(self, day: dt.date, minute: int) -> bool:
        if day in self.closed:
            return False
        return any(s.opens <= minute < s.closes for s in self.week[day.weekday()])


def parse_hours(zone: str, entries: Iterable[str], closed: Iterable[dt.date] = ()) -> Hours:
    """Read opening hours. Raises `ValueError` with the entry that is wrong, and why."""
    week: list[list[Span]] = [[] for _ in DAYS]
    for entry in entries:
        days, span = _entry(entry)
        for day in days:
            week[day].append(span)
    return Hours(zone, tuple(tuple(sorted(spans)) for spans in week), frozenset(closed))


def _entry(entry: str) -> tuple[list[int], Span]:
    found = _ENTRY.fullmatch(entry.strip().lower())
    if found is None:
        raise ValueError(f"{entry!r} is no opening hours; write {FORM}")
    opens, closes = (_minutes(found[part], entry) for part in ("opens", "closes"))
    if opens == 1440 or opens == closes:
        raise ValueError(f"{entry!r} has no length")
    span = Span(opens, closes if closes > opens else closes + 1440)
    return _days(found["first"], found["last"], entry), span


def _days(first: str, last: str | None, entry: str) -> list[int]:
    if first == "daily":
        if last is not None:
            raise ValueError(f"{entry!r}: daily stands alone")
        return list(range(7))
    start = DAYS.index(first)
    length = (DAYS.index(last or first) - start) % 7 + 1
    return [(start + n) % 7 for n in range(length)]


def _minutes(clock: str, entry: str) -> int:
    hour, minute = map(int, clock.split(":"))
    if minute > 59 or hour * 60 + minute > 1440:
        raise ValueError(f"{entry!r}: there is no {clock}")
    return hour * 60 + minute
