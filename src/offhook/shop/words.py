"""Text as it is heard: folded words, and numbers said in English or German as digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

_FOLDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "é": "e", "è": "e"})
_WORD = re.compile(r"[^\W\d_]+|\d+")

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_GERMAN = (
    "null eins zwei drei vier fuenf sechs sieben acht neun zehn elf zwoelf dreizehn vierzehn "
    "fuenfzehn sechzehn siebzehn achtzehn neunzehn"
)
_TENS_ENGLISH = "twenty thirty forty fifty sixty seventy eighty ninety"
_TENS_GERMAN = "zwanzig dreissig vierzig fuenfzig sechzig siebzig achtzig neunzig"

_SMALL = {
    **{word: n for n, word in enumerate(_ENGLISH.split())},
    **{word: n for n, word in enumerate(_GERMAN.split())},
    "oh": 0,
    "o": 0,
    "zwo": 2,  # said for "zwei" on the phone, which sounds like "drei"
}
_TENS = {
    **{word: 10 * n for n, word in enumerate(_TENS_ENGLISH.split(), 2)},
    **{word: 10 * n for n, word in enumerate(_TENS_GERMAN.split(), 2)},
}
_SCALES = {"hundred": 100, "hundert": 100, "thousand": 1000, "tausend": 1000}
_REPEATS = {"double": 2, "doppel": 2, "zweimal": 2, "triple": 3, "dreimal": 3}
_UNITS = {word: n for word, n in _SMALL.items() if 0 < n < 10} | {"ein": 1}
_AND = re.compile(r"\b(hundred|thousand) and\b")
_SPLIT_COMPOUND = re.compile(rf"\b({'|'.join(_UNITS)}) und ({'|'.join(_TENS)})\b")


def fold(text: str) -> str:
    """Lower case without umlauts: `München` is `muenchen`, `Straße` is `strasse`."""
    return text.casefold().translate(_FOLDED)


def words(text: str) -> list[str]:
    """The folded words and numbers of a text; everything else only separates."""
    return _WORD.findall(fold(text))


def numerals(said: Sequence[str]) -> list[str]:
    """Folded words with each number as digits: `forty five` is `45`, `double three` is `33`.

    Numbers said one after another stay apart (`twelve three` is `12`, `3`), as in a code;
    `twelve thousand three hundred` is one number.
    """
    joined = _SPLIT_COMPOUND.sub(r"\1und\2", _AND.sub(r"\1", " ".join(said))).split()
    heard: list[str] = []
    for spoken, group in groupby(joined, key=_is_number):
        run = list(group)
        heard += _digits(run) if spoken else run
    return heard


def _is_number(word: str) -> bool:
    return word.isdecimal() or word in _SCALES or word in _REPEATS or _value(word) is not None


def _value(word: str) -> int | None:
    """The value of one word, German compounds such as `zwoelftausenddreihundert` included."""
    if word.isdecimal():
        return int(word)
    if (known := _SMALL.get(word, _TENS.get(word))) is not None:
        return known
    for scale in ("tausend", "hundert"):
        before, found, after = word.partition(scale)
        if found:
            head = _UNITS.get(before, _value(before)) if before else 1
            tail = _value(after.removeprefix("und")) if after else 0
            return None if head is None or tail is None else head * _SCALES[scale] + tail
    unit, found, ten = word.partition("und")
    if found and unit in _UNITS and ten in _TENS:
        return _TENS[ten] + _UNITS[unit]
    return None


def _digits(run: list[str]) -> list[str]:
    """A run of number words as digits."""
    if any(word in _SCALES for word in run):
        return [str(_sum(run))]
    heard: list[str] = []
    repeat, ten = 1, False
    for word in run:
        if word in _REPEATS:
            repeat, ten = _REPEATS[word], False
            continue
        value = _value(word)
        digits = word if word.isdecimal() else str(value)
        if ten and word in _UNITS:
            heard[-1] = str(int(heard[-1]) + _UNITS[word])
        else:
            heard.append(digits * repeat)
        repeat, ten = 1, word in _TENS
    return heard


def _sum(run: list[str]) -> int:
    """`twelve thousand three hundred forty five` as a number."""
    total, current = 0, 0
    for word in run:
        match _SCALES.get(word):
            case 100:
                current = 100 * (current or 1)
            case 1000:
                total, current = total + 1000 * (current or 1), 0
            case _:
                current += _value(word) or 0
    return total + current
