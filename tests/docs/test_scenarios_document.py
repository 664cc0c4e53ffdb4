"""The document of scenario files: every key is in it, and what it shows can be played."""

from __future__ import annotations

import re

import pytest

from offhook.simulator import scenario, written
from offhook.simulator.must import Must, ToolMust
from support.documents import ROOT, blocks

TEXT = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
KINDS = (
    written.File,
    written.CallerStep,
    written.ModelStep,
    written.ToolCall,
    written.BotSide,
    Must,
    ToolMust,
)
KEYS = sorted({key for kind in KINDS for key in kind.__struct_encode_fields__})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_explained(key: str) -> None:
    assert re.search(rf"`[^`]*\b{key}\b[^`]*`", TEXT)


def test_the_scenario_that_is_shown_can_be_played() -> None:
    shown = blocks(TEXT, "toml")[0]
    assert scenario.parse(shown, "shown").must.ended == "bot_hung_up"


def test_each_step_that_is_shown_is_one() -> None:
    steps = re.findall(r"^\| (.+?) \|", TEXT, re.MULTILINE)
    for cell in steps:
        for shown in re.findall(r"`([{\"].*?)`", cell):
            step = shown.replace("{ ... }", "{}")
            place = "model" if re.search(r"tells|calls|fails|nothing|short", step) else "caller"
            scenario.parse(f"title = 'x'\n{place} = [{step}]", "shown")
