"""Keys that a caller pressed, taken out of texts that repeat them: a PIN is for nobody to read."""

from __future__ import annotations

import re

KEYS = "[keys]"

_RUN = re.compile(r"\d(?:[ ,.-]{0,2}\d)*")
_NO_DIGIT = re.compile(r"\D+")


class Pressed:
    """The digits that were pressed in one call, in order.

    Only runs of `least` digits or more are hidden: a menu's `1` is no secret, where texts are to
    be read by people.
    """

    def __init__(self, least: int = 1) -> None:
        self._least = least
        self._typed = ""

    def add(self, key: str) -> None:
        """Remember a key, or several; only digits count."""
        self._typed += _NO_DIGIT.sub("", key)

    def hidden(self, text: str) -> str:
        """The text without numbers that consist of keys as they were pressed."""
        return _RUN.sub(self._instead, text) if len(self._typed) >= self._least else text

    def _instead(self, found: re.Match[str]) -> str:
        digits = _NO_DIGIT.sub("", found[0])
        return KEYS if len(digits) >= self._least and digits in self._typed else found[0]
