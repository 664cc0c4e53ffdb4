"""Legal holds: a call that nothing may be taken from, neither by age nor on request."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.schema import calls


async def hold(
    database: Database, call_id: str, *, on: bool, actor: str, reason: str | None = None
) -> bool:
    """Set or lift the hold of a call, and note it in the audit log. `False`: no such call."""
    async with database.write() as connection:
        changed = await connection.execute(
            update(calls).where(calls.c.call_id == call_id).values(keep=on)
        )
        if not changed.rowcount:
            return False
        action = "hold.set" if on else "hold.lifted"
        await Audit(database).append(connection, actor, action, subject=call_id, reason=reason)
    return True


async def held_calls(connection: AsyncConnection) -> frozenset[str]:
    """The ids of all calls under a hold."""
    found = await connection.execute(select(calls.c.call_id).where(calls.c.keep))
    return frozenset(found.scalars())
