"""Facts into rows. Whatever the order in which they come, the newest of each stays.

A fact is absolute and carries its `rev`, so one that comes late or twice changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from offhook.store.bulk import form, put
from offhook.store.database import Database
from offhook.store.facts import AnyFact, DeliveryFact
from offhook.store.letters import Owed

# What is owed to others because of facts, written in the same transaction.
Owing: TypeAlias = Callable[[Sequence[AnyFact]], Sequence[Owed]]

# Of SQLSTATE: cardinality (two keys that are one when cut to fit), data, integrity constraint.
_VALUE_CLASSES = ("21", "22", "23")


class Upserts:
    """Writes facts to one database."""

    def __init__(self, database: Database, owing: Owing | None = None) -> None:
        self._database = database
        self._owing = owing

    async def write(self, facts: Sequence[AnyFact]) -> int:
        """Write all of them in one transaction, or raise. How many letters are owed now."""
        rows: dict[type[Struct], Sequence[Struct]] = dict(newest(facts).items())
        letters = self._owing(facts) if self._owing is not None else ()
        if letters:
            rows[Owed] = letters
        await put(self._database, rows)
        return len(letters)


def newest(facts: Iterable[AnyFact]) -> dict[type[AnyFact], list[AnyFact]]:
    """The facts to write by their kind: of those with the same key, only the newest."""
    found: dict[type[AnyFact], dict[object, AnyFact]] = {}
    for fact in facts:
        kind = type(fact)
        kept = found.get(kind)
        if kept is None:
            kept = found[kind] = {}
        key = form(kind).key(fact)
        known = kept.get(key)
        if known is None or isinstance(fact, DeliveryFact) or fact.rev >= known.rev:  # type: ignore[union-attr]
            kept[key] = fact
    return {kind: list(kept.values()) for kind, kept in found.items()}


def is_of_the_value(error: BaseException) -> bool:
    """Whether it is for a value that this could not be written: another try is no use."""
    match error:
        case DataError() | IntegrityError() | OverflowError() | UnicodeError():
            return True
        case sqlite3.DataError() | sqlite3.IntegrityError():
            return True
        case DBAPIError(orig=BaseException() as cause):
            return is_of_the_value(cause)
        case _:
            return str(getattr(error, "sqlstate", "") or "").startswith(_VALUE_CLASSES)
