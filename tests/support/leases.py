"""Replicas and claims of single calls, for tests that need one."""

from __future__ import annotations

from offhook.store.database import Database
from offhook.store.ownership import Lease, Ownership


async def joined(
    database: Database, name: str, *, capacity: int = 10, now_ms: int = 1
) -> Ownership:
    """A replica that the others know of."""
    own = Ownership(database, name)
    await own.announce(capacity=capacity, version="1", host="h", now_ms=now_ms)
    return own


async def claimed(own: Ownership, call_id: str, rang_at: int) -> Lease | None:
    """The lease of this call, if nobody had it."""
    return next(iter(await own.claim({call_id: rang_at})), None)
