"""Reads the file of lines: TOML. Everything that is wrong is told at once, each with its line."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, ValidationError

from offhook.dialplan.hours import parse_hours
from offhook.dialplan.plan import DialPlan, Line
from offhook.errors import UserError

Check: TypeAlias = Callable[[Line], Iterator[tuple[str, str]]]

_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,63}")
_PATTERN = re.compile(r"\+[1-9]\d{1,14}|(\+[1-9]\d{0,13})?\*|\d{2,8}")
_HEADER = re.compile(r"\s*\[\s*lines\s*\.\s*[\"']?([^\"'\]]+?)[\"']?\s*(?:\.[^\]]*)?\]")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*(?:\.[^=]*)?=")
_SYNTAX = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)")


class Wrong(Struct, frozen=True, order=True):
    """One thing that is wrong: in which line of the file (0: in none), and what to do about it."""

    line: int
    what: str


class PlanError(UserError):
    """The file of lines cannot be used. Carries everything that is wrong with it."""

    def __init__(self, path: Path, wrong: list[Wrong]) -> None:
        self.wrong = tuple(sorted(wrong))
        super().__init__("\n".join(_told(path, w) for w in self.wrong))


def _told(path: Path, wrong: Wrong) -> str:
    if not wrong.line:
        return f"OFFHOOK_LINES: {path} {wrong.what}"
    return f"{path}, line {wrong.line}: {wrong.what}"


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of the file, as it may be written."""

    numbers: list[str]
    bot: str | None = None
    voice: str | None = None
    language: str | None = None
    targets: dict[str, str] = {}
    timezone: str | None = None
    hours: list[str] | None = None
    closed: list[dt.date] = []
    when_closed: str | None = None
    capacity: int | None = None
    reserved: int = 0
    calls_per_hour: int | None = None
    daily_minutes: float | None = None
    daily_budget: float | None = None
    max_call_minutes: float | None = None
    blocked: list[str] = []
    anonymous: bool | None = None


_TYPES = typing.get_type_hints(_Written)


