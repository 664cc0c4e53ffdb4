"""Every scenario of the catalogue holds against the bundled bot, and what is untrue is named."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console

from offhook.calling import rehearsal, scenario
from offhook.chaos import ordeals
from offhook.chaos import run as chaos
from offhook.rehearsal import Played, Rehearsal
from offhook.simulator.must import has_phrase, untrue
from offhook.simulator.scenario import Scenario, parse
from offhook.simulator.shelf import catalogue
from offhook.story import whole

SPEED = 20.0


def report(played: Played) -> str:
    story = "\n".join(whole(played.call, "Caller", SPEED))
    return f"{played.scenario.name}: {played.untrue}\n{story}"


async def play(*scenarios: Scenario, stage: Rehearsal | None = None) -> list[Played]:
    async with stage or rehearsal(speed=SPEED) as ready:
        return await asyncio.gather(*map(ready.play, scenarios))


async def test_every_scenario_holds() -> None:
    played = await play(*catalogue().values())
    wrong = [report(each) for each in played if not each.held]
    assert not wrong, "\n\n".join(wrong)


async def test_a_call_holds_on_azure_too() -> None:
    names = ("order-status", "cut-in", "transfer", "no-transcript")
    stage = rehearsal(speed=SPEED, profile="azure")
    played = await play(*(scenario(name) for name in names), stage=stage)
    assert all(each.held for each in played), [report(each) for each in played]


WRONG = """
title = "Nothing of this is true"
caller = ["listens", { says = "Where is my order ACME 12345?" }, "listens", "hangs up"]
[must]
tools = [
    { called = "check_inventory" },
    { called = "lookup_order", with = { order_number = "ACME-99999" } },
    { called = "lookup_order", answered = "submarine" },
    { called = "lookup_order", times = 7 },
]
never_called = ["lookup_order"]
said = ["a word that never fell"]
never_said = ["AI assistant"]
in_order = ["tool answers", "bot calls"]
transferred_to = "sip:nobody@example.com"
ended = "bot_hung_up"
recorded_as = "transferred"
count = { accept = 2 }
greeting_within_ms = 1
answer_within_ms = 1
over_within_s = 0
"""


async def test_whatever_is_not_true_is_named() -> None:
    [played] = await play(parse(WRONG, "wrong"))
    told = "\n".join(played.untrue)
    for piece in (
        "check_inventory was not called",
        'lookup_order was not called with {"order_number": "ACME-99999"}, only with',
        "lookup_order did not answer 'submarine'",
        "lookup_order was called 1 times, not 7",
        "lookup_order was called\n",
        "the bot never said 'a word that never fell'",
        "the bot said 'AI assistant': You are talking to",
        "nothing like 'bot calls' where it should come",
        "no transfer went to sip:nobody@example.com",
        "the call ended as caller_hung_up, not as bot_hung_up",
        "the call is on record as caller_hung_up, not as transferred",
        "accept happened 1 times, not 2",
        "the greeting took",
        "an answer took",
        "the call took",
    ):
        assert piece in told


async def test_a_call_that_goes_on_is_not_left_alone() -> None:
    endless = parse("title = 'x'\ncaller = ['listens', { waits_s = 1000 }]", "endless")
    async with rehearsal(speed=SPEED) as stage:
        played = await stage.play(endless, patience_s=1.0)
    assert played.untrue == ["the call has not ended"]
    assert played.call.over


async def test_what_the_caller_waits_for_in_vain_is_named() -> None:
    waits = parse(
        "title = 'x'\ncaller = [{ listens_for = 'xyzzy', at_most_s = 10 }, 'hangs up']", "waits"
    )
    [played] = await play(waits)
    assert played.untrue == ["the caller waited in vain for hears"]


def test_a_phrase_is_looked_for_by_its_words() -> None:
    assert has_phrase("Hello, Ann! It SHIPS today.", "hello ann")
    assert has_phrase("Hello, Ann! It ships today.", "ann ... today")
    assert has_phrase("Auf Wiederhören!", "auf wiederhören")
    assert not has_phrase("You know it", "no")
    assert not has_phrase("today Ann", "ann ... today")


def test_a_seed_repeats_its_faults() -> None:
    def chosen(seed: int) -> list[tuple[str, ...]]:
        return [tuple(t.name for t in o.twists) for o in ordeals(catalogue().values(), seed)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


async def test_calls_hold_under_faults() -> None:
    names = ("order-status", "transfer", "callback", "cut-in", "german", "sideband-breaks")
    text = io.StringIO()
    out = Console(file=text, width=200)
    status = await chaos([scenario(n) for n in names], 11, rehearsal(speed=SPEED), out)
    assert status == 0, text.getvalue()
    assert "6 of 6 held. --seed 11 repeats" in text.getvalue()


async def test_chaos_says_what_did_not_hold() -> None:
    text = io.StringIO()
    out = Console(file=text, width=3000)
    status = await chaos([parse(WRONG, "wrong")], 3, rehearsal(speed=SPEED), out)
    assert status == 1
    assert "0 of 1 held" in text.getvalue()
    assert "not 0 at most" in text.getvalue()


async def test_untrue_forgives_time_that_only_the_simulation_took() -> None:
    slow = parse("title = 'x'\ncaller = ['listens', 'hangs up']\n", "slow")
    [played] = await play(slow)
    heard = played.call.marks("bot_audio_started")[0].at
    must = parse(f"title='x'\n[must]\ngreeting_within_ms = {int(heard * 999)}", "m").must
    assert untrue(must, played.call, speed=1.0)
    assert not untrue(must, played.call, speed=SPEED)
