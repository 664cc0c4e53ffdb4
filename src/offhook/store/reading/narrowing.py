"""All conditions of a filter, for figures, which read every call that fits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, column, false, func, literal_column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading import fulltext
from offhook.store.reading.conditions import facts
from offhook.store.reading.filters import Filter
from offhook.store.reading.live import live
from offhook.store.reading.search import tsquery, words
from offhook.store.schema import ENDED, LIVE, calls

_SEARCH = table("search", column("call_id"), column("words"))


async def conditions(connection: AsyncConnection, wanted: Filter) -> list[ColumnElement[bool]]:
    """The conditions on a row of `calls`."""
    found = list(facts(wanted))
    if wanted.live is not None:
        found.append(LIVE if wanted.live else ENDED)
    if wanted.text is not None:
        going_on = await live(connection, wanted)
        over = calls.c.call_id.in_(await with_words(connection, wanted, wanted.text))
        found.append(over | calls.c.call_id.in_(going_on) if going_on else over)
    return found


async def with_words(connection: AsyncConnection, wanted: Filter, typed: str) -> Select[Any]:
    """A query for the ids of the calls that have ended and in which all the words were said."""
    none = select(calls.c.call_id).where(false())
    if connection.dialect.name == "sqlite":
        query = await fulltext.query(connection, wanted)
        if query is None:
            return none
        found = fulltext.matching(query, wanted, *fulltext.window(wanted))
        return found.with_only_columns(fulltext.CALL_ID)
    if not words(typed):
        return none
    match = func.to_tsquery(literal_column("'simple'"), tsquery(words(typed)))
    return select(_SEARCH.c.call_id).where(_SEARCH.c.words.op("@@")(match))
