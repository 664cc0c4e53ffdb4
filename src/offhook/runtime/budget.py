"""How much may be used in a day. At 80 % it warns; at 100 % it lets no new call in."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from offhook.observe.logs import get_logger
from offhook.store.prices import dollars

WARN = 0.8  # of the budget


class Kind(StrEnum):
    """What is counted."""

    MONEY = "money"  # US dollars, as far as prices are known
    MINUTES = "minutes"  # from the accept to the end


class Budget:
    """What was used today, by all replicas, against what may be: of one line, or of all.

    The records tell, looked at every few seconds; `spend` adds what this process has used since.
    What was used only grows, so whatever the records do not show yet is never forgotten, and
    nothing is counted twice: the larger of the two sums holds. A call counts on the day on which
    it rang. `told` is called with each new sum.
    """

    def __init__(
        self,
        most: float,
        kind: Kind,
        zone: str,
        *,
        line: str | None = None,
        told: Callable[[float, float], None] = lambda used, most: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.most = most
        self.kind = kind
        self.line = line
        self.used = 0.0
        self._zone: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
        self._tell = told
        self._clock = clock
        self._log = get_logger("server")
        self._day = (0.0, 0.0)
        self._warned = False
        self.turn_page()
        self._told()

    def over(self) -> str | None:
        """Why nobody comes in any more today, `None` while there is something left."""
        self.turn_page()
        if self.used < self.most:
            return None
        if self.kind is Kind.MONEY:
            why = f"{dollars(self.used)} of {dollars(self.most)} spent today"
        else:
            why = f"{self.used:.0f} of {self.most:g} minutes used today"
        return why if self.line is None else f"{why} on the line"

    def spend(self, amount: float, ago: float) -> None:
        """Something was used in a call of this process that rang `ago` seconds ago."""
        self.turn_page()
        if self._clock() - ago >= self._day[0]:
            self.used += amount
            self._told()

    def recorded(self, amount: float, begin: float) -> None:
        """The records tell what was used on the day that began at `begin`, in Unix seconds."""
        if self.turn_page()[0] == begin:
            self.used = max(self.used, amount)
            self._told()

    def turn_page(self) -> tuple[float, float]:
        """Begin, in Unix seconds, of this day and of the next; at midnight all is forgotten."""
        now = self._clock()
        if not self._day[0] <= now < self._day[1]:
            self._day = day_of(now, self._zone)
            self.used, self._warned = 0.0, False
        return self._day

    def _told(self) -> None:
        self._tell(self.used, self.most)
        if self._warned or self.used < WARN * self.most:
            return
        self._warned = True
        self._log.warning(
            "most of the daily budget is spent",
            kind=self.kind,
            spent=round(self.used, 2),
            budget=self.most,
            **({} if self.line is None else {"line": self.line}),
            hint="new calls are refused once all of it is",
        )


def day_of(now: float, zone: tzinfo) -> tuple[float, float]:
    """Begin and end, in Unix seconds, of the day around `now`. It may have 23 or 25 hours."""
    here = datetime.fromtimestamp(now, zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = midnight + timedelta(days=1)  # by the calendar, not by the clock
    return midnight.timestamp(), following.timestamp()
