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


def begun(wire: Wire, *refs: str) -> None:
    """A response begins to write these function calls."""
    wire.created("resp_1")
    for ref in refs:
        item = function_call(ref, status="in_progress", arguments="")
        wire.got("conversation.item.added", item=item)


def between(*refs: str) -> tuple[Wire, list[dict[str, Any]]]:
    """The line is lost after these were begun, and is open again; what was sent then."""
    wire = Wire(ASKING)
    wire.spoken("resp_0")
    begun(wire, *refs)
    wire.lose()
    return wire, wire.open()


def shown(wire: Wire, ref: str, **fields: Any) -> list[dict[str, Any]]:
    return wire.got("conversation.item.retrieved", item=function_call(ref, **fields))


def test_all_function_calls_of_a_response_are_run_whose_end_nobody_heard() -> None:
    wire, (probe, retrieve) = between("call_1")
    assert retrieve["item_id"] == "item_call_1"
    _, last = echoed(wire, probe, "item_call_2")
    assert last["item_id"] == "item_call_2"
    shown(wire, "call_1")
    assert wire.facts(on.ToolAsked) == []
    shown(wire, "call_2", arguments='{"n":2}')
    assert wire.facts(on.ToolAsked) == [
        on.ToolAsked("call_1", "lookup", "{}"),
        on.ToolAsked("call_2", "lookup", '{"n":2}'),
    ]
    assert asked(wire.do(do.AnswerTool("call_1", "1"))) == 0
    assert asked(wire.do(do.AnswerTool("call_2", "2"))) == 1
    wire.created("resp_2", "tools")
    wire.done("resp_2")
    assert asked(wire.wait(60)) == 0


def test_a_function_call_that_is_the_last_item_is_asked_for_once() -> None:
    wire, (probe, retrieve) = between("call_1")
    assert retrieve["item_id"] == "item_call_1"
    assert kinds(echoed(wire, probe, "item_call_1")) == ["conversation.item.delete"]
    shown(wire, "call_1")
    shown(wire, "call_1")
    assert wire.facts(on.ToolAsked) == [on.ToolAsked("call_1", "lookup", "{}")]


def test_function_calls_whose_response_is_told_as_over_are_not_asked_for() -> None:
    wire = Wire(ASKING)
    begun(wire, "call_1")
    wire.done("resp_1", output=[function_call("call_1")])
    wire.lose()
    assert kinds(wire.open()) == ["conversation.item.create"]


@pytest.mark.parametrize("last", ["item_u", "item_b", None])
def test_what_was_said_after_a_function_call_does_not_hide_it(last: str | None) -> None:
    wire, (probe, _) = between("call_1")
    echoed(wire, probe, last)
    shown(wire, "call_1")
    if last is not None:
        wire.got("conversation.item.retrieved", item=CALLER if last == "item_u" else BOT)
    assert wire.facts(on.ToolAsked) == [on.ToolAsked("call_1", "lookup", "{}")]
    assert asked(wire.do(do.AnswerTool("call_1", "1"))) == (last != "item_u")
    assert asked(wire.wait(QUIET_S + 0.1)) == (last == "item_u")


def test_of_a_response_that_was_cut_off_no_function_call_is_run_and_each_is_answered() -> None:
    wire, (probe, *_) = between("call_1", "call_2")
    echoed(wire, probe, "item_u")
    shown(wire, "call_1")
    shown(wire, "call_2", status="incomplete")
    wire.got("conversation.item.retrieved", item=CALLER)
    assert wire.facts(on.ToolAsked) == []
    assert [voided.ref for voided in wire.facts(on.ToolVoided)] == ["call_1", "call_2"]
    for ref in ("call_1", "call_2"):
        assert kinds(wire.do(do.AnswerTool(ref, "no", reply=False))) == ["conversation.item.create"]


def test_a_response_that_goes_on_tells_its_function_calls_itself() -> None:
    wire, (probe, *_) = between("call_1", "call_2")
    echoed(wire, probe, "item_call_2")
    shown(wire, "call_1")
    shown(wire, "call_2", status="in_progress")
    assert wire.facts(on.ToolAsked) == []
    wire.done("resp_1", output=[function_call("call_1"), function_call("call_2")])
    assert [tool.ref for tool in wire.facts(on.ToolAsked)] == ["call_1", "call_2"]
    assert asked(wire.do(do.AnswerTool("call_1", "1"))) == 0
    assert asked(wire.do(do.AnswerTool("call_2", "2"))) == 1


def test_the_end_of_a_response_that_comes_first_is_enough() -> None:
    wire, (probe, *_) = between("call_1")
    wire.done("resp_1", output=[function_call("call_1"), function_call("call_2")])
    echoed(wire, probe, "item_u")
    shown(wire, "call_1")
    assert [tool.ref for tool in wire.facts(on.ToolAsked)] == ["call_1", "call_2"]
    assert asked(wire.do(do.AnswerTool("call_1", "1"))) == 0


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("response.created", {"response": {"id": "resp_2"}}),
        ("output_audio_buffer.started", {"response_id": "resp_1"}),
        ("input_audio_buffer.speech_started", {"item_id": "item_v"}),
    ],
)
@pytest.mark.parametrize("shown_first", [True, False])
def test_a_conversation_that_goes_on_does_not_hide_a_function_call(
    kind: str, fields: Any, shown_first: bool
) -> None:
    wire, _ = between("call_1")
    if shown_first:
        shown(wire, "call_1")
    wire.got(kind, **fields)
    if not shown_first:
        shown(wire, "call_1")
    assert wire.facts(on.ToolAsked) == [on.ToolAsked("call_1", "lookup", "{}")]


def test_an_item_that_is_gone_does_not_keep_the_others_from_being_run() -> None:
    wire, (probe, gone, _) = between("call_1", "call_2")
    echoed(wire, probe, "item_call_2")
    why = {"code": "item_retrieve_invalid_item_id", "event_id": gone["event_id"]}
    shown(wire, "call_2")
    wire.got("error", error={"type": "invalid_request_error", "message": "", **why})
    assert [tool.ref for tool in wire.facts(on.ToolAsked)] == ["call_2"]


def test_what_a_cloud_shows_is_run_though_it_does_not_show_all() -> None:
    wire, _ = between("call_1", "call_2")
    shown(wire, "call_1")
    wire.wait(QUIET_S + 0.1)
    assert [tool.ref for tool in wire.facts(on.ToolAsked)] == ["call_1"]
    wire.lose()
    assert [frame.get("item_id") for frame in wire.open()] == [None, "item_call_2"]


def test_a_line_that_is_lost_again_is_asked_again() -> None:
    wire, (probe, *_) = between("call_1", "call_2")
    echoed(wire, probe, "item_u")
    shown(wire, "call_1")
    wire.lose()
    assert wire.facts(on.ToolAsked) == []
    again = [frame.get("item_id") for frame in wire.open()]
    assert again == [None, "item_call_1", "item_call_2", "item_u"]


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
