"""One active response, one owner of turns, nothing that waits for ever."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.events import SayEnd
from offhook.core.rules import Floor
from offhook.realtime.session import TurnDetection
from support.wire import CONFIG, MESSAGE, Wire, function_call, kinds

HELLO = do.Say("greeting", 'Say: "Hello"')
MANUAL = replace(CONFIG, turns=TurnDetection(manual=True))


def test_what_the_call_wants_said_is_an_order_and_a_bare_response() -> None:
    order, response = Wire().do(HELLO)
    assert order["item"]["role"] == "system"
    assert order["item"]["content"] == [{"type": "input_text", "text": 'Say: "Hello"'}]
    assert response["response"] == {"metadata": {"offhook": "greeting"}, "tool_choice": "none"}


def test_what_a_key_means_may_need_the_tools() -> None:
    _, response = Wire().do(do.Say("hook", "The caller typed an order number: look it up."))
    assert response["response"] == {"metadata": {"offhook": "hook"}}


def test_an_order_that_was_carried_out_is_taken_back() -> None:
    wire = Wire()
    order = wire.do(HELLO)[0]
    wire.spoken("resp_1", "greeting")
    assert wire.sent[-1]["type"] == "conversation.item.delete"
    assert wire.sent[-1]["item_id"] == order["item"]["id"]


def test_it_counts_as_heard_when_its_playback_stops_not_when_it_is_generated() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.created("resp_1", "greeting")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    wire.done("resp_1")
    assert wire.facts(on.SayEnded) == []
    wire.got("output_audio_buffer.stopped", response_id="resp_1")
    assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.HEARD)]


def test_without_playback_events_the_length_of_the_audio_tells_when_it_was_heard() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.created("resp_1", "greeting")
    wire.done("resp_1", audio_tokens=100)  # 5 s of speech
    wire.wait(7.9)
    assert wire.facts(on.SayEnded) == []
    wire.wait(0.2)
    assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.HEARD)]


def test_a_response_whose_beginning_is_told_twice_is_still_ours() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.created("resp_1", "greeting")
    wire.created("resp_1", "greeting")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    wire.done("resp_1")
    wire.got("output_audio_buffer.stopped", response_id="resp_1")
    assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.HEARD)]


def test_the_slot_is_taken_when_sent_not_when_confirmed() -> None:
    wire = Wire()
    wire.do(HELLO)
    assert wire.do(do.Say("hook", "x")) == []
    wire.created("resp_1", "greeting")
    assert wire.do(do.Say("hook", "y")) == []
    assert kinds(wire.done("resp_1")) == ["conversation.item.create", "response.create"]


def test_with_server_vad_we_never_answer_a_turn() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.spoken("resp_1")
    wire.wait(60)
    assert "response.create" not in kinds(wire.sent)


def test_with_manual_turns_we_answer_each_turn_once() -> None:
    wire = Wire(MANUAL)
    wire.caller_turn()
    assert kinds(wire.sent) == ["response.create"]
    wire.spoken("resp_1", "turn")
    wire.caller_turn("item_v")
    assert kinds(wire.sent) == ["response.create"] * 2


def test_nothing_is_sent_while_the_caller_speaks() -> None:
    wire = Wire()
    wire.got("input_audio_buffer.speech_started", item_id="item_u")
    assert wire.do(do.Say("wrap_up", "x")) == []
    assert wire.wait(3) == []


def test_noise_that_never_stops_does_not_silence_the_bot_for_ever() -> None:
    wire = Wire()
    wire.got("input_audio_buffer.speech_started", item_id="item_u")
    wire.do(do.Say("wrap_up", "x"))
    assert "response.create" in kinds(wire.wait(20.1))


def test_the_clouds_own_answer_goes_first() -> None:
    wire = Wire()
    wire.caller_turn()
    assert wire.do(do.Say("wrap_up", "x")) == []
    wire.created("resp_1")
    assert "response.create" in kinds(wire.done("resp_1"))


def test_an_answer_that_the_cloud_owes_and_never_gives_is_not_waited_for_for_ever() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.do(do.Say("wrap_up", "x"))
    assert "response.create" in kinds(wire.wait(5.1))


def test_a_request_that_meets_an_active_response_is_made_again_after_it() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.got(
        "error",
        error={"code": "conversation_already_has_active_response", "event_id": None},
    )
    wire.created("resp_0")
    again = wire.done("resp_0")
    assert kinds(again) == ["response.create"]  # its order is in the conversation already
    assert again[-1]["response"]["metadata"] == {"offhook": "greeting"}


def test_a_request_that_crosses_the_clouds_own_response_is_not_made_twice() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.created("resp_0")  # the cloud's own; ours is accepted after it
    assert wire.done("resp_0") == []
    wire.created("resp_1", "greeting")
    wire.done("resp_1")
    assert kinds(wire.sent).count("response.create") == 1


def test_a_response_that_never_ends_is_released_by_its_deadline() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.do(do.Say("wrap_up", "x"))
    sent = wire.wait(30.1)
    assert kinds(sent) == ["response.cancel", "response.create"]  # the caller's answer first
    wire.created("resp_2", "again")
    assert kinds(wire.done("resp_2")) == ["conversation.item.create", "response.create"]


def test_a_request_that_is_never_confirmed_is_made_once_more_and_then_given_up() -> None:
    wire = Wire()
    wire.do(HELLO)
    assert kinds(wire.wait(5.1)) == ["response.create"]  # without its order, which is there
    wire.wait(5.1)
    assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.FAILED)]


def test_what_waited_too_long_is_dropped() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.do(do.Say("wrap_up", "x", until=wire.now + 10))
    wire.wait(11)
    assert wire.facts(on.SayEnded) == [on.SayEnded("wrap_up", SayEnd.DROPPED)]
    assert wire.done("resp_1") == []


def test_a_failed_response_is_asked_for_once_more() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.done("resp_1", "failed", [], code="rate_limit_exceeded")
    assert wire.wait(0.9) == []
    assert kinds(wire.wait(0.2)) == ["response.create"]
    wire.created("resp_2", "again")
    wire.done("resp_2", "failed", [], code="server_error")
    assert wire.facts(on.ModelFailed) == [on.ModelFailed("server_error", "no")]


def test_an_empty_purse_is_no_reason_to_try_again() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.done("resp_1", "failed", [], code="insufficient_quota")
    assert wire.facts(on.ModelFailed) == [on.ModelFailed("insufficient_quota", "no")]
    assert wire.wait(10) == []


def test_a_completed_response_without_output_is_silence_and_asked_for_again_once() -> None:
    wire = Wire()
    wire.created("resp_1")
    assert kinds(wire.done("resp_1", output=[])) == ["response.create"]
    wire.created("resp_2", "again")
    assert wire.done("resp_2", output=[]) == []


def test_a_greeting_that_fails_keeps_its_one_order() -> None:
    wire = Wire()
    wire.do(HELLO)
    wire.created("resp_1", "greeting")
    wire.done("resp_1", "failed", [], code="server_error")
    assert kinds(wire.wait(1)) == ["response.create"]


def test_barge_in_is_left_to_the_cloud() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    assert wire.got("input_audio_buffer.speech_started", item_id="item_u") == []


def test_a_forced_stop_is_cancel_and_clear() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    assert kinds(wire.do(do.CutOff())) == ["response.cancel", "output_audio_buffer.clear"]


def test_a_forced_stop_in_silence_sends_nothing() -> None:
    assert Wire().do(do.CutOff()) == []


def test_a_held_floor_is_whole_turn_detection_without_answers_and_interruptions() -> None:
    [update] = Wire().do(do.SetFloor(Floor.HELD))
    assert update["session"] == {
        "type": "realtime",
        "audio": {
            "input": {
                "turn_detection": {
                    "type": "server_vad",
                    "create_response": False,
                    "interrupt_response": False,
                }
            }
        },
    }


def test_on_a_held_floor_the_callers_voice_does_not_stop_the_goodbye() -> None:
    wire = Wire()
    wire.do(do.SetFloor(Floor.HELD))
    wire.got("input_audio_buffer.speech_started", item_id="item_u")
    assert "response.create" in kinds(wire.do(do.Say("goodbye", "x")))


def test_a_wish_for_quiet_ends_when_the_last_word_was_heard() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    wire.done("resp_1")
    assert wire.do(do.Say("goodbye", None)) == []
    assert wire.facts(on.SayEnded) == []
    wire.got("output_audio_buffer.stopped", response_id="resp_1")
    assert wire.facts(on.SayEnded) == [on.SayEnded("goodbye", SayEnd.HEARD)]


class TestTools:
    def test_all_calls_of_a_response_are_answered_and_then_the_model_goes_on_once(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1"), function_call("call_2")])
        assert [e.ref for e in wire.facts(on.ToolAsked)] == ["call_1", "call_2"]
        assert kinds(wire.do(do.AnswerTool("call_2", "b"))) == ["conversation.item.create"]
        assert kinds(wire.do(do.AnswerTool("call_1", "a"))) == [
            "conversation.item.create",
            "response.create",
        ]

    def test_each_call_is_answered_exactly_once(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        wire.do(do.AnswerTool("call_1", "a"))
        assert wire.do(do.AnswerTool("call_1", "a")) == []

    def test_the_same_call_in_two_responses_is_asked_once(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        wire.done("resp_1", output=[function_call("call_1")])
        wire.created("resp_2")
        wire.done("resp_2", output=[function_call("call_1")])
        assert len(wire.facts(on.ToolAsked)) == 1

    def test_a_call_that_the_list_of_outputs_forgot_is_found_all_the_same(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.got("response.output_item.done", response_id="resp_1", item=function_call("call_1"))
        wire.done("resp_1", output=[])
        assert [e.ref for e in wire.facts(on.ToolAsked)] == ["call_1"]

    def test_a_call_of_a_response_that_was_cut_off_is_not_asked(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", "cancelled", [function_call("call_1")])
        assert wire.facts(on.ToolAsked) == []
        assert [e.ref for e in wire.facts(on.ToolVoided)] == ["call_1"]

    def test_a_preamble_is_told_apart_from_silence(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[*MESSAGE, function_call("call_1")])
        assert wire.facts(on.ToolAsked)[0].spoke

    def test_a_caller_who_speaks_meanwhile_is_answered_by_the_cloud_alone(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        wire.got("input_audio_buffer.speech_started", item_id="item_u")
        wire.do(do.AnswerTool("call_1", "a"))
        wire.got(
            "conversation.item.added",
            item={"id": "i", "type": "function_call_output", "call_id": "call_1", "output": "a"},
        )
        wire.got("input_audio_buffer.speech_stopped", item_id="item_u")
        wire.spoken("resp_2")
        wire.wait(30)
        assert "response.create" not in kinds(wire.sent)

    def test_an_output_that_came_too_late_for_the_clouds_answer_is_spoken_about(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        wire.caller_turn()
        wire.do(do.AnswerTool("call_1", "a"))
        wire.created("resp_2")  # begun before the cloud had the output
        assert kinds(wire.done("resp_2")) == ["response.create"]

    def test_a_short_response_that_only_asks_does_not_stall_what_follows(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        assert kinds(wire.do(do.AnswerTool("call_1", "a")))[-1] == "response.create"


class TestLostSideband:
    def test_outputs_that_the_cloud_has_not_shown_are_sent_again_once(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1"), function_call("call_2")])
        wire.do(do.AnswerTool("call_1", "a"))
        wire.got(
            "conversation.item.added",
            item={"id": "i", "type": "function_call_output", "call_id": "call_1", "output": "a"},
        )
        wire.do(do.AnswerTool("call_2", "b"))
        wire.lose()
        sent = wire.open()
        assert [f["item"]["call_id"] for f in sent if "item" in f] == ["call_2"]
        assert kinds(sent).count("response.create") == 1

    def test_an_output_that_came_meanwhile_is_sent_with_the_new_one(self) -> None:
        wire = Wire()
        wire.created("resp_1")
        wire.done("resp_1", output=[function_call("call_1")])
        wire.lose()
        assert wire.do(do.AnswerTool("call_1", "a")) == []
        assert kinds(wire.open()) == ["conversation.item.create", "response.create"]

    def test_the_greeting_is_never_made_again(self) -> None:
        wire = Wire()
        wire.do(HELLO)
        wire.lose()
        wire.open()
        wire.wait(60)
        assert kinds(wire.sent).count("response.create") == 1
        assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.CUT)]

    def test_the_floor_is_set_again_as_it_was(self) -> None:
        wire = Wire()
        wire.do(do.SetFloor(Floor.HELD))
        wire.lose()
        assert kinds(wire.open()) == ["session.update"]

    def test_while_it_is_away_nothing_is_sent(self) -> None:
        wire = Wire()
        wire.lose()
        assert wire.do(HELLO) == []
        assert wire.wait(60) == []


frames: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "response.created", "response": {"id": "r1"}},
        {"type": "response.created", "response": {"id": "r2", "metadata": {"offhook": "tools"}}},
        {"type": "response.created", "response": {"id": "r3", "metadata": {"offhook": "hook"}}},
        {"type": "response.created", "response": {"id": "r4", "metadata": {"offhook": "turn"}}},
        *(
            {"type": "response.done", "response": {"id": f"r{n}", "status": s, "output": o}}
            for n in (1, 2, 3, 4)
            for s in ("completed", "failed", "cancelled", "incomplete", None)
            for o in ([], None, MESSAGE, [function_call("call_1"), function_call("call_2")])
        ),
        {"type": "input_audio_buffer.speech_started", "item_id": "u"},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "u"},
        {"type": "input_audio_buffer.committed", "item_id": "u"},
        {"type": "input_audio_buffer.timeout_triggered", "item_id": "u"},
        *(
            {"type": f"output_audio_buffer.{k}", "response_id": f"r{n}"}
            for k in ("started", "stopped", "cleared")
            for n in (1, 2, 3)
        ),
        {"type": "error", "error": {"code": "conversation_already_has_active_response"}},
        {"type": "error", "error": {"code": "x", "event_id": "ask:1"}},
        {"type": "error", "error": None} | {"error": {}},
    ]
)
orders = st.sampled_from(
    [
        do.Say("hook", "x"),
        do.Say("goodbye", None),
        do.AnswerTool("call_1", "a"),
        do.AnswerTool("call_2", "b", reply=False),
        do.SetFloor(Floor.HELD),
        do.SetFloor(Floor.OPEN),
        do.CutOff(),
    ]
)
moves = st.one_of(frames, orders, st.sampled_from(["lose", "open"]), st.floats(0.1, 8))


@settings(max_examples=500)
@given(st.lists(moves, max_size=50), st.booleans())
def test_nothing_waits_with_a_free_slot_and_no_timer(what: list[Any], manual: bool) -> None:
    wire = Wire(MANUAL if manual else CONFIG)
    for move in what:
        match move:
            case "lose":
                wire.lose()
            case "open":
                wire.open()
            case float():
                wire.wait(move)
            case dict():
                if wire.surface.connected:
                    wire.raw(move)
            case _:
                wire.do(move)
        slot = wire.surface.slot
        if slot.waiting and wire.surface.connected and not slot.waiting[0].marks_quiet:
            assert wire.surface.wake_at is not None
        if slot.active or slot.sent:
            assert wire.surface.wake_at is not None
        outputs = [f for f in wire.sent if f.get("item", {}).get("type") == "function_call_output"]
        once = [f["item"]["call_id"] for f in outputs]
        assert len(once) == len(set(once)) or "open" in what
    if not wire.surface.connected:
        wire.open()
    wire.wait(300)  # left alone, everything that waited has been said, dropped or given up
    for _ in range(10):
        wire.created("r9")
        wire.done("r9")
        wire.wait(300)
    assert wire.surface.slot.waiting == ()
    assert wire.surface.slot.free