def read_plan(path: Path, check: Check = lambda _: iter(())) -> DialPlan:
    """Read and check the file. `check` yields a key of a line and what is wrong with its value.

    Raises `PlanError` with everything that is wrong, each with its line.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PlanError(path, [Wrong(0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise PlanError(path, [Wrong(1, "is not UTF-8 text; save it as UTF-8")]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanError(path, [_syntax(str(error), text)]) from None
    return _plan(path, data, _Places(text), check)


def _plan(path: Path, data: dict[str, Any], places: _Places, check: Check) -> DialPlan:
    wrong = [
        Wrong(places.of_key(key), f"{key} is not known here; lines are tables: [lines.{key}]")
        for key in data
        if key != "lines"
    ]
    tables = data.get("lines", {})
    if not isinstance(tables, dict) or not tables:
        wrong.append(Wrong(1, 'has no line; write one: [lines.shop], then numbers = ["*"]'))
        tables = {}
    lines: list[Line] = []
    for name, table in tables.items():
        line = _line(name, table, places, wrong)
        if line is not None:
            lines.append(line)
            wrong += (Wrong(places.of(name, key), f"{key}: {what}") for key, what in check(line))
    wrong += _twice(lines, places)
    if wrong:
        raise PlanError(path, wrong)
    return DialPlan(tuple(lines))


def _line(name: str, table: object, places: _Places, wrong: list[Wrong]) -> Line | None:
    """The line of a table. What is wrong in it is left out, so that the rest can be looked at."""
    if not _NAME.fullmatch(name):
        wrong.append(Wrong(places.of(name), f"{name!r}: use letters, digits, - and _ for a name"))
    if not isinstance(table, dict):
        wrong.append(Wrong(places.of(name), f"{name}: must be a table: [lines.{name}]"))
        return None
    found: dict[str, str] = {}
    written = _fitting(name, table, found)
    for key, what in _check(written):
        found.setdefault(key, f"{key}: {what}")
    hours = None
    if not found.keys() & {"hours", "timezone", "closed"}:
        try:
            hours = _hours(written)
        except ValueError as error:
            found["hours"] = f"hours: {error}"
    wrong += (Wrong(places.of(name, key), what) for key, what in found.items())
    fields = {k: v for k, v in msgspec.structs.asdict(written).items() if k not in found}
    fields = {k: v for k, v in fields.items() if k not in ("timezone", "closed")}
    for key in ("numbers", "blocked"):
        fields[key] = tuple(fields.get(key, ()))
    return Line(**{**fields, "name": name, "hours": hours})


def _fitting(name: str, table: dict[str, Any], found: dict[str, str]) -> _Written:
    """What is of the right type; of the rest `found` gets what is wrong, by key."""
    fits: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _TYPES:
            found[key] = f"{key} is not known; there are: {', '.join(_TYPES)}"
            continue
        try:
            fits[key] = msgspec.convert(value, _TYPES[key])
        except ValidationError as error:
            what = str(error).partition(" - at `$")[0].replace("Expected", "must be")
            found[key] = f"{key}: {what.replace('`', '').replace(', got', ', not')}"
    if "numbers" not in table:
        found["numbers"] = f"[lines.{name}] needs numbers"
    return _Written(**{"numbers": [], **fits})


def _hours(written: _Written) -> Any:
    if written.hours is None:
        return None
    return parse_hours(written.timezone or "UTC", written.hours, written.closed)


def _check(written: _Written) -> Iterator[tuple[str, str]]:
    """What types alone do not say. Yields the key and what is wrong."""
    if not written.numbers:
        yield "numbers", 'name at least one, such as "+493023125000", or "*" for all'
    for key in ("numbers", "blocked"):
        for pattern in getattr(written, key):
            if not _PATTERN.fullmatch(pattern):
                yield key, f'{pattern!r} is no number; write "+493023125000", "+49*" or "*"'
    if written.hours is not None and written.timezone is None:
        yield "hours", 'need a timezone, such as timezone = "Europe/Berlin"'
    if written.timezone is not None and not _is_zone(written.timezone):
        yield "timezone", f"{written.timezone!r} is not known; write one such as Europe/Berlin"
    if written.when_closed is not None and written.hours is None:
        yield "when_closed", "means nothing without hours"
    for key in ("capacity", "calls_per_hour"):
        if (number := getattr(written, key)) is not None and number < 1:
            yield key, "must be a whole number from 1"
    for key in ("daily_minutes", "daily_budget", "max_call_minutes"):
        if (number := getattr(written, key)) is not None and not number > 0:
            yield key, "must be a number greater than 0"
    if written.reserved < 0:
        yield "reserved", "must be a whole number from 0"
    elif written.capacity is not None and written.reserved > written.capacity:
        yield "reserved", f"cannot be more than the capacity, {written.capacity}"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _twice(lines: list[Line], places: _Places) -> Iterator[Wrong]:
    """A number that two lines claim: nobody could say which one answers."""
    owners: dict[str, str] = {}
    for line in lines:
        for pattern in line.numbers:
            other = owners.setdefault(pattern, line.name)
            if other != line.name:
                yield Wrong(
                    places.of(line.name, "numbers"), f"numbers: {pattern} is [lines.{other}]'s"
                )


def _syntax(message: str, text: str) -> Wrong:
    found = _SYNTAX.fullmatch(message)
    last = text.count("\n") + 1
    if found is None:
        return Wrong(1, f"is not TOML: {message}")
    return Wrong(int(found[2] or last), f"is not TOML: {found[1]}")


class _Places:
    """Where in the text tables and keys stand, counted from 1."""

    def __init__(self, text: str) -> None:
        self._tables: dict[str, int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        table = ""
        for number, row in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(row):
                table = header[1]
                self._tables.setdefault(table, number)
            elif row.lstrip().startswith("["):
                table = ""
            if key := _KEY.match(row):
                self._keys.setdefault((table, key[1]), number)

    def of(self, table: str, key: str | None = None) -> int:
        """The line of a key in a table; that of the table where it has no such key."""
        return self._keys.get((table, key or ""), self._tables.get(table, 1))

    def of_key(self, key: str) -> int:
        """The line of a key outside of any line's table."""
        return self._keys.get(("", key), 1)
