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
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from offhook.simulator.faults import Faults
from offhook.simulator.mistakes import no_such_key, told
from offhook.simulator.must import Must
from offhook.simulator.script import Act, Script
from offhook.simulator.toml_lines import line_of, lines
from offhook.simulator.understudy import Understudy
from offhook.simulator.wire import Json
from offhook.simulator.written import (
    WITHHELD,
    BotSide,
    File,
    NonsenseError,
    caller_steps,
    model_act,
)


class ScenarioError(ValueError):
    """A scenario that cannot be played. The text names the file and line and what to do."""


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
    scenario = _scenario(File(title=name), Faults(), name)
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
        file = msgspec.convert(raw, File)
        faults = _faults(raw)
        return _scenario(file, faults, name)
    except msgspec.ValidationError as error:
        what, path = told(str(error))
    except NonsenseError as error:
        what, path = str(error), error.path
    line_number = line_of(lines(text), path)
    raise ScenarioError(f"{where}:{line_number}: {what}")


def _faults(raw: Json) -> Faults:
    given = raw.get("cloud", {})
    known = Faults.__struct_fields__
    for key in given:
        if key not in known:
            raise NonsenseError(no_such_key(key, known), "cloud", key)
    try:
        return msgspec.convert(given, Faults)
    except msgspec.ValidationError as error:
        what, path = told(str(error))
        raise NonsenseError(what, "cloud", *path) from None


def _scenario(file: File, faults: Faults, name: str) -> Scenario:
    steps = [s for n, step in enumerate(file.caller) for s in caller_steps(step, ("caller", n))]
    acts = [model_act(step, ("model", n)) for n, step in enumerate(file.model)]
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
