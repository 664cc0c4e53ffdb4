"""`offhook replay --as-scenario`: the call of a journal, written down as a scenario file.

Caller and model do again what they did; what the tools answer is up to the bot that plays it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from offhook.core import events as on
from offhook.core.end import EndReason
from offhook.realtime.floor import OWN
from offhook.realtime.sends import TAG
from offhook.realtime.surface import HOOK
from offhook.replay import Journal, JournalError
from offhook.runtime.entries import Entry, Kind, read

Table = dict[str, Any]
Step = str | Table

NOT_UNDERSTOOD = "(not understood)"

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ENDS = {  # as the cloud sees them; what the cloud itself did wrong is not in the journal's power
    EndReason.CALLER_HUNG_UP: "caller_hung_up",
    EndReason.CALLER_LEFT_EARLY: "caller_hung_up",
    EndReason.BOT_HUNG_UP: "bot_hung_up",
    EndReason.CALLER_SILENT: "bot_hung_up",
    EndReason.TRANSFERRED: "transferred",
}
_CALLER_LEFT = (EndReason.CALLER_HUNG_UP, EndReason.CALLER_LEFT_EARLY)


def as_scenario(journal: Journal) -> str:
    """The scenario file as text. Raises `JournalError` for a line that offhook does not know."""
    entries = [entry for _, entry in journal.lines]
    events = list(_events(journal))
    reason = _reason(entries)
    caller = list(Caller(events).steps())
    if reason in _CALLER_LEFT:
        caller.append("hangs up")
    withheld = journal.ring.caller.get("number") is None
    early = reason is EndReason.CALLER_LEFT_EARLY
    head: Table = {
        "title": "A call from a journal",
        "about": f"Call {journal.ring.call_id}; names and numbers are placeholders.",
        **({"from": "withheld"} if withheld else {}),
        **({"starts": "ringing"} if early else {}),
    }
    pressed = any(isinstance(step, dict) and "presses" in step for step in caller)
    parts = [
        _pairs(head),
        "# The keys are placeholders: journals do not hold them.\n" if pressed else "",
        _array("caller", caller),
        _array("model", list(_model(entries))),
        f"\n[bot]\n{_pairs({'language': 'de'})}" if journal.ring.language[:2] == "de" else "",
        f"\n[must]\n{_must(events, reason)}",
    ]
    return "".join(parts)


def _events(journal: Journal) -> Iterator[tuple[float, on.Event]]:
    for number, entry in journal.lines:
        if entry.kind is Kind.EVENT:
            try:
                yield entry.t, read(entry.data)
            except ValueError as error:
                raise JournalError(f"line {number}: {error}") from None


def _reason(entries: list[Entry]) -> EndReason | None:
    last = entries[-1]
    if last.kind is not Kind.END or "reason" not in last.data:
        return None
    return next((reason for reason in EndReason if reason == last.data["reason"]), None)


class Caller:
    """What the caller did, from the events of the call."""

    def __init__(self, events: list[tuple[float, on.Event]]) -> None:
        self._events = events
        self._words = {e.item: e.text for _, e in events if isinstance(e, on.CallerSaid)}
        self._speaks_since: float | None = None
        self._bot_spoke = False
        self._tools: dict[str, str] = {}
        self._heard: set[str] = set()

    def steps(self) -> Iterator[Step]:
        """One after the other, with `listens` wherever the bot was heard to the end."""
        keys = ""
        for n, (t, event) in enumerate(self._events):
            if keys and isinstance(event, on.CallerStarted | on.BotStarted | on.SidebandLost):
                yield {"presses": keys}
                keys = ""
            match event:
                case on.BotStarted():
                    self._speaks_since = t
                case on.BotStopped():
                    self._speaks_since, self._bot_spoke = None, True
                case on.ToolAsked(ref, name):
                    self._tools[ref] = name
                case on.ToolEnded(ref):
                    self._tools.pop(ref, None)
                case on.DigitPressed(key):
                    if not keys:
                        yield from self._listened()
                    keys += key
                case on.CallerStarted(item) if item not in self._heard:
                    self._heard.add(item)
                    yield from self._speaks(t, self._words.get(item) or NOT_UNDERSTOOD)
                case on.SidebandLost() if self._attaches_again(n):
                    yield "loses the sideband"
        if keys:
            yield {"presses": keys}
        yield from self._listened()

    def _speaks(self, t: float, text: str) -> Iterator[Step]:
        if self._speaks_since is not None:
            over = round((t - self._speaks_since) * 1000)
            self._bot_spoke = False
            yield {"says": text, "over_bot_ms": max(1, over)}
        elif self._tools:
            yield {"says": text, "during_tool": next(iter(self._tools.values()))}
        else:
            yield from self._listened()
            yield {"says": text}

    def _listened(self) -> Iterator[Step]:
        if self._bot_spoke:
            self._bot_spoke = False
            yield "listens"

    def _attaches_again(self, n: int) -> bool:
        return any(isinstance(event, on.Attached) for _, event in self._events[n:])


def _model(entries: list[Entry]) -> Iterator[Step]:
    """What the model did by itself: what it was ordered to say, it is ordered again."""
    spoken = {
        entry.data["item_id"]: entry.data.get("transcript") or entry.data.get("text") or ""
        for entry in entries
        if entry.data.get("type")
        in ("response.output_audio_transcript.done", "response.output_text.done")
    }
    for response in _own(entries):
        yield from _response(response, spoken)


def _own(entries: list[Entry]) -> Iterator[Table]:
    """The responses of the model's own will, each once however often it was told."""
    seen: set[str] = set()
    prompts = False  # the cloud has the next one said by itself, as nobody speaks
    for entry in entries:
        match entry.data:
            case {"type": "input_audio_buffer.timeout_triggered"}:
                prompts = True
            case {"type": "input_audio_buffer.speech_started"}:
                prompts = False
            case {"type": "response.created", "response": {"id": str(made)}} if prompts:
                prompts = False
                seen.add(made)
            case {"type": "response.done", "response": {"id": str(done)} as response}:
                ref = (response.get("metadata") or {}).get(TAG)
                if done not in seen and ref in (None, HOOK, *OWN):
                    yield response
                seen.add(done)


