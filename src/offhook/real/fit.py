"""What a text session cannot show of a scenario: what is not checked, and which are not played."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Silent,
    StopsShort,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.must import Must
from offhook.simulator.scenario import Scenario
from offhook.simulator.script import Act, Step

COUNTED = ("refer", "hangup", "caller_said", "tool_asked", "tool_answered")
"""What happens as often in text as on the phone."""
_TIMES = ("greeting_within_ms", "answer_within_ms", "tool_within_ms", "over_within_s")
_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"\{[^}]*\}|[^\W_]+")
_ENDS = (None, "caller_hung_up", "bot_hung_up", "transferred")


class Fit(Struct, frozen=True):
    """How a scenario fits a text session.

    `skip` is why it cannot be played at all, or empty. `must` is what is checked, `unchecked` says
    in words what is not.
    """

    skip: str
    must: Must
    unchecked: tuple[str, ...]


def fit(scenario: Scenario, tools: Container[str]) -> Fit:
    """Look through a scenario; `tools` are the names of those that the model is offered."""
    must, dropped = _checkable(scenario)
    unchecked = dict.fromkeys([*_unshown(scenario.script.steps), *dropped])
    return Fit(next(_obstacles(scenario, tools), ""), must, tuple(unchecked))


def _obstacles(scenario: Scenario, tools: Container[str]) -> Iterator[str]:
    must, script = scenario.must, scenario.script
    if scenario.faults != Faults():
        yield "it is about faults of the cloud"
    if script.starts != "attached":
        yield "its caller begins before the bot is on the line"
    yield from filter(None, map(_impossible, script.steps))
    yield from filter(None, (_forced(act, tools) for act in script.model))
    if not any(isinstance(step, Says) for step in script.steps):
        yield "its caller says nothing"
    if must.ended not in _ENDS or must.recorded_as not in _ENDS:
        yield f"it must end as {must.recorded_as or must.ended}"


def _impossible(step: Step) -> str:
    match step:
        case Presses():
            return "its caller presses keys"
        case LosesSideband():
            return "its sideband breaks"
        case Says(stops=False):
            return "it is about noise on the line"
        case _:
            return ""


def _forced(act: Act, tools: Container[str]) -> str:
    """What a script makes the model do, and nobody can make a real one do."""
    match act:
        case FailsWith() | Silent() | StopsShort():
            return "its model must fail"
        case CallsTools(calls=calls) if any(isinstance(given, str) for _, given in calls):
            return "its model must send broken arguments"
        case CallsTools(calls=calls) if any(name not in tools for name, _ in calls):
            return "its model must call a tool that the bot does not have"
        case _:
            return ""


def _unshown(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        match step:
            case Says(over=True):
                yield "speaking over the bot: the words come after it"
            case Says(transcript=str()):
                yield "what the transcription makes of the words: the model reads them as said"
            case WaitsForTool():
                yield "speaking while a tool is at work: the words come after it"
            case Waits() | WaitsFor():
                yield "pauses"
            case Hears(text=str(words)) if words:
                yield f"that the caller waits for {words!r}"


def _checkable(scenario: Scenario) -> tuple[Must, list[str]]:
    """What can be checked, and the rest in words."""
    must = scenario.must
    scripted = [text for act in scenario.script.model for text in _words(act)]
    dropped = [f"{name} = {getattr(must, name):g}" for name in _TIMES if getattr(must, name)]
    dropped += [f"count of {kind}" for kind in must.count if kind not in COUNTED]
    kept: dict[str, tuple[str, ...]] = {}
    for name in ("said", "in_order"):
        phrases: tuple[str, ...] = getattr(must, name)
        own = [p for p in phrases if any(_is_of(p, text) for text in scripted)]
        dropped += [f"{name} {p!r}, words of the scripted model" for p in own]
        kept[name] = tuple(p for p in phrases if p not in own)
    checked = replace(
        must,
        **kept,
        **dict.fromkeys(_TIMES),
        count={kind: times for kind, times in must.count.items() if kind in COUNTED},
    )
    return checked, dropped


def _words(act: Act) -> Iterator[str]:
    match act:
        case Replies(text=text, from_tool=told):
            yield text
            if isinstance(told, str):
                yield told
        case CallsTools(preamble=text):
            yield text


def _is_of(phrase: str, scripted: str) -> bool:
    """Whether a phrase can only be known from the script: each of its parts stands there.

    What is filled in for a `{hole}` may be anything, but not all of the phrase.
    """
    own = phrase.casefold().removeprefix("bot").strip(" .:")
    template = [
        None if word.startswith("{") else word for word in _TOKEN.findall(scripted.casefold())
    ]
    parts = [_WORD.findall(part) for part in own.split("...")]
    return bool(own) and all(
        any(word in template for word in part)
        and any(_aligned(part, template[at:]) for at in range(len(template)))
        for part in parts
    )


def _aligned(words: list[str], template: list[str | None]) -> bool:
    if not words or not template:
        return not words
    if template[0] is None:
        return _aligned(words[1:], template) or _aligned(words[1:], template[1:])
    return words[0] == template[0] and _aligned(words[1:], template[1:])
