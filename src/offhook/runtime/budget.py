"""How much calls may cost in a day. At 80 % it warns, at 100 % it lets no new call in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from offhook.config import Settings
from offhook.core.end import EndReason, Refused
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.runtime.admission import Ring
from offhook.store.database import Database
from offhook.store.prices import dollars
from offhook.store.spending import spent

WARN = 0.8  # of the budget
LOOK_S = 5.0  # between two looks into the records
FIRST_LOOK_S = 2.0  # how long the start waits for the first one
LIGHT = 50  # looking takes at most one part in this many of the time

Recorded = Callable[[int, int], Awaitable[float]]


class Budget:
    """What was spent today, by all replicas, as far as prices are known.

    The records tell, looked at every few seconds; `spend` adds what this process has used since.
    Costs only grow, so whatever the records do not show yet is never forgotten, and nothing is
    counted twice: the larger of the two sums holds. A call counts on the day on which it rang.
    """

    def __init__(
        self,
        usd: float,
        code: int,
        zone: str,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.usd = usd
        self.spent = 0.0
        self._code = code
        self._zone: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)
        self._metrics = metrics
        self._clock = clock
        self._log = get_logger("server")
        self._day = (0.0, 0.0)
        self._warned = False
        self._turn_page()
        self._told()

    def check(self, ring: Ring) -> Refused | None:
        """A rule of admission: nobody comes in any more once the budget is spent."""
        self._turn_page()
        if self.spent < self.usd:
            return None
        why = f"{dollars(self.spent)} of {dollars(self.usd)} spent today"
        return Refused(self._code, EndReason.OVER_BUDGET, why)

    def spend(self, usd: float, ago: float) -> None:
        """Something was used in a call of this process that rang `ago` seconds ago."""
        self._turn_page()
        if self._clock() - ago >= self._day[0]:
            self.spent += usd
            self._told()

    async def look(self, recorded: Recorded) -> None:
        """See in the records what has been spent since midnight."""
        begin, end = self._turn_page()
        try:
            told = await recorded(round(begin * 1000), round(end * 1000))
        except (SQLAlchemyError, OSError) as error:  # what is known holds until it is back
            self._log.debug("spending unknown", detail=type(error).__name__)
            return
        if self._turn_page()[0] == begin:
            self.spent = max(self.spent, told)
            self._told()

    async def follow(self, recorded: Recorded) -> None:
        """Look for ever. A database that is away is told in the log by those who write to it."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.look(recorded)
            await asyncio.sleep(max(LOOK_S, (loop.time() - began) * LIGHT))

    def _turn_page(self) -> tuple[float, float]:
        """Begin, in Unix seconds, of this day and of the next; at midnight all is forgotten."""
        now = self._clock()
        if not self._day[0] <= now < self._day[1]:
            self._day = day_of(now, self._zone)
            self.spent, self._warned = 0.0, False
        return self._day

    def _told(self) -> None:
        self._metrics.spent_today(self.spent, self.usd)
        if self._warned or self.spent < WARN * self.usd:
            return
        self._warned = True
        self._log.warning(
            "most of the daily budget is spent",
            spent_usd=round(self.spent, 2),
            budget_usd=self.usd,
            hint="new calls are refused once all of it is; OFFHOOK_DAILY_BUDGET sets it",
        )


def make_budget(settings: Settings, metrics: Metrics) -> Budget | None:
    """The budget that the settings give, if they give one."""
    costs = settings.costs
    if costs.daily_budget is None:
        return None
    return Budget(costs.daily_budget, costs.budget_code, costs.timezone, metrics)


@asynccontextmanager
async def following(budget: Budget | None, database: Database | None) -> AsyncIterator[None]:
    """Have the budget look into the records as long as the block lasts."""
    if budget is None or database is None:
        yield
        return
    recorded = partial(spent, database)
    with suppress(TimeoutError):  # before the first call, if the database is quick to tell
        async with asyncio.timeout(FIRST_LOOK_S):
            await budget.look(recorded)
    task = asyncio.get_running_loop().create_task(budget.follow(recorded))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def day_of(now: float, zone: tzinfo) -> tuple[float, float]:
    """Begin and end, in Unix seconds, of the day around `now`. It may have 23 or 25 hours."""
    here = datetime.fromtimestamp(now, zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = midnight + timedelta(days=1)  # by the calendar, not by the clock
    return midnight.timestamp(), following.timestamp()
