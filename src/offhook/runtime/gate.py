"""Puts admission together: the lines, the rules, and what is looked up for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from offhook.bot import Bot
from offhook.config import Settings
from offhook.observe.metrics import Metrics
from offhook.runtime.admission import Admission
from offhook.runtime.desk import Desk
from offhook.runtime.directory import Directory
from offhook.runtime.lookout import Lookout, looking_out
from offhook.runtime.outage import make_outage
from offhook.runtime.planning import Planner
from offhook.runtime.quotas import Quotas
from offhook.runtime.reload import Reload, following
from offhook.runtime.watch import Watch
from offhook.store.database import Database


class Gate(Struct, frozen=True):
    """What stands between a webhook and a call."""

    directory: Directory
    admission: Admission
    watch: Watch
    reload: Reload | None = None

    @asynccontextmanager
    async def attended(self, database: Database | None, desk: Desk | None) -> AsyncIterator[None]:
        """Look into the records and at the file of lines as long as the block lasts."""
        lookout = None
        if database is not None and desk is not None:
            lookout = Lookout(database, self.admission, desk.replica)
        async with looking_out(lookout), following(self.reload):
            yield


def make_gate(bot: Bot, settings: Settings, metrics: Metrics, desk: Desk | None) -> Gate:
    """The gate that settings and lines make. Raises `PlanError` if the file of lines is wrong."""
    planner = Planner(bot, settings)
    planned = planner.read()
    directory = Directory(planned.plan, planned.lines)
    quotas = Quotas(settings, metrics)
    quotas.of_lines(planned.plan)
    outage = make_outage(settings, metrics)
    hashed = desk.vault.hash if desk is not None else None
    admission = Admission(settings, directory, outage, quotas, hashed=hashed)
    reload = Reload(planner, planner.path, directory, quotas, metrics) if planner.path else None
    return Gate(directory, admission, Watch(metrics, outage), reload)
