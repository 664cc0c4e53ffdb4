"""Write a log entry as one line: JSON for machines, columns for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec

Entry = dict[str, object]
"""`ts`, `level`, `scope`, `event`, then fields of any name."""

_encode = msgspec.json.Encoder(enc_hook=str).encode

# What ends a line or steers a terminal: controls, line separators, direction marks.
_STEERING = (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0x202A, 0x202F))
_ESCAPES = {code: f"\\u{code:04x}" for code in _STEERING} | {9: "\\t", 10: "\\n", 13: "\\r"}
_JSON_ESCAPES = {code: escape for code, escape in _ESCAPES.items() if code >= 127}

_HEAD = ("ts", "level", "scope", "event")
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


class _Clock:
    """Writes the time; what comes before the milliseconds is worked out once a second."""

    def __init__(self) -> None:
        self._known = (-1, "")

    def __call__(self, at: int) -> str:
        second, rest = divmod(at, 1_000_000_000)
        known, head = self._known
        if second != known:
            head = datetime.fromtimestamp(second, UTC).isoformat()[:19]
            self._known = (second, head)
        return f"{head}.{rest // 1_000_000:03d}Z"


timestamp = _Clock()
"""Returns a time in nanoseconds since 1970 as `2026-11-22T10:15:30.123Z`."""


def as_json(entry: Entry) -> str:
    """Return the entry as a JSON object without a line break, also where Unicode knows more."""
    try:
        line = _encode(entry).decode()
    except (ValueError, OverflowError):  # half a surrogate pair, a huge number
        return json.dumps(entry, default=str)
    return line if line.isascii() else line.translate(_JSON_ESCAPES)


class Pretty(msgspec.Struct, frozen=True):
    """Returns the entry as `10:15:30.123 info call  accepted  attempt=1`."""

    colours: bool = False

    def __call__(self, entry: Entry) -> str:
        ts, level, scope, event = (escaped(str(entry.get(key, ""))) for key in _HEAD)
        fields = " ".join(
            self._in("2", escaped(key) + "=") + _shown(value)
            for key, value in entry.items()
            if key not in _HEAD
        )
        head = f"{self._in('2', ts[11:23])} {self._in(_COLOURS.get(level, '0'), f'{level:<8}')}"
        return f"{head} {scope:<10} {self._in('1', event)}  {fields}".rstrip()

    def _in(self, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colours else text


def escaped(text: str) -> str:
    """Return the text without anything that could end the line or steer the terminal."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def _shown(value: object) -> str:
    if isinstance(value, str):
        plain = value and not any(c in value for c in " =\"'")
        return (
            escaped(value) if plain else json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
        )
    return as_json({"": value})[4:-1].translate(_ESCAPES)
