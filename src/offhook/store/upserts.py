"""Facts into rows. Whatever the order in which they come, the newest of each stays.

A fact is absolute and carries its `rev`, so one that comes late or twice changes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeAlias

from msgspec import structs
from sqlalchemy import String, Table
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.database import Database
from offhook.store.facts import AnyFact, DeliveryFact
from offhook.store.schema import metadata

Row = dict[str, Any]

# What else is done with facts in the transaction that writes them; how many rows that made.
Also: TypeAlias = Callable[[AsyncConnection, Sequence[AnyFact]], Awaitable[int]]

_VALUE_CLASSES = ("22", "23")  # of SQLSTATE: data exception, integrity constraint violation


class Shape:
    """How facts of one kind become rows of their table."""

    def __init__(self, kind: type[AnyFact]) -> None:
        self.table: Table = metadata.tables[str(kind.__struct_config__.tag)]
        self.key = tuple(column.name for column in self.table.primary_key)
        self.fields = kind.__struct_fields__
        self._widths = tuple(
            (name, type_.length)
            for name in self.fields
            if isinstance(type_ := self.table.c[name].type, String)
        )

    def row(self, fact: AnyFact) -> Row:
        """The fact as a row: what no column could hold is left out of its texts."""
        row: Row = structs.asdict(fact)
        for name, width in self._widths:
            if (text := row[name]) is not None:
                row[name] = text.replace("\0", "")[:width]
        return row

    def upsert(self, database: Database) -> Any:
        """The statement that writes such rows."""
        insert = database.insert(self.table).values(dict.fromkeys(self.fields))
        if "rev" not in self.fields:
            return insert.on_conflict_do_nothing(index_elements=self.key)
        news = insert.excluded
        return insert.on_conflict_do_update(
            index_elements=self.key,
            set_={name: news[name] for name in self.fields if name not in self.key},
            where=news.rev >= self.table.c.rev,
        )


@functools.cache
def shape(kind: type[AnyFact]) -> Shape:
    """The shape of a kind of facts."""
    return Shape(kind)


class Upserts:
    """Writes facts to one database."""

    def __init__(self, database: Database, also: Also | None = None) -> None:
        self._database = database
        self._also = also
        self._statement = functools.cache(lambda kind: shape(kind).upsert(database))

    async def write(self, facts: Sequence[AnyFact]) -> int:
        """Write all of them in one transaction, or raise. What `also` returned, else 0."""
        async with self._database.write() as connection:
            for kind, rows in newest(facts).items():
                await self._put(connection, kind, rows)
            return await self._also(connection, facts) if self._also is not None else 0

    async def _put(self, connection: AsyncConnection, kind: type[AnyFact], rows: list[Row]) -> None:
        await connection.execute(self._statement(kind), rows)


def newest(facts: Iterable[AnyFact]) -> dict[type[AnyFact], list[Row]]:
    """The rows to write by their kind: of those with the same key, only the newest."""
    found: dict[type[AnyFact], dict[tuple[object, ...], Row]] = {}
    for fact in facts:
        kind = type(fact)
        form, rows = shape(kind), found.setdefault(kind, {})
        row = form.row(fact)
        key = tuple(row[name] for name in form.key)
        if key not in rows or isinstance(fact, DeliveryFact) or row["rev"] >= rows[key]["rev"]:
            rows[key] = row
    return {kind: list(rows.values()) for kind, rows in found.items()}


def is_of_the_value(error: Exception) -> bool:
    """Whether it is for a value that this could not be written: another try is no use."""
    match error:
        case DataError() | IntegrityError() | OverflowError() | UnicodeError():
            return True
        case DBAPIError(orig=BaseException() as cause):
            return str(getattr(cause, "sqlstate", "") or "").startswith(_VALUE_CLASSES)
        case _:
            return False
