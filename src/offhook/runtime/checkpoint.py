"""A call as another process needs it: the value itself, without what is kept elsewhere, sealed.

What was said is in the record of the call already, and what all calls share is not the call's.
Times are on the clock of the process that wrote them; `epoch` leads from there to any other.
"""

from __future__ import annotations

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
from offhook.core.transfer import Attempt, TransferState
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
}
_UNWATCHED = {*LEFT_OUT, "digits", "usage"}
_WATCHED = tuple(name for name in Call.__struct_fields__ if name not in _UNWATCHED)


class Checkpoint(Struct, frozen=True, kw_only=True):
    """One call, as `replica` knew it at `at` (milliseconds since 1970).

    `epoch` plus a time of the call is seconds since 1970. `seen` is the id of the last frame that
    has been stepped, where the call was handed over.
    """

    call: Call
    replica: str
    at: int
    epoch: float
    seen: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Checkpoint).decode


def differs(before: Call, after: Call) -> bool:
    """Whether something has changed that another process could not do without."""
    return any(getattr(before, name) is not getattr(after, name) for name in _WATCHED)


def seal(checkpoint: Checkpoint, vault: Vault) -> str:
    """The checkpoint as it may be stored."""
    call = checkpoint.call
    tools = Ledger({ref: _lean(tool) for ref, tool in call.tools.calls.items()})
    lean = replace(checkpoint, call=replace(call, tools=tools, **LEFT_OUT))
    return vault.seal(_encode(lean).decode())


def unseal(state: str, vault: Vault) -> Checkpoint | None:
    """The checkpoint; `None` where our keys do not open it, or another version has written it."""
    text = vault.unseal(state)
    try:
        return None if text is None else _decode(text)
    except msgspec.MsgspecError:
        return None


def _lean(tool: ToolCall) -> ToolCall:
    """Without the arguments of what has been run, and the output that the cloud has."""
    if tool.outcome is None:
        return tool
    had = tool.taken and isinstance(tool.outcome, Answered)
    return replace(tool, arguments="", outcome=Answered("") if had else tool.outcome)


def moved(call: Call, by: float, now: float) -> Call:
    """The call with its times on a clock that shows `by` seconds more. Nothing is in the future."""

    def at(time: float | None) -> Any:
        return None if time is None else min(time + by, now)

    def tool(each: ToolCall) -> ToolCall:
        return replace(each, asked_at=at(each.asked_at), ended_at=at(each.ended_at))

    def attempt(each: Attempt) -> Attempt:
        return replace(each, began_at=at(each.began_at), ended_at=at(each.ended_at))

    transfer: TransferState = replace(
        call.transfer,
        began_at=at(call.transfer.began_at),
        attempts=tuple(map(attempt, call.transfer.attempts)),
    )
    return replace(
        call,
        rang_at=at(call.rang_at),
        accepted_at=at(call.accepted_at),
        attached_at=at(call.attached_at),
        greeted_at=at(call.greeted_at),
        ended_at=at(call.ended_at),
        tools=Ledger({ref: tool(each) for ref, each in call.tools.calls.items()}),
        transfer=transfer,
    )
