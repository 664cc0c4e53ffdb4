"""What was spent, as the records of calls tell."""

from __future__ import annotations

from sqlalchemy import func, select

from offhook.store.database import Database
from offhook.store.schema import calls


async def spent(database: Database, since: int, until: int) -> float:
    """US dollars, as far as known, of the calls that rang from `since` to before `until`.

    Both are Unix milliseconds. Raises what the database raises.
    """
    total = select(func.coalesce(func.sum(calls.c.known_usd), 0.0)).where(
        calls.c.rang_at >= since, calls.c.rang_at < until
    )
    async with database.read() as connection:
        return float((await connection.execute(total)).scalar_one())
