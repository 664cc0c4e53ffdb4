"""A conversation that another process has begun: what is owed to the model is sent, once."""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.outcomes import Answered, Consented, Transfer
from offhook.realtime import surface
from support.calls import Driven
from support.wire import CONFIG, Wire, function_call, kinds


def _revived(driven: Driven) -> Wire:
    wire = Wire(connected=False)
    wire.surface = surface.revive(CONFIG, 30.0, driven.call)
    return wire


def _asked(*refs: str) -> Driven:
    driven = Driven().live()
    driven.on(*(on.ToolAsked(ref, "lookup", "{}") for ref in refs))
    return driven


def test_an_output_that_the_cloud_has_not_shown_is_sent_and_spoken_about() -> None:
    driven = _asked("call_1")
    driven.on(on.ToolEnded("call_1", Answered("42")))
    output, response = _revived(driven).open()
    assert output["item"]["call_id"] == "call_1"
    assert output["item"]["output"] == "42"
    assert response["type"] == "response.create"


def test_an_output_that_the_cloud_has_is_not_sent_again() -> None:
    driven = _asked("call_1")
    driven.on(on.ToolEnded("call_1", Answered("42")), on.ToolTaken("call_1"))
    driven.now += 1
    driven.on(on.BotSaid("item_9", "It is 42."))
    assert _revived(driven).open() == []


def test_a_model_that_has_said_nothing_since_is_asked_to_speak() -> None:
    driven = _asked("call_1")
    driven.on(on.ToolEnded("call_1", Answered("42")), on.ToolTaken("call_1"))
    assert kinds(_revived(driven).open()) == ["response.create"]


def test_the_model_goes_on_after_the_last_of_the_tools_that_are_owed() -> None:
    wire = _revived(_asked("call_1", "call_2"))
    assert wire.open() == []
    assert kinds(wire.do(do.AnswerTool("call_1", "1"))) == ["conversation.item.create"]
    assert kinds(wire.do(do.AnswerTool("call_2", "2"))) == [
        "conversation.item.create",
        "response.create",
    ]


def test_a_response_that_was_going_on_is_waited_for() -> None:
    driven = _asked("call_1")
    driven.on(on.ToolEnded("call_1", Answered("42")), on.ToolTaken("call_1"))
    wire = _revived(driven)
    (asked,) = wire.open()
    error = {"type": "invalid_request_error", "code": "conversation_already_has_active_response"}
    assert wire.got("error", error={**error, "message": "", "event_id": asked["event_id"]}) == []
    assert "response.create" in kinds(wire.done("resp_from_before"))


def test_a_known_function_call_is_not_asked_again() -> None:
    wire = _revived(_asked("call_1"))
    wire.open()
    call = {"id": "item_f", "type": "function_call", "call_id": "call_1", "name": "lookup"}
    wire.created("resp_1")
    wire.done("resp_1", output=[{**call, "arguments": "{}", "status": "completed"}])
    assert wire.facts(on.ToolAsked) == []


def test_during_a_transfer_the_caller_does_not_get_the_floor() -> None:
    driven = _asked("call_1")
    driven.on(on.ToolEnded("call_1", Transfer("support")), on.ToolTaken("call_1"))
    sent = _revived(driven).open()
    assert kinds(sent) == ["session.update"]


def test_the_cloud_showing_an_output_is_told_once() -> None:
    driven = _asked("call_1")
    wire = _revived(driven)
    wire.open()
    wire.do(do.AnswerTool("call_1", "42"))
    item = {"id": "item_o", "type": "function_call_output", "call_id": "call_1"}
    for _ in range(2):
        wire.got("conversation.item.added", item=item, previous_item_id=None)
    assert wire.facts(on.ToolTaken) == [on.ToolTaken("call_1")]


def test_an_output_sent_again_that_the_cloud_has_already_is_taken() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.done("resp_1", output=[function_call("call_1")])
    (sent, _) = wire.do(do.AnswerTool("call_1", "42"))
    wire.lose()
    (again,) = [f for f in wire.open() if f["type"] == "conversation.item.create"]
    assert again == sent
    assert len(again["item"]["id"]) <= 32
    error = {"code": "item_create_duplicate_item_id", "event_id": again["event_id"]}
    wire.got("error", error={"type": "invalid_request_error", "message": "exists", **error})
    assert wire.facts(on.ToolTaken) == [on.ToolTaken("call_1")]
    assert wire.facts(on.Complained) == []
    wire.lose()
    assert "conversation.item.create" not in kinds(wire.open())


def test_outputs_of_long_names_have_ids_of_their_own() -> None:
    wire = Wire()
    refs = [f"call_{'x' * 60}{n}" for n in range(2)]
    wire.created("resp_1")
    wire.done("resp_1", output=[function_call(ref) for ref in refs])
    frames = [f for ref in refs for f in wire.do(do.AnswerTool(ref, "42"))]
    ids = [f["item"]["id"] for f in frames if f["type"] == "conversation.item.create"]
    assert len(set(ids)) == 2
    assert max(map(len, ids)) <= 32


def test_a_caller_who_has_refused_is_not_transcribed_after_a_take_over() -> None:
    written = replace(CONFIG, transcription={"model": "gpt-realtime-whisper"})
    driven = Driven().live()
    driven.on(on.HookAnswered(Consented(yes=False)))
    wire = Wire(connected=False)
    wire.surface = surface.revive(written, 30.0, driven.call)
    [update] = wire.open()
    assert update["session"]["audio"]["input"]["transcription"] is None
