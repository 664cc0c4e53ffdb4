"""Many rows of many tables, written at once: what one row costs is paid in each turn of each call.

SQLAlchemy spends 100 µs on a statement and 10 on a row, most of it on being able to do more than
this. So the statements are made once, from the tables, and handed to the drivers themselves.
PostgreSQL gets one for all tables, with their rows as JSON: a single round trip, which is the
transaction, too. SQLite gets few for each table, with many rows in one: its thread and ours hand
each other the interpreter's lock once for each.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, Final, TypeAlias, get_args

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import astuple
from msgspec.structs import fields as fields_of
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, String, Table

from offhook.store.database import Database
from offhook.store.facts import AnyFact
from offhook.store.letters import Owed
from offhook.store.schema import metadata

Rows: TypeAlias = Mapping[type[Struct], Sequence[Struct]]

# In the order in which they are written: what is looked up by triggers is there.
KINDS: Final[tuple[type[Struct], ...]] = (*get_args(AnyFact), Owed)

MOST: Final = 32  # rows in one statement of SQLite

_TYPES: Final[dict[type[Any], str]] = {  # of the columns in PostgreSQL; a String is cut to fit
    BigInteger: "bigint",
    Integer: "integer",
    Float: "double precision",
    Boolean: "boolean",
}
_encode = msgspec.json.Encoder().encode


class Form:
    """How structs of one kind become rows of the table that their tag names."""

    def __init__(self, kind: type[Struct]) -> None:
        self.table: Table = metadata.tables[str(kind.__struct_config__.tag)]
        self._key = tuple(column.name for column in self.table.primary_key)
        self._defaults = {f.name: f.default for f in fields_of(kind)}
        self.key = attrgetter(*self._key)

    def sqlite(self, count: int) -> str:
        """The statement for so many rows, its parameters their fields in order."""
        marks = (
            "?" if (width := _width(column)) is None else f"substr(?, 1, {width})"
            for column in self._columns
        )
        row = f"({', '.join(marks)})"
        return f"{self._into} VALUES {', '.join([row] * count)} {self._on_conflict}"

    def postgresql(self, n: int) -> str:
        """The statement for many rows, parameter `n` a JSON array of them."""
        row = ", ".join(f'"{c.name}" {_type_of(c)}' for c in self._columns)
        values = ", ".join(map(self._value, self._columns))
        rows = f"json_to_recordset(${n}::json) AS r({row})"
        return f"{self._into} SELECT {values} FROM {rows} {self._on_conflict}"  # noqa: S608

    @property
    def _columns(self) -> list[Column[Any]]:
        return [self.table.c[name] for name in self._defaults]

    @property
    def _into(self) -> str:
        return f"INSERT INTO {self.table.name} ({', '.join(map(_quoted, self._defaults))})"

    @property
    def _on_conflict(self) -> str:
        """Only what has a `rev` is ever changed, and never by what is older."""
        key = f"ON CONFLICT ({', '.join(map(_quoted, self._key))})"
        if "rev" not in self._defaults:
            return f"{key} DO NOTHING"
        names = [_quoted(name) for name in self._defaults if name not in self._key]
        news = ", ".join(f"{name} = excluded.{name}" for name in names)
        return f"{key} DO UPDATE SET {news} WHERE excluded.rev >= {self.table.name}.rev"

    def _value(self, column: Column[Any]) -> str:
        """One column of `r`. Fields that have their default are left out of the JSON."""
        value, default = f"r.{_quoted(column.name)}", self._defaults[column.name]
        if (width := _width(column)) is not None:
            value = f"left({value}, {width})"
        if default is None or default is NODEFAULT:
            return value
        return f"coalesce({value}, {_literal(default)})"


@functools.cache
def form(kind: type[Struct]) -> Form:
    """The form of a kind."""
    return Form(kind)


async def put(database: Database, rows: Rows) -> None:
    """Write all of them, or raise: what the driver raises, or SQLAlchemy when it connects.

    No two of a kind may have the same key.
    """
    if database.dialect == "sqlite":
        await database.scribble(functools.partial(_put_all, rows))
        return
    every, whole = _whole()
    values = [_encode(rows[kind]).decode() if kind in rows else None for kind in every]
    await database.carry(whole, *values)


def _put_all(rows: Rows, connection: sqlite3.Connection) -> None:
    """In statements of 1, 2, 4... rows: few, so that they are not parsed again."""
    for kind in KINDS:
        left = list(rows.get(kind, ()))
        while left:
            count = min(1 << (len(left).bit_length() - 1), MOST)
            some, left = left[:count], left[count:]
            connection.execute(_many(kind, count), [*chain.from_iterable(map(astuple, some))])


@functools.cache
def _many(kind: type[Struct], count: int) -> str:
    return form(kind).sqlite(count)


@functools.cache
def _whole() -> tuple[tuple[type[Struct], ...], str]:
    """The kinds whose rows are the parameters, and the statement."""
    parts = (f"w{n} AS ({form(kind).postgresql(n)})" for n, kind in enumerate(KINDS, 1))
    return KINDS, f"WITH {', '.join(parts)} SELECT"


def _width(column: Column[Any]) -> int | None:
    """How many characters fit, if not any number."""
    return column.type.length if isinstance(column.type, String) else None


def _type_of(column: Column[Any]) -> str:
    return next((name for kind, name in _TYPES.items() if isinstance(column.type, kind)), "text")


def _quoted(name: str) -> str:
    return f'"{name}"'


def _literal(value: object) -> str:
    """A default in SQL: a number, a boolean or a short text of ours."""
    return f"'{value}'" if isinstance(value, str) else str(value).lower()
