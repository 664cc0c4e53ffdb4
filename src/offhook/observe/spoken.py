"""Find digits that were said rather than written, in English and German.

A transcript has `four one one one`, `double five`, `null eins zwo` or `einundzwanzig` where a
caller reads out a number that no log may keep.
"""

from __future__ import annotations

import re
import string

from offhook.observe.written import Named

_MIN_DIGITS = 4

_ONES = (
    ("zero", "oh", "nought", "o", "null"),
    ("one", "eins"),
    ("two", "zwei", "zwo"),
    ("three", "drei"),
    ("four", "vier"),
    ("five", "fünf", "fuenf"),
    ("six", "sechs"),
    ("seven", "sieben"),
    ("eight", "acht"),
    ("nine", "niner", "neun"),
)
_TEENS = (
    ("ten", "zehn"),
    ("eleven", "elf"),
    ("twelve", "zwölf", "zwoelf"),
    ("thirteen", "dreizehn"),
    ("fourteen", "vierzehn"),
    ("fifteen", "fünfzehn", "fuenfzehn"),
    ("sixteen", "sechzehn"),
    ("seventeen", "siebzehn"),
    ("eighteen", "achtzehn"),
    ("nineteen", "neunzehn"),
)
_TENS = (
    ("twenty", "zwanzig"),
    ("thirty", "dreißig", "dreissig"),
    ("forty", "vierzig"),
    ("fifty", "fünfzig", "fuenfzig"),
    ("sixty", "sechzig"),
    ("seventy", "siebzig"),
    ("eighty", "achtzig"),
    ("ninety", "neunzig"),
)
_REPEATS = {"double": 2, "doppel": 2, "zweimal": 2, "triple": 3, "treble": 3, "dreimal": 3}

_VALUES = {
    **{word: str(value) for value, words in enumerate(_ONES) for word in words},
    **{word: str(value) for value, words in enumerate(_TEENS, 10) for word in words},
    **{word: f"{value}0" for value, words in enumerate(_TENS, 2) for word in words},
    **{
        f"{'ein' if one == 'eins' else one}und{ten}": f"{tens}{ones}"
        for tens, (_, *german_tens) in enumerate(_TENS, 2)
        for ones, (_, *german_ones) in enumerate(_ONES[1:], 1)
        for ten in german_tens
        for one in german_ones
    },
}
_ENGLISH_TENS = {words[0] for words in _TENS}

_FILLERS = {"die", "uh", "uhm", "um", "er", "äh", "ähm", "eh", "hm", "hmm"}
_ANY = "|".join(sorted(_VALUES, key=len, reverse=True))
_GAP = rf"[\s,./\-–—…]{{1,4}}(?:(?:{'|'.join(_FILLERS)})\b[\s,.\-–—…]{{1,4}})?"
_ITEM = (
    rf"(?:(?:{'|'.join(_REPEATS)})[\s-](?:die[\s-])?)?"
    rf"(?:(?:{_ANY})|(?<!\d[.:/-])\d{{1,2}}(?![.:/-]\d))\b"
)
_RUN = re.compile(rf"\b{_ITEM}(?:{_GAP}{_ITEM})*", re.IGNORECASE)
_TOKEN = re.compile(r"\w+")

_IN_RUNS = {*_VALUES, *_REPEATS, *_FILLERS}
_HINTS = frozenset(_VALUES) - {"o"}
_SPACES = str.maketrans(dict.fromkeys(string.punctuation + "–—…·„“”‚‘’«»", " "))


def hide_spoken(text: str, named: Named) -> str:
    """Replace four or more spoken digits in a row; numerals may be mixed in (`digits`)."""
    words = text.lower().translate(_SPACES).split()
    if _HINTS.isdisjoint(words) or not _may_have_run(words):
        return text
    return _RUN.sub(lambda found: _instead(found[0], named), text)


def _may_have_run(words: list[str]) -> bool:
    """Whether enough numbers follow one another; a plain sentence with a `one` is common."""
    digits, times, said = 0, 1, False
    for word in words:
        if word not in _IN_RUNS and not (word.isdecimal() and len(word) <= 2):
            digits, times, said = 0, 1, False
        elif word in _VALUES:
            digits, times, said = digits + times * len(_VALUES[word]), 1, True
        elif word in _REPEATS:
            times = _REPEATS[word]
        elif word not in _FILLERS:
            digits, times = digits + times * len(word), 1
        if said and digits >= _MIN_DIGITS:
            return True
    return False


def _instead(run: str, named: Named) -> str:
    tokens = [token.lower() for token in _TOKEN.findall(run)]
    said = {token for token in tokens if token in _VALUES}
    if not said or said == {"null"}:  # plain numerals are not ours, and JSON is full of nulls
        return run
    digits = _digits(tokens)
    return named("digits", digits) if len(digits) >= _MIN_DIGITS else run


def _digits(tokens: list[str]) -> str:
    digits, times, before = "", 1, ""
    for token in tokens:
        value = token if token.isdecimal() else _VALUES.get(token, "")
        if before in _ENGLISH_TENS and len(value) == 1 and value != "0":
            digits = digits[:-1] + value  # "twenty one" is 21, not 201
        else:
            digits += value * times
        times, before = _REPEATS.get(token, 1 if value else times), token
    return digits
