"""SQLite's index of words, FTS5 (https://www.sqlite.org/fts5.html): one document for each call.

Documents are numbered by the time of the ring, so that FTS5 itself gives the newest first.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    String,
    TextClause,
    column,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

ROOM = 12  # bits of a number that tell calls of the same millisecond apart
END = 2**63 - 1
INDEXED = 5  # letters of a beginning up to which the index has all documents of it ready
MOST_ENDINGS = 50

_CALLS = table("search_calls", column("id"), column("call_id"))
NUMBER = literal_column("search.rowid", BigInteger)

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


async def query(connection: AsyncConnection, words: list[str]) -> str:
    """The words in the language of FTS5; all but letters and digits is ours."""
    return " AND ".join([*(f'"{word}"' for word in words[:-1]), await _last(connection, words[-1])])


async def _last(connection: AsyncConnection, word: str) -> str:
    """The last word, or what it may be the beginning of.

    FTS5 would first collect all documents of a long beginning; of whole words it takes as many
    as are asked for.
    """
    if len(word) < 2:
        return f'"{word}"'
    if len(word) > INDEXED:
        rows = await connection.execute(_ENDINGS, {"word": word, "most": MOST_ENDINGS + 1})
        endings = rows.scalars().all()
        if len(endings) <= MOST_ENDINGS:
            return "(" + " OR ".join(f'"{each}"' for each in endings or [word]) + ")"
    return f'"{word}"*'


def matching(query: str, lowest: int = 0, highest: int = END) -> Select[Any]:
    """The ids of the calls whose documents match, numbered from `lowest` to `highest`."""
    return select(_CALLS.c.call_id).where(_CALLS.c.id.in_(documents(query, lowest, highest)))


def documents(query: str, lowest: int = 0, highest: int = END) -> Select[Any]:
    """The numbers of the documents that match."""
    return (
        select(NUMBER)
        .select_from(text("search"))
        .where(_match(query), lowest <= NUMBER, highest >= NUMBER)
    )


def newest(query: str, lowest: int, highest: int) -> Select[Any]:
    """The same from the newest on, each with the id of its call, and its row of `calls` at hand."""
    joined = "search CROSS JOIN search_calls CROSS JOIN calls"  # the order of the loops
    same = text("search_calls.id = search.rowid AND calls.call_id = search_calls.call_id")
    return (
        select(NUMBER, literal_column("calls.call_id", String))
        .select_from(text(joined))
        .where(_match(query), lowest <= NUMBER, highest >= NUMBER, same)
        .order_by(NUMBER.desc())
    )


def occurs(query: str, words: list[str]) -> TextClause:
    """The condition on a row of `calls` that its document matches.

    To ask the index for one document is slow, so the text is looked at first.
    """
    likes = " AND ".join(f"t.c0 LIKE :like{n}" for n in range(len(words)))
    statement = (
        "EXISTS (SELECT 1 FROM search_calls AS c CROSS JOIN search_content AS t CROSS JOIN search"  # noqa: S608
        f" WHERE c.call_id = calls.call_id AND t.id = c.id AND {likes}"
        " AND search.rowid = c.id AND search MATCH :query)"
    )
    values = {f"like{n}": _like(word) for n, word in enumerate(words)}
    return text(statement).bindparams(query=query, **values)


def _like(word: str) -> str:
    """SQLite's LIKE knows upper and lower case of ASCII only; other letters may be any."""
    return f"%{''.join(letter if letter.isascii() else '%' for letter in word)}%"


def _match(query: str) -> TextClause:
    return text("search MATCH :query").bindparams(query=query)
