"""What happened while nobody listened is found out, and the caller hears one answer to it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.outcomes import Answered
from offhook.core.rules import Floor
from offhook.core.transcript import Who
from offhook.realtime import surface
from offhook.realtime.gaps import QUIET_S
from support.calls import Driven
from support.wire import CONFIG, Wire, function_call, kinds

ASKING = replace(CONFIG, catch_up=True)
CALLER: dict[str, Any] = {
    "id": "item_u",
    "type": "message",
    "role": "user",
    "status": "completed",
    "content": [{"type": "input_audio", "transcript": "Are you there?", "audio": None}],
}
BOT: dict[str, Any] = {
    "id": "item_b",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_audio", "transcript": "I am."}],
}
OUTPUT: dict[str, Any] = {"id": "item_out_call_0", "type": "function_call_output"}
ACTIVE = {
    "type": "invalid_request_error",
    "code": "conversation_already_has_active_response",
    "message": "",
    "event_id": None,
}


def reopened(**config: Any) -> tuple[Wire, list[dict[str, Any]]]:
    """A conversation whose line was lost, and what was sent when it was open again."""
    wire = Wire(replace(ASKING, **config))
    wire.spoken("resp_0")
    wire.lose()
    return wire, wire.open()


def echoed(wire: Wire, probe: dict[str, Any], before: str | None) -> list[dict[str, Any]]:
    return wire.got("conversation.item.added", item=probe["item"], previous_item_id=before)


def last_is(item: dict[str, Any], **config: Any) -> Wire:
    """The same, with this as the last item of the conversation."""
    wire, (probe,) = reopened(**config)
    forget, retrieve = echoed(wire, probe, item["id"])
    assert (forget["type"], forget["item_id"]) == ("conversation.item.delete", probe["item"]["id"])
    assert retrieve["type"] == "conversation.item.retrieve"
    assert retrieve["item_id"] == item["id"]
    wire.got("conversation.item.retrieved", item=item)
    return wire


def asked(frames: list[dict[str, Any]]) -> int:
    return kinds(frames).count("response.create")


def test_the_first_time_that_the_line_opens_there_is_nothing_to_find_out() -> None:
    assert Wire(ASKING, connected=False).open() == []


def test_nobody_who_does_not_want_it_is_asked() -> None:
    _, sent = reopened(catch_up=False)
    assert sent == []


def test_a_function_call_that_nobody_heard_is_run_once_and_answered() -> None:
    wire = last_is(function_call("call_1", arguments='{"n":1}'))
    assert wire.facts(on.ToolAsked) == [on.ToolAsked("call_1", "lookup", '{"n":1}')]
    wire.done("resp_1", output=[function_call("call_1", arguments='{"n":1}')])
    assert len(wire.facts(on.ToolAsked)) == 1
    sent = wire.do(do.AnswerTool("call_1", "1"))
    assert kinds(sent) == ["conversation.item.create", "response.create"]
    wire.created("resp_2", "tools")
    wire.done("resp_2")
    assert asked(wire.wait(60)) == 0


def test_a_caller_whom_nobody_answers_is_answered_once_after_a_short_while() -> None:
    wire = last_is(CALLER)
    assert wire.facts(on.CallerSaid) == [on.CallerSaid("item_u", "Are you there?")]
    assert wire.wait(QUIET_S - 0.1) == []
    assert asked(wire.wait(0.2)) == 1
    wire.created("resp_1", "again")
    wire.done("resp_1")
    assert asked(wire.wait(60)) == 0


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.created", {"response": {"id": "resp_1"}}),
        ("output_audio_buffer.started", {"response_id": "resp_1"}),
        ("response.output_audio_transcript.done", {"item_id": "item_b", "transcript": "I am."}),
        ("conversation.item.added", {"item": BOT}),
        ("response.done", {"response": {"id": "resp_1", "status": "completed", "output": [BOT]}}),
        ("input_audio_buffer.speech_started", {"item_id": "item_v"}),
    ],
)
def test_whatever_shows_that_it_goes_on_is_answer_enough(kind: str, fields: Any) -> None:
    wire = last_is(CALLER)
    wire.got(kind, **fields)
    assert asked(wire.wait(4.5)) == 0


def test_a_response_that_came_to_nothing_is_no_answer() -> None:
    wire = last_is(CALLER)
    wire.got("response.done", response={"id": "resp_1", "status": "failed", "output": []})
    assert asked(wire.wait(QUIET_S + 0.1)) == 1


def test_an_answer_that_is_being_made_is_not_asked_for_again() -> None:
    wire = last_is(CALLER)
    assert asked(wire.wait(QUIET_S + 0.1)) == 1
    wire.got("error", error=ACTIVE)
    wire.done("resp_1", output=[BOT])
    assert asked(wire.wait(60)) == 0


def test_what_the_bot_has_said_meanwhile_is_noted_and_nothing_is_asked() -> None:
    wire = last_is(BOT)
    assert wire.facts(on.UtteranceOpened)[-1] == on.UtteranceOpened("item_b", Who.BOT)
    assert wire.facts(on.BotSaid) == [on.BotSaid("item_b", "I am.")]
    assert asked(wire.wait(60)) == 0


@pytest.mark.parametrize("before", [None, "item_offhook_7"])
def test_where_nothing_happened_nothing_is_asked(before: str | None) -> None:
    wire, (probe,) = reopened()
    assert kinds(echoed(wire, probe, before)) == ["conversation.item.delete"]
    assert asked(wire.wait(60)) == 0


def test_a_cloud_that_tells_nothing_does_not_make_the_bot_speak() -> None:
    wire, (probe,) = reopened()
    assert asked(wire.wait(60)) == 0
    assert kinds(echoed(wire, probe, "item_u")) == ["conversation.item.delete"]


def test_on_a_held_floor_the_caller_is_not_owed_an_answer() -> None:
    wire = last_is(CALLER, floor=Floor.HELD)
    assert asked(wire.wait(60)) == 0


def revived(driven: Driven) -> tuple[Wire, list[dict[str, Any]]]:
    wire = Wire(ASKING, connected=False)
    wire.surface = surface.revive(ASKING, 30.0, driven.call)
    return wire, wire.open()


def with_an_answer() -> Driven:
    """A call whose last owner had an output of a tool, and perhaps sent it."""
    driven = Driven().live()
    driven.on(on.ToolAsked("call_0", "lookup", "{}"), on.ToolEnded("call_0", Answered("42")))
    return driven


def test_an_output_that_the_last_owner_has_sent_is_spoken_about_once() -> None:
    wire, (probe, out) = revived(with_an_answer())
    assert out["item"]["type"] == "function_call_output"
    echoed(wire, probe, OUTPUT["id"])
    duplicate = {"code": "item_create_duplicate_item_id", "event_id": out["event_id"]}
    wire.got("error", error={"type": "invalid_request_error", "message": "", **duplicate})
    wire.got("conversation.item.retrieved", item=OUTPUT)
    wire.got("conversation.item.added", item=BOT)  # the answer that was on its way
    wire.done("resp_1", output=[BOT])
    assert asked(wire.wait(60)) == 0


def test_an_output_that_was_never_sent_is_spoken_about_at_once() -> None:
    wire, (probe, _) = revived(with_an_answer())
    echoed(wire, probe, "item_call_0")
    assert asked(wire.got("conversation.item.retrieved", item=function_call("call_0"))) == 1


def test_who_has_listened_all_the_time_need_not_ask() -> None:
    wire = Wire(ASKING, connected=False)
    wire.surface = surface.revive(ASKING, 30.0, Driven().live().call, overheard=True)
    assert wire.open() == []
