"""Words in transcripts: what a person typed, cut into words, and nothing but words.

A word is a run of letters and digits; whatever stands between is a space. All must occur in one
call, by whomever and in any order; the last may be the beginning of a word, if two of its letters
are there. So `AND`, `*`, `-` and quotes mean nothing, on either database.
"""

from __future__ import annotations

from collections.abc import Collection
from unicodedata import ucd_3_2_0

MOST_WORDS = 16
SHORTEST_BEGINNING = 2


def words(typed: str) -> list[str]:
    """The words to look for, in lower case."""
    return cut(typed)[:MOST_WORDS]


def cut(text: str) -> list[str]:
    """All its words, in lower case."""
    return "".join(map(_letter, text)).split()


def _letter(letter: str) -> str:
    """A letter or digit in lower case, else a space. Those of yesterday only we would know."""
    if not letter.isalnum() or ucd_3_2_0.category(letter) == "Cn":
        return " "
    lower = letter.lower()
    return lower if len(lower) == 1 else letter


def is_beginning(word: str) -> bool:
    """Whether the last word to look for may go on."""
    return len(word) >= SHORTEST_BEGINNING


def occur(found: list[str], said: Collection[str]) -> bool:
    """Whether the words to look for are among those that were said."""
    *others, last = found
    if any(word not in said for word in others):
        return False
    return last in said or (is_beginning(last) and any(word.startswith(last) for word in said))


def pattern(word: str) -> str:
    """What LIKE finds every text by that has the word, and some others.

    SQLite's LIKE knows upper and lower case of ASCII only; other letters may be any.
    """
    return f"%{''.join(letter if letter.isascii() else '%' for letter in word)}%"


def tsquery(found: list[str]) -> str:
    """The query in the language of PostgreSQL; all but letters and digits is ours."""
    star = ":*" if is_beginning(found[-1]) else ""
    return " & ".join(f"'{word}'" for word in found) + star
