"""Words in transcripts: what a person typed, as a condition that cannot be anything but words.

A word is a run of letters and digits; whatever stands between is a space. All must occur in one
call, by whomever and in any order; the last may be the beginning of a word, if two of its letters
are there. So `AND`, `*`, `-` and quotes mean nothing, on either database. The tables are those of
migration 0003, whose triggers keep them in step with the utterances.
"""

from __future__ import annotations

from typing import Any
from unicodedata import ucd_3_2_0

from sqlalchemy import Select, column, false, func, literal_column, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading import fulltext
from offhook.store.schema import calls

MOST_WORDS = 16
SHORTEST_BEGINNING = 2

_SEARCH = table("search", column("call_id"), column("words"))


def words(typed: str) -> list[str]:
    """The words to look for, in lower case."""
    return "".join(map(_letter, typed)).split()[:MOST_WORDS]


def _letter(letter: str) -> str:
    """A letter or digit in lower case, else a space. Those of yesterday only we would know."""
    if not letter.isalnum() or ucd_3_2_0.category(letter) == "Cn":
        return " "
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


async def matching(connection: AsyncConnection, typed: str) -> Select[Any]:
    """A query for the ids of the calls in which all the words occur; of none without a word."""
    found = words(typed)
    if not found:
        return select(calls.c.call_id).where(false())
    if connection.dialect.name == "sqlite":
        return fulltext.matching(await fulltext.query(connection, found))
    query = func.to_tsquery(literal_column("'simple'"), tsquery(found))
    return select(_SEARCH.c.call_id).where(_SEARCH.c.words.op("@@")(query))


def tsquery(found: list[str]) -> str:
    """The query in the language of PostgreSQL; all but letters and digits is ours."""
    star = ":*" if len(found[-1]) >= SHORTEST_BEGINNING else ""
    return " & ".join(f"'{word}'" for word in found) + star
