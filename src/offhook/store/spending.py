"""What was used up, as the records of calls tell."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import case, func, select

from offhook.store.database import Database
from offhook.store.schema import calls

LONGEST_MS = 3_600_000  # the clouds end a call after an hour, whether or not anybody has seen it


class Spent(Struct, frozen=True, gc=False):
    """US dollars as far as known, and minutes from the accept to the end."""

    usd: float = 0.0
    minutes: float = 0.0


async def spent(database: Database, since: int, until: int, now: int) -> dict[str, Spent]:
    """By line, of the calls that rang from `since` to before `until`; live ones count until `now`.

    All are Unix milliseconds. Raises what the database raises.
    """
    lasted = func.coalesce(calls.c.ended_at, now) - calls.c.accepted_at
    lasted = case((lasted > LONGEST_MS, LONGEST_MS), (lasted < 0, 0), else_=lasted)
    line = func.coalesce(calls.c.line, "default")
    total = (
        select(
            line,
            func.coalesce(func.sum(calls.c.known_usd), 0.0),
            func.coalesce(func.sum(lasted), 0),
        )
        .where(calls.c.rang_at >= since, calls.c.rang_at < until)
        .group_by(line)
    )
    async with database.read() as connection:
        rows = await connection.execute(total)
        return {name: Spent(float(usd), float(ms) / 60_000) for name, usd, ms in rows}
