"""SQLite's index of calls that have ended, FTS5 (https://www.sqlite.org/fts5.html).

A call's document has its words and, as words of one letter each, what else lists are narrowed by,
so that FTS5 finds what has all of it in one pass. Documents are numbered by the time of the ring:
the newest are found first. The tables are those of migration 0003.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    TextClause,
    and_,
    column,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.conditions import barred, facts, least, same
from offhook.store.reading.cursors import Position
from offhook.store.reading.filters import Filter
from offhook.store.reading.search import is_beginning, words

ROOM: Final = 12  # bits of a number that tell calls of the same millisecond apart
END_OF_TIME: Final = 2**50  # in milliseconds; with ROOM it still fits
INDEXED: Final = 5  # letters of a beginning up to which the index has all documents of it ready
MOST_ENDINGS: Final = 50

NUMBER = literal_column("search.rowid", BigInteger)
CALL_ID = literal_column("calls.call_id", String)
_FACTS = table("search_facts", column("id"), column("name"), column("value"))

# One step in the vocabulary for each word that begins so, however many documents have it.
_ENDINGS = text("""
    WITH RECURSIVE found (term) AS (
        SELECT (SELECT term FROM search_terms WHERE term >= :word LIMIT 1)
        UNION ALL
        SELECT (SELECT term FROM search_terms WHERE term >= found.term || char(1) LIMIT 1)
        FROM found WHERE term < :word || char(1114111)
    )
    SELECT term FROM found WHERE term < :word || char(1114111) LIMIT :most
""")


async def query(connection: AsyncConnection, wanted: Filter) -> str | None:
    """The filter in the language of FTS5, all but its times; `None` if no call can fit."""
    terms = await _facts(connection, wanted)
    if terms is None:
        return None
    if wanted.text is not None:
        found = words(wanted.text)
        if not found:
            return None
        terms += [*(f'"{word}"' for word in found[:-1]), await _last(connection, found[-1])]
    return " AND ".join(terms)


async def _facts(connection: AsyncConnection, wanted: Filter) -> list[str] | None:
    """The letters of all that is wanted; `None` if something of it was never seen."""
    exact = dict(same(wanted))
    asked = [*map(_is, exact.items()), *map(_reached, least(wanted))]
    seen = {}
    if asked:
        rows = await connection.execute(select(_FACTS.c.name, _FACTS.c.id).where(or_(*asked)))
        seen = {name: chr(0xE000 + number % 6400) for name, number in rows}
    if not exact.keys() <= seen.keys():
        return None
    callers = " OR ".join(f'"{_caller(each)}"' for each in wanted.number_hashes)
    return [*(f'"{letter}"' for letter in seen.values()), *([f"({callers})"] if callers else [])]


def _is(fact: tuple[str, str]) -> ColumnElement[bool]:
    name, value = fact
    return and_(_FACTS.c.name == name, _FACTS.c.value == value)


def _reached(fact: tuple[str, float]) -> ColumnElement[bool]:
    """The highest step that all of at least this much have reached."""
    name, value = fact
    steps = select(func.max(_FACTS.c.value)).where(_FACTS.c.name == name, _FACTS.c.value <= value)
    return and_(_FACTS.c.name == name, _FACTS.c.value == steps.scalar_subquery())


def _caller(number_hash: str) -> str:
    """The letter of a caller, and of a few others, as migration 0003 has it."""
    return chr(0xF0000 + int(number_hash[-4:], 16) % 65000)


async def _last(connection: AsyncConnection, word: str) -> str:
    """The last word, or what it may be the beginning of.

    FTS5 would first collect all documents of a long beginning; of whole words it takes as many
    as are asked for.
    """
    if not is_beginning(word):
        return f'"{word}"'
    if len(word) > INDEXED:
        rows = await connection.execute(_ENDINGS, {"word": word, "most": MOST_ENDINGS + 1})
        endings = rows.scalars().all()
        if len(endings) <= MOST_ENDINGS:
            return "(" + " OR ".join(f'"{each}"' for each in endings or [word]) + ")"
    return f'"{word}"*'


def window(wanted: Filter, after: Position | None = None) -> tuple[int, int]:
    """The lowest and the highest number that a document can have."""
    newest = min(
        END_OF_TIME if wanted.until is None else wanted.until - 1,
        END_OF_TIME if after is None else after.at,
    )
    return max(0, wanted.since or 0) << ROOM, (newest + 1 << ROOM) - 1


def matching(query: str, wanted: Filter, lowest: int, highest: int) -> Select[int, str]:
    """The documents numbered from `lowest` to `highest` that fit, and the ids of their calls.

    Letters may be shared, so each call is looked at; what the steps leave open, before that.
    """
    joined = "search CROSS JOIN search_calls CROSS JOIN calls"  # the order of the loops
    same_call = text("search_calls.id = search.rowid AND calls.call_id = search_calls.call_id")
    enough = (literal_column(f"search_calls.{name}") >= value for name, value in least(wanted))
    return (
        select(NUMBER, CALL_ID)
        .select_from(text(joined))
        .where(_match(query), lowest <= NUMBER, highest >= NUMBER, same_call, *enough)
        .where(*facts(wanted, barred))
    )


def _match(query: str) -> TextClause:
    return text("search MATCH :query").bindparams(query=query)
