"""What is done when the cloud owes the caller something that does not come."""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.rules import Floor
from offhook.realtime.floor import CONFIRM_S, OWED_S
from offhook.realtime.hearing import UNWRITTEN
from offhook.realtime.session import TurnDetection
from support.wire import CONFIG, Wire, kinds

WITH_TRANSCRIPTS = replace(CONFIG, transcription={"model": "gpt-realtime-whisper"})


def test_a_turn_that_the_cloud_does_not_answer_is_answered_when_we_ask() -> None:
    wire = Wire()
    wire.caller_turn()
    assert wire.wait(OWED_S - 0.1) == []
    assert kinds(wire.wait(0.2)) == ["response.create"]
    assert wire.facts(on.ReplyMissing) == [on.ReplyMissing(OWED_S)]
    wire.spoken("resp_1", "again")
    assert wire.wait(60.0) == []
    assert not wire.facts(on.ModelFailed)


def test_a_model_that_stays_silent_when_asked_has_failed() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.wait(OWED_S + CONFIRM_S + 0.1)
    assert [e.code for e in wire.facts(on.ModelFailed)] == ["no_answer"]
    assert kinds(wire.sent).count("response.create") == 1


def test_each_turn_is_asked_for_once() -> None:
    wire = Wire()
    for turn in ("u1", "u2"):
        wire.caller_turn(turn)
        wire.wait(OWED_S + 0.1)
        wire.spoken(f"resp_{turn}", "again")
    assert len(wire.facts(on.ReplyMissing)) == 2


def test_an_answer_in_time_is_not_asked_for_again() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.wait(OWED_S - 0.5)
    wire.spoken("resp_1")
    assert wire.wait(60.0) == []
    assert not wire.facts(on.ReplyMissing)


def test_nobody_is_answered_while_the_bot_has_the_floor() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.do(do.SetFloor(Floor.HELD))
    wire.wait(60.0)
    assert not wire.facts(on.ReplyMissing)
    assert "response.create" not in kinds(wire.sent)


def test_a_lost_sideband_owes_nothing() -> None:
    wire = Wire()
    wire.caller_turn()
    wire.lose()
    wire.wait(60.0)
    assert not wire.facts(on.ReplyMissing)


def test_where_we_ask_for_answers_ourselves_the_cloud_owes_none() -> None:
    wire = Wire(replace(CONFIG, turns=TurnDetection(manual=True)))
    wire.caller_turn()
    wire.spoken("resp_1", "turn")
    assert wire.wait(60.0) == []
    assert not wire.facts(on.ReplyMissing)


def test_a_failed_response_is_told_each_time_and_the_model_has_failed_once() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.done("resp_1", "failed", output=[], code="server_error")
    wire.wait(1.0)
    wire.created("resp_2", "again")
    wire.done("resp_2", "failed", output=[], code="server_error")
    assert [e.code for e in wire.facts(on.ReplyFailed)] == ["server_error", "server_error"]
    assert len(wire.facts(on.ModelFailed)) == 1


def turn(wire: Wire, n: int) -> None:
    wire.caller_turn(f"item_{n}")
    wire.spoken(f"resp_{n}")


def test_turns_without_any_transcript_are_told_once() -> None:
    wire = Wire(WITH_TRANSCRIPTS)
    for n in range(UNWRITTEN + 3):
        assert len(wire.facts(on.TranscriptMissing)) == (n >= UNWRITTEN)
        turn(wire, n)
    assert wire.facts(on.TranscriptMissing) == [on.TranscriptMissing(UNWRITTEN)]


def test_a_transcript_now_and_then_is_enough_and_a_failure_is_an_answer_too() -> None:
    said = "conversation.item.input_audio_transcription"
    for kind, more in (
        (f"{said}.completed", {"transcript": "Hello"}),
        (f"{said}.failed", {"error": {"code": "x"}}),
    ):
        wire = Wire(WITH_TRANSCRIPTS)
        for n in range(12):
            turn(wire, n)
            if n % 3 == 0:
                wire.got(kind, item_id=f"item_{n}", content_index=0, **more)
        assert not wire.facts(on.TranscriptMissing)


def test_where_no_transcript_is_wanted_none_is_missed() -> None:
    for wire in (Wire(), Wire(WITH_TRANSCRIPTS)):
        wire.do(do.Transcribe(False))
        for n in range(12):
            turn(wire, n)
        assert not wire.facts(on.TranscriptMissing)
