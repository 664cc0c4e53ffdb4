"""Scenario files: a call written down in TOML, with what must be true of it in the end.

    title = "Where is my order?"
    caller = [
        "listens",
        { says = "Where is my order ACME 12345?" },
        "listens",
        "hangs up",
    ]
    model = [
        { says = "Let me look.", calls = "lookup_order", with = { order_number = "ACME 12345" } },
        { tells = "It is {status}." },
    ]

    [must]
    tools = [{ called = "lookup_order", answered = "packed" }]
    ended = "caller_hung_up"

Where `model` says nothing, the understudy plays it.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from offhook.simulator import toml_lines
from offhook.simulator.faults import Faults
from offhook.simulator.must import Must, ToolMust
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
    Script,
    Silent,
    Step,
    StopsShort,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.understudy import Understudy
from offhook.simulator.wire import Json

DEFAULT_CALLER = "+493023125001"
DEFAULT_CALLED = "+493023125100"
WITHHELD = "withheld"

CallerWord: TypeAlias = Literal["listens", "hangs up", "loses the sideband"]
ModelWord: TypeAlias = Literal["says nothing", "fails"]


class ScenarioError(ValueError):
    """A scenario that cannot be played. The text names the file and line and what to do."""


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


class _File(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}
):
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


class Scenario(Struct, frozen=True, kw_only=True):
    """A call that is ready to be played. `caller` is `None` where the number is withheld."""

    name: str
    title: str
    about: str
    caller: str | None
    caller_name: str | None
    called: str
    headers: tuple[tuple[str, str], ...]
    script: Script
    faults: Faults
    bot: BotSide
    must: Must


def by_hand(name: str, model: Sequence[Act] = ()) -> Scenario:
    """A call that nobody has written down: somebody plays the caller, nothing must be true."""
    scenario = _scenario(_File(title=name), Faults(), name)
    return replace(scenario, script=dataclasses.replace(scenario.script, model=model))


def read(path: Path) -> Scenario:
    """The scenario in a file. Raises `ScenarioError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from None
    return parse(text, path.stem, str(path))


def parse(text: str, name: str, where: str = "") -> Scenario:
    """The scenario in a text. Raises `ScenarioError`; `where` is the file's name for it."""
    where = where or name
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        number = line[1] if line else str(text.count("\n") + 1)
        raise ScenarioError(f"{where}:{number}: this is not TOML: {error}") from None
    try:
        file = msgspec.convert(raw, _File)
        faults = _faults(raw)
        return _scenario(file, faults, name)
    except msgspec.ValidationError as error:
        what, path = _told(str(error))
    except _NonsenseError as error:
        what, path = str(error), error.path
    line_number = toml_lines.line_of(toml_lines.lines(text), path)
    raise ScenarioError(f"{where}:{line_number}: {what}")


class _NonsenseError(Exception):
    """Something that the types allow and the sense does not."""

    def __init__(self, what: str, *path: str | int) -> None:
        super().__init__(what)
        self.path = path


def _faults(raw: Json) -> Faults:
    given = raw.get("cloud", {})
    known = Faults.__struct_fields__
    for key in given:
        if key not in known:
            raise _NonsenseError(_no_such_key(key, known), "cloud", key)
    try:
        return msgspec.convert(given, Faults)
    except msgspec.ValidationError as error:
        what, path = _told(str(error))
        raise _NonsenseError(what, "cloud", *path) from None


def _scenario(file: _File, faults: Faults, name: str) -> Scenario:
    steps = [s for n, step in enumerate(file.caller) for s in _caller(step, ("caller", n))]
    acts = [_act(step, ("model", n)) for n, step in enumerate(file.model)]
    return Scenario(
        name=name,
        title=file.title,
        about=" ".join(file.about.split()),
        caller=None if file.from_ == WITHHELD else file.from_,
        caller_name=file.name,
        called=file.to,
        headers=tuple(file.headers.items()),
        script=Script(
            name=name, steps=steps, model=acts, starts=file.starts, improviser=Understudy
        ),
        faults=faults,
        bot=file.bot,
        must=file.must,
    )


_CALLER_VERBS = ("says", "presses", "listens_for", "waits_s", "waits_for", "loses_sideband_s")
_MODEL_VERBS = ("says", "tells", "calls", "fails", "stops_short")


def _caller(step: CallerWord | CallerStep, path: toml_lines.Path) -> Iterator[Step]:
    match step:
        case "listens":
            yield Hears()
        case "hangs up":
            yield HangsUp()
        case "loses the sideband":
            yield LosesSideband()
        case CallerStep():
            _one_of(step, _CALLER_VERBS, path)
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


def _act(step: ModelWord | ModelStep, path: toml_lines.Path) -> Act:
    match step:
        case "says nothing":
            return Silent()
        case "fails":
            return FailsWith()
        case ModelStep(calls=None):
            _one_of(step, _MODEL_VERBS, path)
        case ModelStep(says=says, tells=None, fails=None, stops_short=None):
            return CallsTools(
                *_calls(step, path), preamble=says or "", to=step.when_asked, repeat=step.always
            )
        case _:
            raise _NonsenseError("with calls there can be says, and nothing else", *path)
    common: dict[str, Any] = {
        "to": step.when_asked,
        "repeat": step.always,
        "ordered": step.when_ordered,
    }
    match step:
        case ModelStep(says=str(text)):
            return Replies(text, **common)
        case ModelStep(tells=str(text)):
            return Replies(from_tool=text, **common)
        case ModelStep(stops_short=str(text)):
            return StopsShort(text, step.because, **common)
    return FailsWith(step.fails, **common)


def _calls(step: ModelStep, path: toml_lines.Path) -> Iterator[tuple[str, Json | str]]:
    if isinstance(step.calls, str):
        yield step.calls, step.with_ if step.with_text is None else step.with_text
        return
    if step.with_ or step.with_text is not None:
        raise _NonsenseError("with several calls, each one has its own `with`", *path, "with")
    for call in step.calls or ():
        yield call.tool, call.with_ if call.with_text is None else call.with_text


def _one_of(step: Struct, verbs: tuple[str, ...], path: toml_lines.Path) -> None:
    given = [verb for verb in verbs if getattr(step, verb) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise _NonsenseError(f"one of {', '.join(verbs)} is wanted here; there is {found}", *path)


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
    (r"", _File),
)


def _told(message: str) -> tuple[str, toml_lines.Path]:
    """What msgspec found, in words for a person, and where."""
    found = _PATH.search(message)
    place = found[1] if found else ""
    what = message[: found.start()] if found else message
    path: toml_lines.Path = tuple(
        int(number) if number else key for key, number in _KEYS.findall(place)
    )
    unknown = _UNKNOWN.search(what)
    if unknown is not None:
        kind = next(kind for pattern, kind in _PLACES if re.fullmatch(pattern, place))
        return _no_such_key(unknown[1], kind.__struct_encode_fields__), (*path, unknown[1])
    if "enum value" in what:
        what += _choices(path)
    what = what.replace("Object missing required field", "missing:").replace("`object`", "a table")
    return f"{what[:1].lower()}{what[1:]}", path


def _choices(path: toml_lines.Path) -> str:
    words = {"caller": CallerWord, "model": ModelWord}.get(str(path[0]) if path else "")
    if words is None or len(path) != 2:
        return ""
    return f"; words here are {', '.join(repr(w) for w in get_args(words))}"


def _no_such_key(key: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return f"there is no {key!r} here; {hint}"
