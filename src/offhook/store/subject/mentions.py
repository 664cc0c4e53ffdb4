"""One phone number in texts of any kind, however it was written or read out.

Where texts are kept in full, other callers' calls may hold the number of the person who asks.
"""

from __future__ import annotations

import re

import msgspec
import phonenumbers

from offhook.observe.redact import redact
from offhook.observe.spoken import hide_spoken
from offhook.telephony.numbers import normalise

PLACEHOLDER = "[phone]"
MIN_DIGITS = 6  # the number of an extension is in every other text

_GAP = r"[ \t./()\-\u00a0\u2007\u2009\u202f\u2010-\u2015]{0,3}"


class Mentions:
    """Finds one number: in any notation, with or without country code, in words or in JSON."""

    def __init__(self, number: str) -> None:
        country, rest = _parts(normalise(number))
        self._digits = rest if len(rest) >= MIN_DIGITS else ""
        self._written = re.compile(_pattern(country, rest))

    def hidden(self, text: str) -> str | None:
        """The text without the number; `None` if the number is not in it. JSON stays JSON."""
        if not self._digits:
            return None
        if text[:1] in ("{", "[", '"'):
            try:
                value = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                return self._hidden(text)
            less = self._less(value)
            return None if less == value else msgspec.json.encode(less).decode()
        return self._hidden(text)

    def _hidden(self, text: str) -> str | None:
        less, times = self._written.subn(PLACEHOLDER, text)
        if self._spoken_in(less):
            return redact(less)
        return less if times else None

    def _spoken_in(self, text: str) -> bool:
        found: list[str] = []

        def note(kind: str, digits: str) -> str:
            found.append(digits)
            return ""

        hide_spoken(text, note)
        return any(self._digits in digits for digits in found)

    def _less(self, value: object) -> object:
        match value:
            case str():
                less = self._hidden(value)
                return value if less is None else less
            case dict():
                return {self._less(key): self._less(item) for key, item in value.items()}
            case list():
                return [self._less(item) for item in value]
            case int() if not isinstance(value, bool) and self._written.fullmatch(str(value)):
                return PLACEHOLDER
            case _:
                return value


def _parts(number: str) -> tuple[str, str]:
    """The country code and the rest, both as digits; no code if it is not known."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "", "".join(filter(str.isdecimal, number))
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)


def _pattern(country: str, rest: str) -> str:
    code = _GAP.join(country)
    head = rf"(?:\+|00){code}{_GAP}0?{_GAP}|{code}{_GAP}|0{_GAP}" if country else r"\+"
    return rf"(?<!\d)\(?(?:{head})?{_GAP.join(rest)}(?!\d)"
