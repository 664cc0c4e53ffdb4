"""Claims of single calls, for tests that need one."""

from __future__ import annotations

from offhook.store.ownership import Lease, Ownership


async def claimed(own: Ownership, call_id: str, rang_at: int) -> Lease | None:
    """The lease of this call, if nobody had it."""
    return next(iter(await own.claim({call_id: rang_at})), None)
