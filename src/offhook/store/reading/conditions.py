"""A filter as the conditions of a query, the same for both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.reading.search import matching
from offhook.store.schema import SAME, calls

Named: TypeAlias = Callable[[str], ColumnElement[Any]]


def _column(name: str) -> ColumnElement[Any]:
    return calls.c[name]


async def conditions(connection: AsyncConnection, wanted: Filter) -> list[ColumnElement[bool]]:
    """All conditions of the filter, for a query that reads every call that fits."""
    found = list(facts(wanted))
    if wanted.text is not None:
        found.append(calls.c.call_id.in_(await matching(connection, wanted.text)))
    return found


def facts(wanted: Filter, named: Named = _column) -> Iterator[ColumnElement[bool]]:
    """The conditions on the columns of calls; `named` gives the column to use for a name."""
    yield from equal(wanted, named)
    yield from between(wanted, named)
    if wanted.live is not None:
        ended_at = named("ended_at")
        yield ended_at.is_(None) if wanted.live else ended_at.is_not(None)
    if wanted.min_length_ms is not None:
        yield named("length_ms") >= wanted.min_length_ms
    if wanted.min_cost_usd is not None:
        yield named("cost_usd") >= wanted.min_cost_usd


def equal(wanted: Filter, named: Named = _column) -> Iterator[ColumnElement[bool]]:
    """Those that ask for one value of a column."""
    for name in SAME:
        value = getattr(wanted, name)
        if value is not None:
            yield named(name) == value
    if wanted.number_hashes:
        yield named("caller_hash").in_(wanted.number_hashes)


def between(wanted: Filter, named: Named = _column) -> Iterator[ColumnElement[bool]]:
    """Those on the time of the ring."""
    if wanted.since is not None:
        yield named("rang_at") >= wanted.since
    if wanted.until is not None:
        yield named("rang_at") < wanted.until


def beyond(position: Position, named: Named = _column) -> ColumnElement[bool]:
    """What comes after a page that ended here, in the order from new to old."""
    return tuple_(named("rang_at"), named("call_id")) < tuple_(position.at, position.key)
