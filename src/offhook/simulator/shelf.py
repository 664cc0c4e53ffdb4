"""The catalogue: scenarios that ship with the package."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import resources
from pathlib import Path

from offhook.simulator.scenario import Scenario, ScenarioError, parse, read


@cache
def catalogue() -> dict[str, Scenario]:
    """All scenarios of the package by name, in order of their names."""
    folder = resources.files("offhook.simulator") / "catalogue"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    found = (parse(f.read_text(encoding="utf-8"), f.name.removesuffix(".toml")) for f in files)
    return {scenario.name: scenario for scenario in found}


def find(name: str) -> Scenario:
    """The scenario of that name, or in that file. Raises `ScenarioError`."""
    if name.endswith(".toml"):
        return read(Path(name))
    if (found := catalogue().get(name)) is not None:
        return found
    near = difflib.get_close_matches(name, catalogue(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`offhook call --list` shows all."
    raise ScenarioError(f"There is no scenario {name!r}; {hint} A file's name ends in .toml.")
