"""The scripted model: which act is next, and what it says without a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from offhook.simulator.script import (
    Act,
    CallsTools,
    FailsWith,
    Improviser,
    Outputs,
    Replies,
    Silent,
)
from offhook.simulator.wire import Json, item_text

_QUOTED_TO_THE_END = re.compile(r'[:,]\s*(?:"(.+)"|“(.+)”|„(.+)[“”]|«(.+)»)\s*\.?\s*$', re.DOTALL)
_QUOTED = re.compile(r'"(.+?)"|“(.+?)”|„(.+?)[“”]|«(.+?)»', re.DOTALL)


def ordered_text(order: str) -> str | None:
    """The quoted words that an order demands to be said, if it quotes any."""
    found = _QUOTED_TO_THE_END.search(order) or _QUOTED.search(order)
    if found is None:
        return None
    return next(words for words in found.groups() if words is not None)


class Model:
    """Takes the acts of a script one after the other."""

    def __init__(self, acts: Iterable[Act], improviser: Improviser | None = None) -> None:
        self._acts = list(acts)
        self._improviser = improviser
        self._orders_read: list[Json] = []

    def next_act(self, items: list[Json], params: Json, caller_text: str, session: Json) -> Act:
        """What the model does now; a reply's text is ready to be spoken.

        An order to say certain words is obeyed without using up the script.
        """
        read_before = self._orders_read
        words = self._ordered(items, params)
        outputs = _outputs(items)
        forbidden = params.get("tool_choice") == "none"
        for index, act in enumerate(self._acts):
            if act.ordered is not (words is not None) or not _holds(act, caller_text, outputs):
                continue
            if forbidden and isinstance(act, CallsTools):
                continue
            if not act.repeat:
                del self._acts[index]
            if isinstance(act, FailsWith | Silent):  # an order that nothing came of still stands
                self._orders_read = read_before
            return _ready(act, outputs)
        if words is not None:
            return Replies(words)
        if self._improviser is not None:
            session = {**session, "tools": []} if forbidden else session
            return self._improviser.act(session, items, caller_text)
        return Replies(_small_talk(items, caller_text, outputs))

    def _ordered(self, items: list[Json], params: Json) -> str | None:
        """The words of the newest order, if no answer was begun and no caller spoke since."""
        own = params.get("instructions")
        if own:
            return ordered_text(own)
        heard = [item for item in params.get("input") or items if _is_heard(item)]
        newest = heard[-1] if heard else None
        obeyed = any(newest is order for order in self._orders_read)
        self._orders_read = [item for item in heard if item["role"] == "system"]
        if newest is None or newest["role"] != "system" or obeyed:
            return None
        return ordered_text(item_text(newest))


def _is_heard(item: Json) -> bool:
    return bool(item["type"] == "message" and item["role"] != "assistant")


def _holds(act: Act, caller_text: str, outputs: Outputs) -> bool:
    if isinstance(act, Replies) and act.from_tool is not None and not outputs:
        return False
    return act.to is None or re.search(act.to, caller_text, re.IGNORECASE) is not None


def _outputs(items: list[Json]) -> Outputs:
    """What tools answered since the model or the caller last spoke."""
    found: Outputs = []
    for item in reversed(items):
        match item:
            case {"type": "function_call_output", "output": output}:
                found.append(_parsed(output))
            case {"type": "message", "role": "assistant", "phase": "commentary"}:
                continue
            case {"type": "message", "role": "user" | "assistant"}:
                break
    return found[::-1]


def _parsed(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output


class _Words(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _ready(act: Act, outputs: Outputs) -> Act:
    if not isinstance(act, Replies) or act.from_tool is None:
        return act
    if callable(act.from_tool):
        return Replies(act.from_tool(outputs))
    words = _Words(output=_told(outputs[-1]))
    for output in outputs:
        if isinstance(output, dict):
            words.update(output)
    return Replies(act.from_tool.format_map(words))


def _told(output: Any) -> str:
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


def _small_talk(items: list[Json], caller_text: str, outputs: Outputs) -> str:
    if outputs:
        return f"This is what I found: {_told(outputs[-1])}"
    if caller_text:
        return f"You said: {caller_text}"
    return "Are you still there?" if items else "Hello, how can I help you?"
