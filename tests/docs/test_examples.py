"""The examples answer the phone."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from offhook.bot import Bot
from offhook.calling import rehearsal
from offhook.loading import load_bot
from offhook.simulator import CallsTools, HangsUp, Hears, Presses, Replies, Says, WaitsFor
from offhook.suite import files, run
from support.documents import ROOT
from support.serving import outputs, said, serving

GREETING = "Hello, this is the AI assistant of Miller's Bicycles. How can I help?"


def example(name: str) -> Bot:
    return load_bot(f"{ROOT / 'examples' / name}.py:bot")


def test_every_example_is_tried_here() -> None:
    names = {path.stem for path in Path(ROOT / "examples").glob("*.py")}
    assert names == {"first_bot", "bike_shop"}


@pytest.mark.parametrize("name", ["first_bot", "bike_shop"])
async def test_an_example_greets_and_uses_its_tool(name: str) -> None:
    async with serving(example(name)) as service:
        call = await service.talk(
            Hears(),
            Says("When are you open?"),
            Hears(),
            HangsUp(),
            model=(CallsTools(("opening_hours", {})), Replies(from_tool="{output}")),
        )
        assert said(call)[0] == GREETING
        assert [text for _, text in outputs(call)] == [said(call)[1]]
        assert said(call)[1].startswith("Monday to Friday")


async def test_the_scenarios_of_the_larger_bot_hold() -> None:
    paths = files([ROOT / "examples" / "scenarios"])
    text = io.StringIO()
    stage = rehearsal(f"{ROOT / 'examples' / 'bike_shop.py'}:bot", speed=20)
    assert await run(paths, stage, Console(file=text, width=200)) == 0, text.getvalue()


async def test_the_first_bot_hands_over_to_the_workshop() -> None:
    async with serving(example("first_bot")) as service:
        asked = {"target": "workshop", "reason": "asks for a person"}
        call = await service.talk(
            Hears(),
            Says("A person, please."),
            WaitsFor("refer"),
            model=(CallsTools(("handoff_human", asked)),),
        )
        assert "workshop" in said(call)[1]
        assert (await service.ended(call))["reason"] == "transferred"


async def test_the_larger_bot_tells_of_a_repair_typed_on_the_keypad() -> None:
    async with serving(example("bike_shop")) as service:
        call = await service.talk(
            Hears(),
            Presses("1042#"),
            Hears(),
            HangsUp(),
            model=(Replies("Your repair is ready to collect."),),
        )
        assert said(call)[1] == "Your repair is ready to collect."


async def test_the_larger_bot_says_goodbye_in_its_own_words() -> None:
    async with serving(example("bike_shop")) as service:
        call = await service.talk(
            Hears(),
            Says("That is all, thanks."),
            Hears(),
            model=(CallsTools(("end_call", {"reason": "done"})),),
        )
        assert said(call)[1] == "Thank you for calling. Ride safely!"
        assert (await service.ended(call))["reason"] == "bot_hung_up"