def _response(response: Table, spoken: dict[str, str]) -> Iterator[Step]:
    items = response.get("output") or []
    words = " ".join(filter(None, (spoken.get(item.get("id"), "") for item in items)))
    calls = [item for item in items if item.get("type") == "function_call"]
    match response.get("status"):
        case "failed":
            error = (response.get("status_details") or {}).get("error") or {}
            yield {"fails": error.get("code") or error.get("type") or "server_error"}
        case "cancelled" if not words:
            pass
        case "incomplete" if words:
            details = response.get("status_details") or {}
            filtered = details.get("reason") == "content_filter"
            yield {"stops_short": words, **({"because": "content_filter"} if filtered else {})}
        case _ if calls:
            yield _calling(words, calls)
        case _:
            yield {"says": words} if words else "says nothing"


def _calling(words: str, calls: list[Table]) -> Table:
    says = {"says": words} if words else {}
    if len(calls) == 1:
        (call,) = calls
        return {**says, "calls": call["name"], **_arguments(call.get("arguments") or "")}
    several = [{"tool": c["name"], **_arguments(c.get("arguments") or "")} for c in calls]
    return {**says, "calls": several}


def _arguments(text: str) -> Table:
    given = _object(text)
    if given is None or _has_null(given):  # TOML has no null
        return {"with_text": text}
    return {"with": given} if given else {}


def _object(text: str) -> Table | None:
    try:
        given = json.loads(text or "{}")
    except ValueError:
        return None
    return given if isinstance(given, dict) else None


def _has_null(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_null, value.values()))
        case list():
            return any(map(_has_null, value))
        case _:
            return value is None


def _must(events: list[tuple[float, on.Event]], reason: EndReason | None) -> str:
    asked = [event for _, event in events if isinstance(event, on.ToolAsked)]
    names = {event.name: None for event in asked if _object(event.arguments) is not None}
    must: Table = {"tools": [{"called": name} for name in names]} if names else {}
    if reason in _ENDS:
        must |= {"ended": _ENDS[reason], "recorded_as": str(reason)}
        return _pairs(must)
    how = f"ended as {reason}" if reason else "has no end in the journal"
    return f"{_pairs(must)}# The call {how}; a [cloud] table can say what went wrong.\n"


# TOML


def _pairs(table: Table) -> str:
    return "".join(f"{_key(key)} = {_toml(value)}\n" for key, value in table.items())


def _array(name: str, steps: list[Step]) -> str:
    if not steps:
        return ""
    return f"{name} = [\n" + "".join(f"    {_toml(step)},\n" for step in steps) + "]\n"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _toml(key)


def _toml(value: Any) -> str:
    """A value on one line. JSON's texts, numbers and booleans are TOML's, but for one letter."""
    match value:
        case dict():
            inner = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(_toml, value))}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case _:
            return json.dumps(value)
