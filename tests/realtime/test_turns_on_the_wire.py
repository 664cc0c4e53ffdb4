"""What the surface tells of a turn: when the caller stopped, and which response answers whom."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.rules import Floor
from offhook.realtime.session import TurnDetection
from support.wire import CONFIG, Wire, function_call

MANUAL = replace(CONFIG, turns=TurnDetection(manual=True, silence_ms=500))


@pytest.mark.parametrize(
    ("turns", "silence"),
    [
        (TurnDetection(silence_ms=500), 0.5),
        (TurnDetection(silence_ms=None), None),  # the cloud's own default, which differs by model
        (TurnDetection(kind="semantic", silence_ms=500), None),
    ],
)
def test_the_silence_that_ended_a_turn_is_told_where_it_is_known(
    turns: TurnDetection, silence: float | None
) -> None:
    wire = Wire(replace(CONFIG, turns=turns))
    wire.caller_turn("item_u")
    assert wire.facts(on.CallerStopped) == [on.CallerStopped("item_u", silence)]


def test_a_response_of_the_clouds_own_answers_the_caller() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.created("resp_1")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    assert wire.facts(on.ReplyBegun) == [on.ReplyBegun("resp_1")]
    assert wire.facts(on.BotStarted) == [on.BotStarted(None, "resp_1")]
    assert not wire.facts(on.ReplyAsked)


@pytest.mark.parametrize("ref", ["greeting", "announce", "goodbye", "hook"])
def test_what_the_call_wants_said_answers_nobody(ref: str) -> None:
    wire = Wire()
    wire.do(do.Say(ref, "x"))
    wire.spoken("resp_1", ref)
    assert not wire.facts(on.ReplyAsked)
    assert not wire.facts(on.ReplyBegun)


def test_outputs_of_tools_are_told_with_the_response_that_goes_on_after_them() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.created("resp_1")
    wire.done("resp_1", output=[function_call("call_1"), function_call("call_2")])
    assert [a.response for a in wire.facts(on.ToolAsked)] == ["resp_1", "resp_1"]
    wire.do(do.AnswerTool("call_1", "{}"))
    assert not wire.facts(on.ReplyAsked)
    wire.do(do.AnswerTool("call_2", "{}"))
    wire.created("resp_2", "tools")
    both = ("call_1", "call_2")
    assert wire.facts(on.ReplyAsked) == [on.ReplyAsked(both)]
    assert wire.facts(on.ReplyBegun) == [on.ReplyBegun("resp_1"), on.ReplyBegun("resp_2", both)]


def test_where_we_answer_ourselves_it_is_told_that_we_have_asked() -> None:
    wire = Wire(MANUAL)
    wire.caller_turn()
    wire.created("resp_1", "turn")
    assert wire.facts(on.ReplyAsked) == [on.ReplyAsked()]
    assert wire.facts(on.ReplyBegun) == [on.ReplyBegun("resp_1")]


def test_a_caller_whom_nobody_may_answer_just_now_is_not_answered() -> None:
    wire = Wire(MANUAL)
    wire.do(do.SetFloor(Floor.HELD))
    wire.caller_turn()
    assert wire.facts(on.CallerStopped)
    assert not wire.facts(on.ReplyAsked)


def test_another_try_is_no_second_request() -> None:
    wire = Wire(MANUAL)
    wire.caller_turn()
    wire.created("resp_1", "turn")
    wire.done("resp_1", "failed", output=[], code="server_error")
    wire.wait(2.0)
    wire.created("resp_2", "turn")
    assert wire.facts(on.ReplyAsked) == [on.ReplyAsked()]
    assert wire.facts(on.ReplyBegun) == [on.ReplyBegun("resp_1"), on.ReplyBegun("resp_2")]
