"""A filter as the conditions of a query, the same for both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, literal_column, tuple_

from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.schema import LEAST, SAME, calls

Named: TypeAlias = Callable[[str], ColumnElement[Any]]

NEWEST_FIRST: Final = (calls.c.rang_at.desc(), calls.c.call_id.desc())


def plain(name: str) -> ColumnElement[Any]:
    """The column."""
    return calls.c[name]


def barred(name: str) -> ColumnElement[Any]:
    """The column in a way that SQLite takes no index for.

    See https://www.sqlite.org/optoverview.html
    """
    return literal_column(f"+calls.{name}", calls.c[name].type)


def facts(wanted: Filter, named: Named = plain) -> Iterator[ColumnElement[bool]]:
    """Those on the columns of calls, but `live`; `named` gives the column to use for a name."""
    for name, value in same(wanted):
        yield named(name) == value
    for name, lowest in least(wanted):
        yield named(name) >= lowest
    if wanted.number_hashes:
        yield named("caller_hash").in_(wanted.number_hashes)
    if wanted.since is not None:
        yield named("rang_at") >= wanted.since
    if wanted.until is not None:
        yield named("rang_at") < wanted.until


def same(wanted: Filter) -> Iterator[tuple[str, str]]:
    """What a column must be, by its name."""
    for name in SAME:
        value = getattr(wanted, name)
        if value is not None:
            yield name, value


def least(wanted: Filter) -> Iterator[tuple[str, float]]:
    """What a column must be at least, by its name."""
    for name in LEAST:
        value = getattr(wanted, f"min_{name}")
        if value is not None:
            yield name, value


def beyond(position: Position, named: Named = plain) -> ColumnElement[bool]:
    """What comes after a page that ended here, in the order from new to old."""
    return tuple_(named("rang_at"), named("call_id")) < tuple_(position.at, position.key)
