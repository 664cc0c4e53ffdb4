"""Take a person's data out of the records, and leave a trace that there was a call.

What stays of a call is nobody's: times, outcomes, latencies, tokens, the evidence of what was
announced. Its `rev` is set beyond any that a writer has, so that late news brings nothing back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Table, delete, exists, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.retention import PAUSE_S, remove
from offhook.store.schema import calls, moments, outbox, tool_calls, transfers, utterances
from offhook.store.scrubbing import scrub
from offhook.store.subject.find import Findings, Mention

PLANNED, DELETED = "privacy.delete", "privacy.deleted"
LAST_REV = 2**62

_BATCH = 50  # calls, or rows
_NOBODY = dict.fromkeys(("caller_hash", "caller_number", "caller_masked", "caller_name", "detail"))
_EMPTIED: dict[Table, tuple[str, ...]] = {
    tool_calls: ("arguments", "output", "error"),
    transfers: ("reason", "detail"),
    moments: ("detail",),
}
_T = TypeVar("_T")


class Erased(Struct, frozen=True):
    """What was taken away, or would be; calls that are held or live are left as they are."""

    calls: int
    mentions: int
    journals: int
    held: tuple[str, ...]
    live: tuple[str, ...]


def plan(found: Findings) -> Erased:
    """What `erase` would do with this."""
    spared = {call.call_id for call in found.calls if call.held or call.live}
    return Erased(
        calls=len(found.free),
        mentions=sum(not mention.held for mention in found.mentions),
        journals=sum(call_id not in spared for call_id in found.journals.values()),
        held=tuple(found.held),
        live=tuple(found.live),
    )


async def note(database: Database, found: Findings, actor: str, reason: str | None) -> None:
    """Note in the audit log what would go: of a dry run, or as a run begins."""
    await _note(database, PLANNED, found, plan(found), actor, reason)


async def erase(
    database: Database, found: Findings, *, now: int, actor: str, reason: str | None = None
) -> Erased:
    """Take it away, at `now` (Unix ms), and note it in the audit log."""
    gone: set[str] = set()
    for ids in _batches(found.free):
        async with database.write() as connection:
            gone |= await _erase_calls(connection, ids, now)
        await asyncio.sleep(PAUSE_S)
    changed = 0
    for mentions in _batches([m for m in found.mentions if not m.held]):
        async with database.write() as connection:
            changed += sum([await _erase_mention(connection, m) for m in mentions])
        await asyncio.sleep(PAUSE_S)
    files = [path for path, call_id in found.journals.items() if call_id in gone]
    await asyncio.to_thread(remove, files)
    await scrub(database)
    spared = set(found.free) - gone  # put under a hold meanwhile
    done = Erased(len(gone), changed, len(files), (*found.held, *sorted(spared)), tuple(found.live))
    await _note(database, DELETED, found, done, actor, reason)
    return done


async def _erase_calls(connection: AsyncConnection, ids: Sequence[str], now: int) -> set[str]:
    """Leave tombstones of these calls, but of none that is under a hold by now."""
    free = select(calls.c.call_id).where(calls.c.call_id.in_(ids), ~calls.c.keep)
    gone = set((await connection.execute(free)).scalars())
    for table, columns in _EMPTIED.items():
        emptied = update(table).where(table.c.call_id.in_(gone))
        await connection.execute(emptied.values(rev=LAST_REV, **dict.fromkeys(columns)))
    for table in (utterances, outbox):
        await connection.execute(delete(table).where(table.c.call_id.in_(gone)))
    tombstone = update(calls).where(calls.c.call_id.in_(gone))
    await connection.execute(tombstone.values(rev=LAST_REV, purged_at=now, **_NOBODY))
    return gone


async def _erase_mention(connection: AsyncConnection, mention: Mention) -> int:
    """Write the texts without the number, if they are still what they were."""
    table = mention.table
    held = exists().where(calls.c.call_id == mention.call_id, calls.c.keep)
    still = [table.c[name] == text for name, text in mention.texts.items()]
    row = tuple_(*table.primary_key) == tuple_(*mention.key)
    done = await connection.execute(
        update(table).where(row, ~held, *still).values(**mention.without)
    )
    return done.rowcount


def _batches(things: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(things), _BATCH):
        yield things[start : start + _BATCH]


async def _note(
    database: Database,
    action: str,
    found: Findings,
    what: Erased,
    actor: str,
    reason: str | None,
) -> None:
    counts = {"calls": what.calls, "mentions": what.mentions, "journals": what.journals}
    left = {"held": len(what.held), "live": len(what.live)}
    detail = msgspec.json.encode({"number": found.masked, **counts, **left}).decode()
    await Audit(database).note(actor, action, subject=found.hash, reason=reason, detail=detail)
