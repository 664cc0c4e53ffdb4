"""Calls in numbers: how many, how fast, how dear."""

from __future__ import annotations

from typing import Literal

from offhook.store import reading
from offhook.store.reading import Cost, Page, Percentiles, Stats
from offhook.store.tokens import Role
from offhook.web.admin.api.narrowing import Narrowed
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, endpoint


class Grouped(Narrowed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls, and by what they are put into groups."""

    by: Literal["model", "line", "day"] | None = None


@endpoint("GET", "/api/v1/stats", Role.VIEWER, also=("/api/stats",))
async def stats(desk: Desk, ask: Ask[Narrowed, None]) -> Stats:
    """Calls counted: answered, transferred, live, by reason, by fault and by day (UTC)."""
    async with desk.database.read() as connection:
        return await reading.stats(connection, ask.query.filter)


@endpoint("GET", "/api/v1/costs", Role.VIEWER)
async def costs(desk: Desk, ask: Ask[Grouped, None]) -> Page[Cost]:
    """What calls cost in US dollars; `unpriced` ones used something with no known price."""
    async with desk.database.read() as connection:
        return Page(await reading.costs(connection, by=ask.query.by, wanted=ask.query.filter))


@endpoint("GET", "/api/v1/latency", Role.VIEWER)
async def latency(desk: Desk, ask: Ask[Grouped, None]) -> Page[Percentiles]:
    """p50, p95 and p99 in milliseconds.

    `latency` is from the end of the caller's speech to the first audio of the answer, `tool` and
    `own` are what tools and offhook had of it; `accept`, `attach` and `first_word` count from the
    ring.
    """
    async with desk.database.read() as connection:
        found = await reading.percentiles(connection, by=ask.query.by, wanted=ask.query.filter)
    return Page(found)
