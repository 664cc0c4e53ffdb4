"""How a list of calls that have ended is made, so that a million of them are no matter.

SQLite takes one index for one table and has no idea how many rows a value has. So:

    up to two of SAME       an index with exactly these and the time: newest first, no sorting
    few so long or so dear  the index of that; they are filtered and sorted
    all else                the documents of the full-text index (fulltext.py), newest first

PostgreSQL plans for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, exists, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading import fulltext
from offhook.store.reading.conditions import Named, barred, beyond, facts, least, plain, same
from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.reading.fulltext import ROOM
from offhook.store.reading.narrowing import with_words
from offhook.store.schema import ENDED, calls

FEW_OF_A_RANGE = 2_500  # rows of one index that are filtered and sorted within the time we have
IN_AN_INDEX = 2  # of SAME

ONE = literal_column("1", Integer).label("one")


async def ended(
    connection: AsyncConnection, wanted: Filter, after: Position | None, count: int
) -> list[str]:
    """The ids of so many that fit, from the newest on; none if they must be live."""
    if wanted.live:
        return []
    if connection.dialect.name == "sqlite":
        return await _in_sqlite(connection, wanted, after, count)
    more = []
    if wanted.text is not None:
        more.append(calls.c.call_id.in_(await with_words(connection, wanted, wanted.text)))
    return await _in_order(connection, wanted, after, count, more=more)


async def _in_sqlite(
    connection: AsyncConnection, wanted: Filter, after: Position | None, count: int
) -> list[str]:
    if wanted.text is None:
        ranges = dict(least(wanted))
        for name, value in ranges.items():
            if await _few(connection, name, value):

                def led(other: str, lead: str = name) -> ColumnElement[Any]:
                    return plain(other) if other == lead else barred(other)

                return await _in_order(connection, wanted, after, count, led)
        if not (ranges or wanted.number_hashes) and len(dict(same(wanted))) <= IN_AN_INDEX:
            return await _in_order(connection, wanted, after, count)
    if not await _meet(connection, wanted):
        return []
    return await _by_document(connection, wanted, after, count)


async def _meet(connection: AsyncConnection, wanted: Filter) -> bool:
    """Whether any call has each two of SAME that are wanted, as their indexes tell at once.

    Of two that many have and none has both, the full-text index would pass every document.
    """
    pairs = combinations([calls.c[name] == value for name, value in same(wanted)], 2)
    both = [exists(select(ONE).where(ENDED, *pair)) for pair in pairs]
    return not both or bool((await connection.execute(select(and_(*both)))).scalar_one())


async def _few(connection: AsyncConnection, name: str, least: float) -> bool:
    """Whether few have at least so much; one more is looked at."""
    some = select(ONE).where(ENDED, calls.c[name] >= least).limit(FEW_OF_A_RANGE + 1).subquery()
    found = (await connection.execute(select(func.count()).select_from(some))).scalar_one()
    return bool(found <= FEW_OF_A_RANGE)


async def _in_order(
    connection: AsyncConnection,
    wanted: Filter,
    after: Position | None,
    count: int,
    named: Named = plain,
    more: Iterable[ColumnElement[bool]] = (),
) -> list[str]:
    """By conditions on the columns of calls; `named` bars those whose index would mislead."""
    statement = select(calls.c.call_id).where(ENDED, *facts(wanted, named), *more)
    if after is not None:
        statement = statement.where(beyond(after, named))
    order = named("rang_at").desc(), named("call_id").desc()
    return list((await connection.execute(statement.order_by(*order).limit(count))).scalars())


async def _by_document(
    connection: AsyncConnection, wanted: Filter, after: Position | None, count: int
) -> list[str]:
    """By documents: of the last millisecond all of them, as their numbers have no order."""
    query = await fulltext.query(connection, wanted)
    if query is None:
        return []
    lowest, highest = fulltext.window(wanted, after)
    beyond_it = [] if after is None else [beyond(after, barred)]
    newest = fulltext.NUMBER.desc()
    first = fulltext.matching(query, wanted, lowest, highest).where(*beyond_it).order_by(newest)
    found = (await connection.execute(first.limit(count))).all()
    if len(found) == count:
        last = found[-1][0]
        rest = fulltext.matching(query, wanted, max(lowest, last >> ROOM << ROOM), last - 1)
        found = [*found, *(await connection.execute(rest.where(*beyond_it))).all()]
    return [call_id for _, call_id in found]
