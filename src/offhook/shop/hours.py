"""Opening hours in a place's own time zone: open now, open then, and when next."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from offhook.shop.when import WEEKDAYS

_LOOK_AHEAD = 14  # days; no place is closed for longer


class Span(NamedTuple):
    """From when to when on one day, as the clock on the wall shows it."""

    opens: dt.time
    closes: dt.time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M} to {self.closes:%H:%M}"


class Hours(Struct, frozen=True):
    """The hours of one place. `week` is by weekday, Monday is 0; `holidays` by month and day."""

    zone: str
    week: dict[int, Span]
    holidays: dict[tuple[int, int], str]

    def local(self, at: dt.datetime) -> dt.datetime:
        """An aware moment as the place's own clock shows it."""
        return at.astimezone(ZoneInfo(self.zone))

    def on(self, day: dt.date) -> Span | None:
        """The hours of a day, `None` where it is closed."""
        return None if (day.month, day.day) in self.holidays else self.week.get(day.weekday())

    def holiday(self, day: dt.date) -> str | None:
        """The name of the holiday that a day is."""
        return self.holidays.get((day.month, day.day))

    def is_open(self, at: dt.datetime) -> bool:
        """Whether it is open at an aware moment. The closing minute is closed."""
        local = self.local(at)
        span = self.on(local.date())
        return span is not None and span.opens <= local.time() < span.closes

    def next_opening(self, at: dt.datetime) -> dt.datetime | None:
        """The first moment after `at`, in the place's time, when it opens."""
        local = self.local(at)
        for ahead in range(_LOOK_AHEAD + 1):
            day = local.date() + dt.timedelta(ahead)
            span = self.on(day)
            if span is None:
                continue
            opening = dt.datetime.combine(day, span.opens, ZoneInfo(self.zone))
            if opening > local:
                return opening
        return None


def said(at: dt.datetime) -> str:
    """A moment for the model to read out: `Monday 2026-03-30 10:00`, in its own zone."""
    return f"{WEEKDAYS[at.weekday()]} {at:%Y-%m-%d %H:%M}"
