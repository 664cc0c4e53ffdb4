"""Calls that go on and fit a filter: few enough to look at each, and so in no index but one."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.conditions import NEWEST_FIRST, Named, barred, beyond, facts, plain
from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.reading.search import cut, occur, pattern, words
from offhook.store.schema import LIVE, calls, utterances


async def live(
    connection: AsyncConnection,
    wanted: Filter,
    after: Position | None = None,
    most: int | None = None,
) -> list[str]:
    """The ids of those that fit, from the newest on, at most so many; none if they must be over."""
    if wanted.live is False:
        return []
    where = [LIVE, *facts(wanted, _named(connection.dialect.name))]
    if after is not None:
        where.append(beyond(after))
    if wanted.text is not None:
        return await _heard(connection, words(wanted.text), where, most)
    statement = select(calls.c.call_id).where(*where).order_by(*NEWEST_FIRST).limit(most)
    return list((await connection.execute(statement)).scalars())


async def _heard(
    connection: AsyncConnection,
    found: list[str],
    where: list[ColumnElement[bool]],
    most: int | None,
) -> list[str]:
    """The ids of those in which the words were said."""
    if not found:
        return []
    likely = or_(*(utterances.c.text.ilike(pattern(word)) for word in found))
    statement = (
        select(calls.c.call_id, utterances.c.text)
        .join(utterances, utterances.c.call_id == calls.c.call_id)
        .where(*where, likely)
        .order_by(*NEWEST_FIRST)
    )
    heard: list[str] = []
    for call_id, rows in groupby(await connection.execute(statement), key=itemgetter(0)):
        if occur(found, {word for _, text in rows for word in cut(text)}):
            heard.append(call_id)
        if len(heard) == most:
            break
    return heard


def _named(dialect: str) -> Named:
    """Only the index of live calls may lead: others have the time or the caller of all calls."""
    return barred if dialect == "sqlite" else plain
