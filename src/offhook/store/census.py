"""What the records tell a replica about the others: their live calls, their room, who calls often.

Looked at once in a while, never while a call waits.
"""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import and_, func, select

from offhook.store.database import Database
from offhook.store.schema import calls, leases, replicas

SERVING = "serving"


class Census(Struct, frozen=True):
    """The live calls of other replicas by line, and how many they take in all."""

    live: dict[str, int] = {}
    room: int = 0


async def take_census(database: Database, me: str) -> Census:
    """Count without `me`, whose calls are known better here. Raises what the database raises."""
    live = and_(leases.c.ended_at.is_(None), leases.c.owner != me)
    line = func.coalesce(calls.c.line, "default")
    by_line = (
        select(line, func.count())
        .select_from(leases.join(calls, calls.c.call_id == leases.c.call_id))
        .where(live)
        .group_by(line)
    )
    room = select(func.coalesce(func.sum(replicas.c.capacity), 0)).where(
        replicas.c.state == SERVING, replicas.c.id != me
    )
    async with database.read() as connection:
        counted = {row[0]: int(row[1]) for row in await connection.execute(by_line)}
        return Census(counted, int((await connection.execute(room)).scalar_one()))


async def frequent_callers(
    database: Database, since: int, least: int, who: str | None = None
) -> dict[tuple[str, str], int]:
    """How often those who were let in `least` times or more were let in since, by line and hash.

    `who` is the hash of the only caller of interest.
    """
    line = func.coalesce(calls.c.line, "default")
    wanted = (
        select(line, calls.c.caller_hash, func.count())
        .where(
            calls.c.rang_at >= since,
            calls.c.accepted_at.is_not(None),
            calls.c.caller_hash.is_not(None),
        )
        .group_by(line, calls.c.caller_hash)
        .having(func.count() >= least)
    )
    if who is not None:
        wanted = wanted.where(calls.c.caller_hash == who)
    async with database.read() as connection:
        return {(name, whose): count for name, whose, count in await connection.execute(wanted)}
