"""How SQLite goes about a list of calls, so that a million of them are no matter.

SQLite takes one index for one table and has no idea how many rows a value has, so we look first:
a count that stops early tells what is rare, and the rarest leads. Columns that do not lead are
written `+column`, which keeps their indexes out of it (https://www.sqlite.org/optoverview.html).

    one or two of SAME      an index with exactly these and the time: newest first, no sorting
    length, cost            its own index if few calls are so long or dear, else as above
    text, rare              the calls of its documents
    text, common            the calls that the other conditions leave, each looked up in the index,
                            if a page is soon full so; else documents from the newest
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    TextClause,
    false,
    func,
    literal_column,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading import fulltext
from offhook.store.reading.conditions import beyond, facts
from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.reading.fulltext import ROOM
from offhook.store.reading.search import words
from offhook.store.schema import SAME, calls

FEW_OF_A_RANGE = 2_500  # rows of one index that are filtered and sorted within the time we have
FEW_DOCUMENTS = 400  # documents of the text index that are, with a look at each call
FEW_TO_LOOK_UP = 5_000  # calls that are, with a look into the text index for each
FEW_BETWEEN = 20  # calls between two that have the words: such words are common

ONE = literal_column("1", Integer).label("one")
END_OF_TIME = 2**50  # in milliseconds; times ROOM it still fits


class Plan(Struct, frozen=True):
    """The columns whose index leads, and whether that index is in the order of the list."""

    lead: frozenset[str]
    ordered: bool = True

    def named(self, name: str) -> ColumnElement[Any]:
        """The column, barred from its index unless it leads."""
        free = name in self.lead or (self.ordered and name in ("rang_at", "call_id"))
        return calls.c[name] if free else barred(name)


def barred(name: str) -> ColumnElement[Any]:
    """A column in a way that SQLite takes no index for."""
    return literal_column(f"+calls.{name}", calls.c[name].type)


BY_CALL = Plan(frozenset({"call_id"}), ordered=False)
BY_DOCUMENT = Plan(frozenset(), ordered=False)


async def narrowed(
    connection: AsyncConnection,
    statement: Select[Any],
    wanted: Filter,
    after: Position | None,
    count: int,
) -> Select[Any]:
    """The statement with the conditions of the wanted, in the order from new to old."""
    plan = await _plan(connection, wanted)
    if wanted.text is not None:
        plan, found = await _text(connection, wanted, wanted.text, plan, after, count)
        statement = statement.where(found)
    if after is not None:
        statement = statement.where(beyond(after, plan.named))
    order = plan.named("rang_at").desc(), calls.c.call_id.desc()
    return statement.where(*facts(wanted, plan.named)).order_by(*order)


async def _plan(connection: AsyncConnection, wanted: Filter) -> Plan:
    """The plan for all but the text."""
    if wanted.live:
        return Plan(frozenset({"ended_at"}))
    if wanted.number_hashes:
        return Plan(frozenset({"caller_hash"}))
    ranges = {"length_ms": wanted.min_length_ms, "cost_usd": wanted.min_cost_usd}
    for name, least in ranges.items():
        if least is not None and await _few(
            connection, select(ONE).where(calls.c[name] >= least), FEW_OF_A_RANGE
        ):
            return Plan(frozenset({name}), ordered=False)
    same = [name for name in SAME if getattr(wanted, name) is not None]
    return Plan(frozenset(same[:2]))


async def _text(
    connection: AsyncConnection,
    wanted: Filter,
    typed: str,
    plan: Plan,
    after: Position | None,
    count: int,
) -> tuple[Plan, ColumnElement[bool] | TextClause]:
    """The plan with the text, and the condition for it."""
    found = words(typed)
    if not found:
        return plan, false()
    query = await fulltext.query(connection, found)
    lowest, highest = _window(wanted, after)
    edge = await _number(connection, fulltext.documents(query, lowest, highest), FEW_DOCUMENTS)
    if edge is not None:
        if plan.lead and await _found_soon(connection, wanted, plan, edge):
            return plan, fulltext.occurs(query, found)
        newest = await _newest(connection, wanted, query, (lowest, highest), after, count)
        return BY_CALL, calls.c.call_id.in_(newest)
    return BY_CALL, calls.c.call_id.in_(fulltext.matching(query, lowest, highest))


async def _found_soon(connection: AsyncConnection, wanted: Filter, plan: Plan, edge: int) -> bool:
    """Whether it takes few calls to fill a page: few fit, or the words are in many.

    `edge` is the number of one of the newest documents that match, with FEW_DOCUMENTS before it.
    """
    others = select(ONE).where(*facts(wanted, plan.named))
    newer = select(ONE).where(calls.c.rang_at >= edge >> ROOM)
    return await _few(connection, others, FEW_TO_LOOK_UP) or await _few(
        connection, newer, FEW_DOCUMENTS * FEW_BETWEEN
    )


def _window(wanted: Filter, after: Position | None) -> tuple[int, int]:
    """The lowest and the highest number that a document can have."""
    newest = min(
        END_OF_TIME if wanted.until is None else wanted.until - 1,
        END_OF_TIME if after is None else after.at,
    )
    return max(0, wanted.since or 0) << ROOM, (newest + 1 << ROOM) - 1


async def _few(connection: AsyncConnection, statement: Select[Any], most: int) -> bool:
    """Whether the statement has at most so many rows; one more is looked at."""
    rows = statement.limit(most + 1).subquery()
    found = (await connection.execute(select(func.count()).select_from(rows))).scalar_one()
    return bool(found <= most)


async def _newest(
    connection: AsyncConnection,
    wanted: Filter,
    query: str,
    window: tuple[int, int],
    after: Position | None,
    count: int,
) -> list[str]:
    """The ids of so many of the newest calls that fit; of the last millisecond, all of them."""
    conditions = list(facts(wanted, BY_DOCUMENT.named))
    if after is not None:
        conditions.append(beyond(after, BY_DOCUMENT.named))
    lowest, highest = window
    first = fulltext.newest(query, lowest, highest).where(*conditions).limit(count)
    found = (await connection.execute(first)).all()
    if len(found) == count:
        last = found[-1][0]
        rest = fulltext.newest(query, max(lowest, last >> ROOM << ROOM), last - 1)
        found = [*found, *(await connection.execute(rest.where(*conditions))).all()]
    return [call_id for _, call_id in found]


async def _number(connection: AsyncConnection, statement: Select[Any], nth: int) -> int | None:
    """The number of the n-th newest document of a statement, `None` if there are fewer."""
    newest = statement.order_by(fulltext.NUMBER.desc()).offset(nth - 1).limit(1)
    number: int | None = (await connection.execute(newest)).scalar_one_or_none()
    return number
