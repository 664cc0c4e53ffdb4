"""What happens while no sideband is open: the caller hears an answer to it, and only one."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import Call, tool
from offhook.realtime import gaps
from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Replies,
    Says,
    Script,
    Timings,
    WaitsFor,
)
from support.serving import GREETING, order_of, outputs, plain_bot, said, sent, serving

SLOW = Timings(connect=20.0, think=6.0)  # the line is lost before the model asks, and back after


@tool
async def look_up(call: Call) -> str:
    """Look it up."""
    return "on its way"


TOOL, ANSWER = CallsTools(("look_up", {})), Replies("It is on its way.")
ASKS = (Hears(), Says("Where is it?"), LosesSideband())


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_a_function_call_that_nobody_heard_is_run_and_the_caller_hears_what_came_of_it(
    profile: Any,
) -> None:
    bot = plain_bot(tools=[look_up])
    async with serving(bot, profile=profile, timings=SLOW) as service:
        call = await service.talk(*ASKS, Hears("on its way"), HangsUp(), model=(TOOL, ANSWER))
        assert order_of(call, "detach", "tool_asked", "attach", "tool_answered") == [
            *("attach", "detach", "tool_asked", "attach", "tool_answered", "detach")
        ]
        assert [output for _, output in outputs(call)] == ["on its way"]
        assert said(call) == [GREETING, "It is on its way."]
        assert not [item for item in call.items if "interrupted" in str(item)]


@pytest.mark.parametrize("frames_lost", [False, True])
async def test_all_function_calls_of_a_response_are_answered_whose_end_was_lost_with_the_line(
    frames_lost: bool,
) -> None:
    bot, timings = plain_bot(tools=[look_up]), Timings(connect=20.0, word=3.0)
    script = Script(
        steps=(Hears(), Says("Where are they?"), Hears("on its way"), HangsUp()),
        model=(CallsTools(("look_up", {}), ("look_up", {})), ANSWER),
    )
    async with serving(bot, timings=timings, faults=Faults(frames_lost=frames_lost)) as service:
        call = await service.ring(script)
        await call.reached("tool_asked")
        call.drop_sideband()
        await service.over(call)
        assert order_of(call, "detach", "tool_asked", "attach", "tool_answered") == [
            *("attach", "tool_asked", "detach", "tool_asked", "attach"),
            *("tool_answered", "tool_answered", "detach"),
        ]
        refs = [mark.detail["call_id"] for mark in call.marks("tool_asked")]
        assert [ref for ref, _ in outputs(call)] == refs
        assert said(call) == [GREETING, "It is on its way."]


async def test_where_the_answer_failed_unheard_the_model_is_asked_for_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gaps, "QUIET_S", 0.2)
    async with serving(timings=SLOW) as service:
        call = await service.talk(
            *ASKS, Hears("on its way"), HangsUp(), model=(FailsWith("server_error"), ANSWER)
        )
        assert said(call) == [GREETING, "It is on its way."]
        who = [said.who for said in service.record(call).transcript]
        assert who == ["bot", "caller", "bot"]  # what the caller said nobody has put into words


async def test_what_the_model_has_answered_by_itself_is_not_answered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gaps, "QUIET_S", 0.1)
    async with serving(timings=SLOW) as service:
        call = await service.talk(
            *ASKS, Hears("on its way"), WaitsFor("attach", 2), HangsUp(), model=(ANSWER,)
        )
        assert said(call) == [GREETING, "It is on its way."]


async def test_without_the_setting_nobody_asks() -> None:
    async with serving(OFFHOOK_CATCH_UP="0") as service:
        call = await service.talk(
            Hears(), LosesSideband(), WaitsFor("attach", 2), Says("Yes?"), Hears(), HangsUp()
        )
        assert sent(call, "conversation.item.retrieve") == []
        assert said(call) == [GREETING, "You said: Yes?"]
