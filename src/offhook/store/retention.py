"""How long records are kept, by class, and letting go of what is older.

Rows go in small batches, each a transaction of its own with a pause after it, so that a call's
writer never waits long. A call under a legal hold keeps everything. A run changes nothing that a
second one, at the same time or after it, would mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.config.privacy import Privacy
from offhook.core.end import IN_WORDS
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.holds import held_calls
from offhook.store.journals import Journal, journals, safe_ids
from offhook.store.schema import (
    OF_A_RECORD,
    audit,
    calls,
    checkpoints,
    deliveries,
    leases,
    outbox,
    tool_calls,
    transfers,
    utterances,
)
from offhook.store.scrubbing import scrub

RAN = "retention.ran"
BATCH = 200  # calls, or rows
PAUSE_S = 0.05  # SQLite's other writers look every so often whether it is their turn
DAY_MS = 86_400_000

_RETAINING = 0x0FF400E  # the advisory lock of a batch: two runs at once would block each other
OF_A_CALL = (*OF_A_RECORD, leases, checkpoints)


class Terms(Struct, frozen=True):
    """How many days each class is kept; 0 is for ever."""

    calls: int = 400
    transcripts: int = 30
    journals: int = 7
    audit: int = 400

    def ends(self, now: int) -> Cutoffs:
        """Before when (Unix ms) each class goes, if at `now`."""
        return Cutoffs(
            **{
                name: now - days * DAY_MS if days else 0
                for name, days in msgspec.structs.asdict(self).items()
            }
        )


class Cutoffs(Struct, frozen=True):
    """What is older than this (Unix ms) goes; nothing is older than 0."""

    calls: int
    transcripts: int
    journals: int
    audit: int


class Gone(Struct, frozen=True):
    """How much has gone, or would go: rows, and files of journals.

    `head` is the last hash of the audit log then; where it is logged, it proves that end later.
    """

    calls: int = 0
    utterances: int = 0
    tool_calls: int = 0
    transfers: int = 0
    deliveries: int = 0
    webhooks: int = 0
    reasons: int = 0
    journals: int = 0
    audit: int = 0
    head: str = ""


def terms(settings: Privacy) -> Terms:
    """The terms that the settings ask for."""
    return Terms(
        calls=settings.retain_calls_days,
        transcripts=settings.retain_transcripts_days,
        journals=settings.retain_journals_days,
        audit=settings.retain_audit_days,
    )


class _Rule(Struct, frozen=True):
    """Rows of a table that go once they are old; with `clears`, only what these columns hold."""

    name: str
    table: Table
    at: str
    clears: tuple[str, ...] = ()
    only: ColumnElement[bool] = true()

    def applies(self, before: int) -> ColumnElement[bool]:
        """Which rows are meant: old, not under a hold, and with anything left to go."""
        held = exists().where(calls.c.call_id == self.table.c.call_id, calls.c.keep)
        full = [self.table.c[name].is_not(None) for name in self.clears]
        return and_(
            self.table.c[self.at] < before, self.only, ~held, or_(*full) if full else true()
        )


_TEXTS = (
    _Rule("utterances", utterances, "at"),
    _Rule("tool_calls", tool_calls, "asked_at", ("arguments", "output", "error")),
    _Rule("transfers", transfers, "began_at", ("reason", "detail")),
    _Rule("webhooks", outbox, "made_at"),
    _Rule("reasons", calls, "rang_at", ("detail",), calls.c.reason.in_(IN_WORDS)),
)
_DELIVERIES = _Rule("deliveries", deliveries, "at")


async def retain(
    database: Database,
    terms: Terms,
    folder: Path,
    *,
    now: int,
    actor: str,
    dry_run: bool = False,
) -> Gone:
    """Let go of all that is older than the terms say at `now` (Unix ms), and note it in the audit.

    `folder` holds the journals. With `dry_run` it is only counted.
    """
    cutoffs = terms.ends(now)
    run = _Count(database) if dry_run else _Run(database)
    gone = {rule.name: await run.rule(rule, cutoffs.transcripts) for rule in _TEXTS}
    gone["deliveries"] = await run.rule(_DELIVERIES, cutoffs.calls)
    gone["calls"] = await run.calls(cutoffs.calls)
    gone["journals"] = await run.journals(folder, cutoffs.journals)
    gone["audit"] = await run.audit(cutoffs.audit, actor)
    if not dry_run:
        await scrub(database)
    detail = msgspec.json.encode({"dry_run": dry_run, **gone}).decode()
    entry = await Audit(database).note(actor, RAN, detail=detail)
    return Gone(**gone, head=entry.hash)


class _Count:
    """Counts what would go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rule(self, rule: _Rule, before: int) -> int:
        return await self._count(rule.table, rule.applies(before))

    async def calls(self, before: int) -> int:
        return await self._count(calls, _old_call(before))

    async def journals(self, folder: Path, before: int) -> int:
        return len(await self._old_journals(folder, before))

    async def audit(self, before: int, actor: str) -> int:
        return await self._count(audit, audit.c.at < before)

    async def _count(self, table: Table, which: ColumnElement[bool]) -> int:
        async with self._database.read() as connection:
            found = await connection.execute(select(func.count()).select_from(table).where(which))
            return found.scalar_one()

    async def _old_journals(self, folder: Path, before: int) -> list[Journal]:
        async with self._database.read() as connection:
            held = await held_calls(connection)
        return await asyncio.to_thread(old_journals, folder, before, held)


