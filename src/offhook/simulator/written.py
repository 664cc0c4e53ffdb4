"""What stands in a scenario file, and the script that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from offhook.simulator.must import Must
from offhook.simulator.script import (
    Act,
    CallsTools,
    FailsWith,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Silent,
    Step,
    StopsShort,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.toml_lines import Path
from offhook.simulator.wire import Json

DEFAULT_CALLER = "+493023125001"
DEFAULT_CALLED = "+493023125100"
WITHHELD = "withheld"

CallerWord: TypeAlias = Literal["listens", "hangs up", "loses the sideband"]
ModelWord: TypeAlias = Literal["says nothing", "fails"]


class NonsenseError(Exception):
    """Something that the types allow and the sense does not; `path` is where."""

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        self.path = path


class CallerStep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that the caller does; exactly one verb, the rest says how."""

    says: str | None = None
    presses: str | None = None
    listens_for: str | None = None
    waits_s: float | None = None
    waits_for: str | None = None
    loses_sideband_s: float | None = None
    over_bot_ms: int | None = None
    """Says it over the bot, so long after it began to speak."""
    after_s: float = 0.0
    during_tool: str | bool = False
    """Says it while this tool, or with `true` any, is at work."""
    lasts_s: float | None = None
    heard_as: str | None = None
    never_stops: bool = False
    gap_s: float | None = None
    times: int = 1
    at_most_s: float | None = None


class ToolCall(Struct, frozen=True, forbid_unknown_fields=True, rename={"with_": "with"}):
    """One function call of the model. `with_text` are arguments as raw text, for bad JSON."""

    tool: str
    with_: Json = {}
    with_text: str | None = None


class ModelStep(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"with_": "with"}
):
    """One response of the model."""

    says: str | None = None
    tells: str | None = None
    """Says it with what the tools answered filled in, once they have."""
    calls: str | tuple[ToolCall, ...] | None = None
    with_: Json = {}
    with_text: str | None = None
    fails: str | None = None
    stops_short: str | None = None
    because: Literal["max_output_tokens", "content_filter"] = "max_output_tokens"
    when_asked: str | None = None
    """Only if the caller's last words match this pattern."""
    always: bool = False
    when_ordered: bool = False
    """In place of an order to say certain words, e.g. the greeting."""


