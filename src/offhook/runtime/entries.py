"""What a journal holds: one JSON object a line, written from values and read back to them.

    {"t":0.0,"kind":"ring","data":{"journal":1,"call_id":"rtc_1","clock":5120.25,...}}
    {"t":1.24,"kind":"frame","data":{"type":"input_audio_buffer.speech_started",...}}
    {"t":1.24,"kind":"event","data":{"is":"on.CallerStarted","item":"item_1"}}
    {"t":3.5,"kind":"command","data":{"is":"do.RunTool","ref":"call_1",...}}
    {"t":4.1,"kind":"sent","data":{"type":"response.create",...}}
    {"t":9.0,"kind":"end","data":{"reason":"caller_hung_up","detail":""}}

`t` is in seconds since the ring, with all digits of the clock, as decisions hang on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from offhook.core import commands, directives, events, outcomes

VERSION = 1


class Kind(StrEnum):
    """What a line tells of."""

    RING = "ring"  # the first: the rules of the call and its first commands' cause
    FRAME = "frame"  # came from the cloud
    LINE = "line"  # the sideband: opened, lost; or time has passed for it
    EVENT = "event"  # stepped the call
    COMMAND = "command"  # what the call wanted done
    SENT = "sent"  # went to the cloud
    END = "end"


class Entry(Struct, frozen=True):
    """One line."""

    t: float
    kind: Kind
    data: dict[str, Any]


def _tagged() -> dict[str, type[Struct]]:
    """Every value by the name that it is written under; a hang-up is a command and an outcome."""
    spaces = (("on.", events), ("do.", commands), ("to.", directives), ("", outcomes))
    return {
        prefix + name: kind
        for prefix, module in spaces
        for name, kind in vars(module).items()
        if getattr(kind, "__module__", "") == module.__name__ and _is_struct(kind)
    }


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


_KINDS = _tagged()
_NAMES = {kind: name for name, kind in _KINDS.items()}
_HINTS: dict[type[Struct], dict[str, Any]] = {}


def written(value: object) -> Any:
    """A value as JSON has it; events, commands and outcomes say in `is` what they are."""
    match value:
        case Struct():
            name = _NAMES.get(type(value))
            tag = {"is": name} if name else {}
            fields = value.__struct_fields__
            return {**tag, **{f: written(getattr(value, f)) for f in fields}}
        case Mapping():
            return {str(key): written(item) for key, item in value.items()}
        case tuple() | list():
            return [written(item) for item in value]
        case StrEnum():
            return str(value)
        case _:
            return value


def read(data: Any) -> Any:
    """The value that was `written`. Raises `ValueError` for one that offhook does not know."""
    if not (isinstance(data, dict) and "is" in data):
        return data
    kind = _KINDS.get(data["is"])
    if kind is None:
        raise ValueError(f"this version of offhook knows no {data['is']}")
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    given = {k: _field(v, _HINTS[kind].get(k)) for k, v in data.items() if k != "is"}
    try:
        return kind(**given)
    except TypeError as error:
        raise ValueError(f"{data['is']} was something else then: {error}") from None


def _field(value: Any, hint: Any) -> Any:
    if isinstance(value, dict) and "is" in value:
        return read(value)
    try:
        return msgspec.convert(value, hint)
    except TypeError:  # a choice of several structs, and this is none of them
        return value
