"""Looks into the database once in a while for what admission must know, so that no call waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from offhook.admission.rates import HOUR
from offhook.observe.logs import get_logger
from offhook.runtime.admission import Admission
from offhook.store.census import frequent_callers, take_census
from offhook.store.database import Database
from offhook.store.spending import spent
from offhook.store.switches import read_switch

LOOK_S = 2.0  # between two looks
FIRST_LOOK_S = 2.0  # how long the start waits for the first one
LIGHT = 50  # looking takes at most one part in this many of the time


class Lookout:
    """What the records and the other replicas tell, brought to the admission of this process.

    `me` is the name by which this process owns calls.
    """

    def __init__(self, database: Database, admission: Admission, me: str) -> None:
        self._database = database
        self._admission = admission
        self._me = me
        self._log = get_logger("server")

    async def look(self) -> None:
        """Look once. While the database is away, what is known holds; the writer tells the log."""
        own = self._admission
        try:
            own.outage.put(await read_switch(self._database))
            own.census = await take_census(self._database, self._me)
            await self._rates()
            if own.quotas:
                begin, end = own.quotas.day()
                day = round(begin * 1000), round(end * 1000)
                used = await spent(self._database, *day, round(time.time() * 1000))
                own.quotas.recorded(used, begin)
        except (SQLAlchemyError, OSError) as error:
            self._log.debug("records not seen", detail=type(error).__name__)

    async def _rates(self) -> None:
        plan = self._admission.directory.plan
        limits = [n for line in plan.lines if (n := line.calls_per_hour) is not None]
        if limits:
            since = round((time.time() - HOUR) * 1000)
            found = await frequent_callers(self._database, since, min(limits))
            self._admission.frequent = found

    async def keep_looking(self) -> None:
        """Look for ever."""
        loop = asyncio.get_running_loop()
        took = 0.0
        while True:
            await asyncio.sleep(max(LOOK_S, took * LIGHT))
            began = loop.time()
            await self.look()
            took = loop.time() - began


@asynccontextmanager
async def looking_out(lookout: Lookout | None) -> AsyncIterator[None]:
    """Keep looking as long as the block lasts; once before, if the database is quick to tell."""
    if lookout is None:
        yield
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LOOK_S):
            await lookout.look()
    task = asyncio.get_running_loop().create_task(lookout.keep_looking())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
