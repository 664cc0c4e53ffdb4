"""What the call learns of speech, words, keys and silence."""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.events import SayEnd
from offhook.core.transcript import Who
from support.wire import Wire


def test_words_are_told_by_item_whatever_their_order() -> None:
    wire = Wire()
    wire.caller_turn("item_u")
    wire.spoken("resp_1")
    wire.got("response.output_audio_transcript.done", item_id="item_a", transcript="Hi!")
    done = "conversation.item.input_audio_transcription.completed"
    wire.got(done, item_id="item_u", transcript=" Hello? ")
    assert wire.facts(on.BotSaid) == [on.BotSaid("item_a", "Hi!")]
    assert wire.facts(on.CallerSaid) == [on.CallerSaid("item_u", "Hello?")]


def test_the_place_of_an_utterance_is_told_with_what_it_follows() -> None:
    wire = Wire()
    item = {"id": "item_a", "type": "message", "role": "assistant"}
    wire.got("conversation.item.added", item=item, previous_item_id="item_u")
    assert wire.facts(on.UtteranceOpened) == [on.UtteranceOpened("item_a", Who.BOT, "item_u")]


def test_words_that_speech_recognition_finds_in_silence_are_not_the_callers() -> None:
    wire = Wire()
    wire.got("input_audio_buffer.timeout_triggered", item_id="item_s")
    wire.got("input_audio_buffer.committed", item_id="item_s")
    wire.got("conversation.item.added", item={"id": "item_s", "type": "message", "role": "user"})
    done = "conversation.item.input_audio_transcription.completed"
    wire.got(done, item_id="item_s", transcript="Thanks for watching!")
    assert wire.told == [on.CallerSilent("item_s"), on.TranscriptionUsed("item_s")]


def test_a_cut_is_told_with_what_was_heard() -> None:
    wire = Wire()
    wire.got("conversation.item.truncated", item_id="item_a", content_index=0, audio_end_ms=900)
    assert wire.facts(on.BotCut) == [on.BotCut("item_a", 900)]


def test_a_greeting_that_the_caller_cuts_off_is_told_as_cut() -> None:
    wire = Wire()
    wire.do(do.Say("greeting", "x"))
    wire.created("resp_1", "greeting")
    wire.got("output_audio_buffer.started", response_id="resp_1")
    assert wire.facts(on.BotStarted) == [on.BotStarted("greeting", "resp_1")]
    wire.done("resp_1")
    wire.got("output_audio_buffer.cleared", response_id="resp_1")
    assert wire.facts(on.SayEnded) == [on.SayEnded("greeting", SayEnd.CUT)]


def test_a_usage_that_is_not_told_is_unknown_and_its_audio_still_has_a_length() -> None:
    wire = Wire()
    wire.created("resp_1")
    wire.done("resp_1", audio_tokens=None)
    wire.created("resp_2")
    wire.done("resp_2", audio_tokens=40)
    assert wire.facts(on.Used) == [on.Used("resp_1"), on.Used("resp_2")]
    assert wire.facts(on.BotSpoke) == [on.BotSpoke("item_a", 2000)]


def test_the_age_of_a_session_ends_it() -> None:
    wire = Wire()
    wire.got("error", error={"code": "session_expired", "message": "60 minutes"})
    assert wire.facts(on.SessionExpired) == [on.SessionExpired("60 minutes")]


def test_the_end_of_the_session_is_told_on_the_clock_of_the_call_and_again_only_if_it_moves() -> (
    None
):
    wire = Wire(epoch=1_764_000_000.5)
    wire.got("session.created", session={"expires_at": 1_764_001_850})
    wire.got("session.updated", session={"expires_at": 1_764_001_850})
    wire.got("session.updated", session={"expires_at": None})
    wire.got("session.updated", session={})
    assert wire.facts(on.ExpiryTold) == [on.ExpiryTold(1849.5)]
    wire.got("session.updated", session={"expires_at": 1_764_003_650})
    assert wire.facts(on.ExpiryTold)[1:] == [on.ExpiryTold(3649.5)]


def test_where_nobody_knows_the_time_of_day_no_end_of_the_session_is_told() -> None:
    wire = Wire()
    wire.got("session.created", session={"expires_at": 1_764_001_850})
    assert wire.told == []
