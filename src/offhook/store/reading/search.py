"""Words in transcripts: what a person typed, as a query that cannot be anything but words.

A word is a run of letters and digits; whatever stands between is a space. All must occur in one
call, by whomever and in any order; the last may be the beginning of a word. So `AND`, `*`, `-`
and quotes mean nothing, in SQLite (https://www.sqlite.org/fts5.html) as in PostgreSQL.
"""

from __future__ import annotations

from unicodedata import ucd_3_2_0

from sqlalchemy import (
    BigInteger,
    Select,
    TextClause,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)

MOST_WORDS = 16
ROOM = 12  # bits of a document's number that tell calls of the same millisecond apart

# Migration 0002 keeps them in step. SQLite: the index, and the call of each of its documents,
# numbered by the time of the ring. PostgreSQL: `search` has the id of the call itself.
search = table("search", column("call_id"), column("words"))
search_calls = table("search_calls", column("id"), column("call_id"))


def words(typed: str) -> list[str]:
    """The words to look for, in lower case."""
    letters = (letter if _in_word(letter) else " " for letter in typed.lower())
    return "".join(letters).split()[:MOST_WORDS]


def _in_word(letter: str) -> bool:
    """Letters and digits, as both databases know them: those that are not of yesterday."""
    return letter.isalnum() and ucd_3_2_0.category(letter) != "Cn"


def fts5(typed: str) -> str:
    """The query in the language of FTS5; only the quotes and the last star are ours."""
    return " ".join(f'"{word}"' for word in words(typed)) + "*"


def tsquery(typed: str) -> str:
    """The query in the language of PostgreSQL."""
    return " & ".join(f"'{word}'" for word in words(typed)) + ":*"


def matching(typed: str, dialect: str, lowest: int = 0, highest: int = 2**63 - 1) -> Select[str]:
    """A query for the ids of the calls in which all the words occur; none without a word.

    On SQLite only documents numbered from `lowest` to `highest` are looked at.
    """
    if not words(typed):
        return select(search.c.call_id).where(text("1 = 0"))
    if dialect == "postgresql":
        query = func.to_tsquery(text("'simple'"), tsquery(typed))
        return select(search.c.call_id).where(search.c.words.op("@@")(query))
    return select(search_calls.c.call_id).where(
        search_calls.c.id.in_(documents(typed, lowest, highest))
    )


def documents(typed: str, lowest: int = 0, highest: int = 2**63 - 1) -> Select[int]:
    """SQLite's query for the documents themselves; it has at least one word."""
    rowid = literal_column("search.rowid", BigInteger)
    return (
        select(rowid)
        .select_from(search)
        .where(
            text("search MATCH :typed").bindparams(typed=fts5(typed)),
            rowid >= lowest,
            rowid <= highest,
        )
    )


def newest(typed: str, lowest: int, highest: int) -> Select[int]:
    """SQLite's query for documents from the newest on, each with its row of `calls`."""
    rowid = literal_column("search.rowid", BigInteger)
    joined = "search CROSS JOIN search_calls CROSS JOIN calls"  # the order of the loops
    return (
        select(rowid)
        .select_from(text(joined))
        .where(
            text("search MATCH :typed").bindparams(typed=fts5(typed)),
            rowid >= lowest,
            rowid <= highest,
            text("search_calls.id = search.rowid AND calls.call_id = search_calls.call_id"),
        )
        .order_by(rowid.desc())
    )


def occurs(typed: str) -> TextClause:
    """SQLite's condition on one row of `calls`: all the words occur in it."""
    return text(
        "EXISTS (SELECT 1 FROM search_calls CROSS JOIN search WHERE search MATCH :typed"
        " AND search_calls.call_id = calls.call_id AND search.rowid = search_calls.id)"
    ).bindparams(typed=fts5(typed))