class BotSide(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is special about the bot. Only where it runs here, not behind an address."""

    language: Literal["en", "de"] = "en"
    slow_tools_s: float = 0.0
    """Real seconds that each tool takes longer."""
    broken_tools: tuple[str, ...] = ()
    """Tools that raise."""
    consent: Literal["notice", "opt-out", "opt-in", "none"] | None = None
    """Another policy of what callers are told first."""
    lines: str = ""
    """A file of lines, as text."""
    settings: tuple[str, ...] = ()
    """More settings, each as `NAME=value`."""


class File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    title: str
    about: str = ""
    from_: str = DEFAULT_CALLER
    name: str | None = None
    to: str = DEFAULT_CALLED
    headers: dict[str, str] = {}
    starts: Literal["attached", "accepted", "ringing"] = "attached"
    caller: tuple[CallerWord | CallerStep, ...] = ()
    model: tuple[ModelWord | ModelStep, ...] = ()
    cloud: Json = {}
    bot: BotSide = BotSide()
    must: Must = Must()


_SPOKEN = {"over_bot_ms", "after_s", "during_tool", "lasts_s", "heard_as", "never_stops"}
_CALLER: Mapping[str, set[str]] = {
    "says": {*_SPOKEN, "at_most_s"},
    "presses": {"gap_s"},
    "listens_for": {"at_most_s"},
    "waits_s": set(),
    "waits_for": {"times", "at_most_s"},
    "loses_sideband_s": set(),
}
_ANY = {"when_asked", "always", "when_ordered"}
_MODEL: Mapping[str, set[str]] = {
    "calls": {*_ANY, "says", "with", "with_text"},
    "says": _ANY,
    "tells": _ANY,
    "fails": _ANY,
    "stops_short": {*_ANY, "because"},
}
"""What a step does, and what may be said about it."""


def caller_steps(step: CallerWord | CallerStep, path: Path) -> Iterator[Step]:
    """What the caller does. Raises `NonsenseError`."""
    match step:
        case "listens":
            yield Hears()
        case "hangs up":
            yield HangsUp()
        case "loses the sideband":
            yield LosesSideband()
        case CallerStep():
            _makes_sense(step, _CALLER, path)
            if step.over_bot_ms is not None and step.after_s:
                raise NonsenseError("either over_bot_ms or after_s, not both", *path, "after_s")
            yield from _doing(step)


def _doing(step: CallerStep) -> Iterator[Step]:
    match step:
        case CallerStep(says=str(text)):
            if step.during_tool:
                name = step.during_tool if isinstance(step.during_tool, str) else None
                yield WaitsForTool(name, step.at_most_s)
            over = step.over_bot_ms
            yield Says(
                text,
                over=over is not None,
                after_ms=round(step.after_s * 1000) if over is None else over,
                seconds=step.lasts_s,
                transcript=step.heard_as,
                stops=not step.never_stops,
            )
        case CallerStep(presses=str(keys)):
            yield Presses(keys.replace(" ", ""), step.gap_s)
        case CallerStep(listens_for=str(text)):
            yield Hears(text, step.at_most_s)
        case CallerStep(waits_s=float(seconds)):
            yield Waits(seconds)
        case CallerStep(waits_for=str(kind)):
            yield WaitsFor(kind, step.times, step.at_most_s)
        case CallerStep(loses_sideband_s=float(seconds)):
            yield LosesSideband(seconds)


def model_act(step: ModelWord | ModelStep, path: Path) -> Act:
    """What the model does. Raises `NonsenseError`."""
    if step == "says nothing":
        return Silent()
    if not isinstance(step, ModelStep):
        return FailsWith()
    _makes_sense(step, _MODEL, path)
    common: dict[str, Any] = {
        "to": step.when_asked,
        "repeat": step.always,
        "ordered": step.when_ordered,
    }
    match step:
        case ModelStep(calls=str() | tuple()):
            return CallsTools(*_calls(step, path), preamble=step.says or "", **common)
        case ModelStep(says=str(text)):
            return Replies(text, **common)
        case ModelStep(tells=str(text)):
            return Replies(from_tool=text, **common)
        case ModelStep(stops_short=str(text)):
            return StopsShort(text, step.because, **common)
    return FailsWith(step.fails, **common)


def _calls(step: ModelStep, path: Path) -> Iterator[tuple[str, Json | str]]:
    if isinstance(step.calls, str):
        yield step.calls, step.with_ if step.with_text is None else step.with_text
        return
    if step.with_ or step.with_text is not None:
        raise NonsenseError("with several calls, each one has its own `with`", *path, "with")
    for call in step.calls or ():
        yield call.tool, call.with_ if call.with_text is None else call.with_text


def _makes_sense(step: Struct, known: Mapping[str, set[str]], path: Path) -> None:
    """One verb, and only what can be said about it."""
    given = {
        field.encode_name
        for field in msgspec.structs.fields(step)
        if getattr(step, field.name) != (field.default if field.default is not msgspec.NODEFAULT
                                         else {})
    }  # fmt: skip
    verbs = [verb for verb in known if verb in given]
    if verbs[:1] == ["calls"] and "says" in verbs:
        verbs.remove("says")
    if len(verbs) != 1:
        found = " and ".join(verbs) or "none"
        raise NonsenseError(f"one of {', '.join(known)} is wanted here; there is {found}", *path)
    for extra in sorted(given - {verbs[0]} - known[verbs[0]]):
        raise NonsenseError(f"{extra} means nothing with {verbs[0]}", *path, extra)
