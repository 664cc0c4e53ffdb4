"""Switches that all replicas obey, such as outage mode: one row each, looked at often."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import select

from offhook.store.database import Database
from offhook.store.schema import switches

OUTAGE = "outage"


class Switch(Struct, frozen=True, kw_only=True):
    """How a switch stands, since when, and who has put it so. Times are Unix milliseconds.

    On, it goes off by itself at `until`, if that is given.
    """

    on: bool = False
    since: int = 0
    until: int | None = None
    by: str = ""
    reason: str = ""

    def holds(self, now_ms: float) -> bool:
        """Whether it is on at this time."""
        return self.on and (self.until is None or now_ms < self.until)


async def read_switch(database: Database, name: str = OUTAGE) -> Switch:
    """How it stands; off if nobody has ever touched it. Raises what the database raises."""
    wanted = select(switches).where(switches.c.name == name)
    async with database.read() as connection:
        row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        return Switch()
    return Switch(
        on=row.is_on, since=row.since, until=row.until, by=row.set_by, reason=row.reason or ""
    )


async def write_switch(database: Database, switch: Switch, name: str = OUTAGE) -> None:
    """Put it so, for all replicas. Raises what the database raises."""
    row = {
        "is_on": switch.on,
        "since": switch.since,
        "until": switch.until,
        "set_by": switch.by,
        "reason": switch.reason or None,
    }
    insert = database.insert(switches).values(name=name, **row)
    async with database.write() as connection:
        await connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row))
