"""What is wrong with a scenario file, in words for the person who wrote it."""

from __future__ import annotations

import difflib
import re
from typing import get_args

from msgspec import Struct

from offhook.simulator.must import Must, ToolMust
from offhook.simulator.toml_lines import Path
from offhook.simulator.written import (
    BotSide,
    CallerStep,
    CallerWord,
    File,
    ModelStep,
    ModelWord,
    ToolCall,
)

_UNKNOWN = re.compile(r"unknown field `(.+?)`")
_PATH = re.compile(r" - at `\$(.*?)`$")
_KEYS = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PLACES: tuple[tuple[str, type[Struct]], ...] = (
    (r"\.caller\[\d+\]", CallerStep),
    (r"\.model\[\d+\]\.calls\[\d+\]", ToolCall),
    (r"\.model\[\d+\]", ModelStep),
    (r"\.bot", BotSide),
    (r"\.must\.tools\[\d+\]", ToolMust),
    (r"\.must", Must),
    (r"", File),
)


def told(message: str) -> tuple[str, Path]:
    """What msgspec found, in words for a person, and where."""
    found = _PATH.search(message)
    place = found[1] if found else ""
    what = message[: found.start()] if found else message
    path: Path = tuple(int(number) if number else key for key, number in _KEYS.findall(place))
    unknown = _UNKNOWN.search(what)
    if unknown is not None:
        kind = next(kind for pattern, kind in _PLACES if re.fullmatch(pattern, place))
        return no_such_key(unknown[1], kind.__struct_encode_fields__), (*path, unknown[1])
    if "enum value" in what:
        what += _choices(path)
    what = what.replace("Object missing required field", "missing:").replace("`object`", "a table")
    return f"{what[:1].lower()}{what[1:]}", path


def _choices(path: Path) -> str:
    words = {"caller": CallerWord, "model": ModelWord}.get(str(path[0]) if path else "")
    if words is None or len(path) != 2:
        return ""
    return f"; words here are {', '.join(repr(w) for w in get_args(words))}"


def no_such_key(key: str, known: tuple[str, ...]) -> str:
    """A key that nobody knows, with the nearest that there is."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"there is no {key!r} here; {hint}"
