"""Everything that is kept of the person with one number: calls, mentions elsewhere, journals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Row, Table, or_, select, tuple_

from offhook.store.database import Database
from offhook.store.holds import held_calls
from offhook.store.journals import journals, safe_ids
from offhook.store.schema import (
    calls,
    moments,
    outbox,
    tool_calls,
    transfers,
    utterances,
)
from offhook.store.subject.mentions import Mentions
from offhook.store.vault import Vault, mask

_PAGE = 2000
_LIVE_MS = 86_400_000  # what has no end after a day will never get one

TEXTS: dict[Table, tuple[str, ...]] = {
    calls: ("caller_name", "detail"),
    utterances: ("text",),
    tool_calls: ("arguments", "output", "error"),
    transfers: ("reason", "detail"),
    moments: ("detail",),
    outbox: ("body", "error"),
}


class TheirCall(Struct, frozen=True):
    """A call from the number; one that is `held` or still `live` stays as it is."""

    call_id: str
    rang_at: int
    held: bool
    live: bool


class Mention(Struct, frozen=True):
    """A row of another call with the number in it: where, what its texts are, and are without."""

    table: Table
    key: tuple[object, ...]
    call_id: str | None
    held: bool
    texts: dict[str, str]
    without: dict[str, str]


class Findings(Struct, frozen=True):
    """What there is. `hash` and `masked` stand for the number where it must not be written.

    `journals` has the id of its call for each file.
    """

    hash: str
    masked: str
    calls: tuple[TheirCall, ...]
    mentions: tuple[Mention, ...]
    journals: dict[Path, str]

    @property
    def free(self) -> list[str]:
        """The ids of the calls that nothing protects."""
        return [call.call_id for call in self.calls if not (call.held or call.live)]

    @property
    def held(self) -> list[str]:
        """The ids of calls under a legal hold: their own, and others that mention the number."""
        own = [call.call_id for call in self.calls if call.held]
        return own + sorted({m.call_id for m in self.mentions if m.held and m.call_id} - set(own))

    @property
    def live(self) -> list[str]:
        """The ids of the calls that are not over."""
        return [call.call_id for call in self.calls if call.live]


async def find(
    database: Database, vault: Vault, number: str, folder: Path, *, now: int
) -> Findings:
    """Look through all tables, and through the journals in the folder. `now` is in Unix ms."""
    theirs = await _calls(database, vault, number, now)
    own = frozenset(call.call_id for call in theirs)
    async with database.read() as connection:
        held = await held_calls(connection)
    looked_for = Mentions(number)
    mentions = [m async for m in _mentions(database, looked_for, held) if m.call_id not in own]
    return Findings(
        hash=vault.hash(number),
        masked=mask(number),
        calls=theirs,
        mentions=tuple(mentions),
        journals=await asyncio.to_thread(_journals, folder, own),
    )


async def _calls(database: Database, vault: Vault, number: str, now: int) -> tuple[TheirCall, ...]:
    query = (
        select(calls.c.call_id, calls.c.rang_at, calls.c.keep, calls.c.phase)
        .where(calls.c.caller_hash.in_(vault.hashes(number)))
        .order_by(calls.c.rang_at, calls.c.call_id)
    )
    async with database.read() as connection:
        found = await connection.execute(query)
        return tuple(
            TheirCall(call_id, rang_at, held, phase != "ended" and rang_at > now - _LIVE_MS)
            for call_id, rang_at, held, phase in found
        )


def _journals(folder: Path, own: frozenset[str]) -> dict[Path, str]:
    by_name = {name: call_id for call_id in own for name in safe_ids(frozenset((call_id,)))}
    names = frozenset(by_name)
    theirs = journals(folder, lambda journal: journal.is_of(own, names))
    return {journal.path: journal.call_id or by_name[journal.safe] for journal in theirs}


async def _mentions(
    database: Database, looked_for: Mentions, held: frozenset[str]
) -> AsyncIterator[Mention]:
    for table, columns in TEXTS.items():
        key = [column.name for column in table.primary_key]
        async for row in _rows(database, table, columns):
            values = row._mapping
            texts = {name: values[name] for name in columns if values[name] is not None}
            without = {name: looked_for.hidden(text) for name, text in texts.items()}
            less = {name: text for name, text in without.items() if text is not None}
            if less:
                yield Mention(
                    table=table,
                    key=tuple(values[name] for name in key),
                    call_id=values["call_id"],
                    held=values["call_id"] in held,
                    texts={name: texts[name] for name in less},
                    without=less,
                )


async def _rows(
    database: Database, table: Table, columns: tuple[str, ...]
) -> AsyncIterator[Row[tuple[object, ...]]]:
    """The rows of a table that have any of these texts, page by page."""
    key = list(table.primary_key)
    wanted = {column.name: column for column in (*key, table.c.call_id)}
    query = select(*wanted.values(), *(table.c[name] for name in columns))
    query = query.where(or_(*(table.c[name].is_not(None) for name in columns)))
    query = query.order_by(*key).limit(_PAGE)
    last = None
    while True:
        page = query if last is None else query.where(tuple_(*key) > last)
        async with database.read() as connection:
            rows = (await connection.execute(page)).all()
        for row in rows:
            yield row
        if len(rows) < _PAGE:
            return
        last = tuple_(*(rows[-1]._mapping[column.name] for column in key))
