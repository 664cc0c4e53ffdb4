"""A call as another process needs it: the value itself, without what is kept elsewhere, sealed.

What was said is in the record of the call already, and what all calls share is not the call's.
Times are on the clock of the process that wrote them; `epoch` leads from there to any other.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from operator import attrgetter, is_not
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from offhook.core.alarms import Alarms
from offhook.core.call import Call
from offhook.core.outcomes import Answered
from offhook.core.rules import Lines, Rules
from offhook.core.toolcalls import Ledger, ToolCall
from offhook.core.transcript import Transcript
from offhook.core.usage import Usage
from offhook.store.vault import Vault

_NO_LINES = dict.fromkeys(Lines.__struct_fields__, "")
NO_RULES = Rules(lines=Lines(**_NO_LINES))

# What another process can do without: it is in the record, or it starts anew.
LEFT_OUT: dict[str, Any] = {
    "rules": NO_RULES,
    "alarms": Alarms(),
    "transcript": Transcript(),
    "tries": 0,
    "idle_prompts": 0,
    "probes": 0,
    "fillers": 0,
    "usage": Usage(),
}
_UNWATCHED = {*LEFT_OUT, "digits", "turns"}
_watched = attrgetter(*(name for name in Call.__struct_fields__ if name not in _UNWATCHED))


class Upto(Struct, frozen=True, gc=False):
    """How far an owner has got: the id of the last frame it has stepped that has one, and how many
    frames without one came behind it. Only keys of the telephone have none."""

    frame: str | None = None
    keys: int = 0


class Checkpoint(Struct, frozen=True, kw_only=True):
    """One call, as `replica` knew it at `at` (milliseconds since 1970).

    `epoch` plus a time of the call is seconds since 1970. `seen` is what has been stepped, where
    the call was handed over.
    """

    call: Call
    replica: str
    at: int
    epoch: float
    seen: Upto | None = None


_encode = msgspec.msgpack.Encoder().encode  # JSON has no infinity
_decode = msgspec.msgpack.Decoder(Checkpoint).decode


def differs(before: Call, after: Call) -> bool:
    """Whether something has changed that another process could not do without."""
    return any(map(is_not, _watched(before), _watched(after)))


def seal(checkpoint: Checkpoint, vault: Vault) -> str:
    """The checkpoint as it may be stored."""
    call = checkpoint.call
    tools = Ledger({ref: _lean(tool) for ref, tool in call.tools.calls.items()})
    last = call.turns.last
    turns = replace(call.turns, log={} if last is None else {last.item: last})
    lean = replace(checkpoint, call=replace(call, tools=tools, turns=turns, **LEFT_OUT))
    return vault.seal(b64encode(_encode(lean)).decode())


def unseal(state: str, vault: Vault) -> Checkpoint | None:
    """The checkpoint; `None` where our keys do not open it, or another version has written it."""
    text = vault.unseal(state)
    try:
        return None if text is None else _decode(b64decode(text))
    except (msgspec.MsgspecError, ValueError):
        return None


def _lean(tool: ToolCall) -> ToolCall:
    """Without the arguments of what has been run, and the output that the cloud has."""
    if tool.outcome is None:
        return tool
    had = tool.taken and isinstance(tool.outcome, Answered)
    return replace(tool, arguments="", outcome=Answered("") if had else tool.outcome)


def moved(value: Any, by: float, now: float) -> Any:
    """A call, or a part of it, with its times on a clock that shows `by` seconds more.

    Times are named `at`, `..._at` and `..._from`. None is in the future afterwards.
    """
    match value:
        case Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            return replace(
                value,
                **{
                    name: min(field + by, now)
                    if isinstance(field, float) and _is_time(name)
                    else moved(field, by, now)
                    for name, field in fields.items()
                },
            )
        case tuple():
            return tuple(moved(each, by, now) for each in value)
        case dict():
            return {key: moved(each, by, now) for key, each in value.items()}
        case _:
            return value


def _is_time(name: str) -> bool:
    return name == "at" or name.endswith(("_at", "_from"))