class _Run(_Count):
    """Has it go."""

    async def rule(self, rule: _Rule, before: int) -> int:
        """Look for what is old without keeping writers waiting, then have it go by its key."""
        key, which = rule.table.primary_key.columns[0], rule.applies(before)
        gone, last = 0, key.is_not(None)
        while True:
            page = select(key).distinct().where(which, last).order_by(key).limit(BATCH)
            keys = await self._keys(page)
            if not keys:
                return gone
            async with self._batch() as connection:
                done = await connection.execute(_going(rule, and_(key.in_(keys), which)))
                gone += done.rowcount
            last = key > keys[-1]

    async def calls(self, before: int) -> int:
        gone, old = 0, _old_call(before)
        page = select(calls.c.call_id).where(old).order_by(calls.c.rang_at).limit(BATCH)
        while keys := await self._keys(page):
            async with self._batch() as connection:
                still = select(calls.c.call_id).where(calls.c.call_id.in_(keys), old)
                ids = (await connection.execute(still)).scalars().all()
                for table in (*OF_A_CALL, calls):
                    await connection.execute(delete(table).where(table.c.call_id.in_(ids)))
                gone += len(ids)
        return gone

    async def journals(self, folder: Path, before: int) -> int:
        files = await self._old_journals(folder, before)
        await asyncio.to_thread(remove, [journal.path for journal in files])
        return len(files)

    async def audit(self, before: int, actor: str) -> int:
        gone = 0
        while more := await Audit(self._database).prune(before, actor):
            gone += more
            await asyncio.sleep(PAUSE_S)
        return gone

    async def _keys(self, page: Select[Any]) -> Sequence[Any]:
        async with self._database.read() as connection:
            keys: Sequence[Any] = (await connection.execute(page)).scalars().all()
            return keys

    @asynccontextmanager
    async def _batch(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.write() as connection:
            if self._database.dialect == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({_RETAINING})"))
            yield connection
        await asyncio.sleep(PAUSE_S)


def _old_call(before: int) -> ColumnElement[bool]:
    return and_(calls.c.rang_at < before, ~calls.c.keep)


def _going(rule: _Rule, which: ColumnElement[bool]) -> Any:
    if rule.clears:
        return update(rule.table).where(which).values(dict.fromkeys(rule.clears))
    return delete(rule.table).where(which)


def old_journals(folder: Path, before: int, held: frozenset[str] = frozenset()) -> list[Journal]:
    """The journals that were begun before then (Unix ms), without those of held calls."""
    safe = safe_ids(held)
    return list(journals(folder, lambda j: j.at < before and not j.is_of(held, safe)))


def remove(files: Sequence[Path]) -> None:
    """Delete files; one that is gone already is fine."""
    for path in files:
        path.unlink(missing_ok=True)
