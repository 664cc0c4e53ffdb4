"""Where things stand in a TOML file: the line of each key and of each element of an array.

`tomllib` reads the values but forgets their places, which a person needs to mend a mistake. The
text has passed `tomllib` before it comes here, so that this reader may trust its form.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|' + r"'''.*?'{3,5}|" + r""""(?:[^"\\]|\\.)*"|'[^']*'""", re.DOTALL
)
_OTHER = re.compile(r"[^,\]}#\n]*")


def lines(text: str) -> dict[Path, int]:
    """The line, from 1, of each key and element by its path, e.g. `("caller", 0, "says")`."""
    reader = _Reader(text)
    reader.document()
    return reader.found


def line_of(found: dict[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it; 1 for the whole file."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)


class _Reader:
    """Reads from left to right and notes places."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counts: dict[Path, int] = {}
        self.found: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while self._skip(_SPACE) < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Path:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        path: Path = ()
        for key in self._keys():
            if path in self._counts:
                path = (*path, self._counts[path])
            path = (*path, key)
        self._at += 2 if many else 1
        self._note(path)
        if many:
            self._counts[path] = self._counts.get(path, -1) + 1
        if path in self._counts:
            path = (*path, self._counts[path])
            self._note(path)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = (*table, *self._keys())
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length], start)
        self._at += 1  # the equals sign
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            key = self._take(_KEY)
            keys.append(key[1:-1] if key[:1] in ("'", '"') else key)
            self._skip(_BLANK)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        match self._text[self._at]:
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_OTHER)

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_SPACE)] != "]":
            self._note((*path, index))
            self._value((*path, index))
            index += 1
            if self._text[self._skip(_SPACE)] == ",":
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._text[self._skip(_SPACE)] != "}":
            self._pair(path)
            if self._text[self._skip(_SPACE)] == ",":
                self._at += 1
        self._at += 1

    def _note(self, path: Path, at: int | None = None) -> None:
        place = self._at if at is None else at
        self.found.setdefault(path, self._text.count("\n", 0, place) + 1)

    def _skip(self, pattern: re.Pattern[str]) -> int:
        self._take(pattern)
        return self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None  # noqa: S101 - tomllib has read this text
        self._at = found.end()
        return found[0]
