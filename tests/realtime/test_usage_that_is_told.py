"""What a response and a transcription have used, as the cloud tells it."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.core import events as on
from offhook.core.usage import Tokens
from offhook.realtime.usage import told
from support.wire import Wire

COMPLETED = "conversation.item.input_audio_transcription.completed"


def used(usage: dict[str, Any] | None) -> Tokens | None:
    wire = Wire()
    wire.created("resp_1")
    response: dict[str, Any] = {"id": "resp_1", "status": "completed", "output": []}
    wire.got("response.done", response=response | {"usage": usage})
    (fact,) = wire.facts(on.Used)
    assert fact.response == "resp_1"
    return fact.tokens


def transcribed(**frame: Any) -> on.TranscriptionUsed:
    wire = Wire()
    wire.got(COMPLETED, item_id="item_u", transcript="Hello.", **frame)
    (fact,) = wire.facts(on.TranscriptionUsed)
    assert fact.item == "item_u"
    return fact


FULL = {
    "total_tokens": 1250,
    "input_tokens": 1000,
    "output_tokens": 250,
    "input_token_details": {
        "text_tokens": 600,
        "audio_tokens": 300,
        "image_tokens": 100,
        "cached_tokens": 700,
        "cached_tokens_details": {"text_tokens": 500, "audio_tokens": 150, "image_tokens": 50},
    },
    "output_token_details": {"text_tokens": 50, "audio_tokens": 200},
}


def test_cached_tokens_are_taken_out_of_the_input_kind_by_kind() -> None:
    tokens = used(FULL)
    assert tokens == Tokens(
        text_in=100,
        audio_in=150,
        image_in=50,
        text_cached=500,
        audio_cached=150,
        image_cached=50,
        text_out=50,
        audio_out=200,
    )
    assert (tokens.input, tokens.cached, tokens.output) == (1000, 700, 250)


def test_cached_tokens_without_kinds_are_text_which_comes_first_in_every_prompt() -> None:
    details = {"text_tokens": 600, "audio_tokens": 400, "cached_tokens": 700}
    tokens = used(FULL | {"input_token_details": details})
    assert tokens is not None
    assert (tokens.text_in, tokens.text_cached) == (0, 600)  # never more than there is
    assert (tokens.audio_in, tokens.audio_cached) == (400, 0)


def test_thoughts_are_text_that_was_put_out() -> None:
    details = {"text_tokens": 30, "audio_tokens": 200, "reasoning_tokens": 20}
    tokens = used(FULL | {"output_token_details": details})
    assert tokens is not None
    assert (tokens.text_out, tokens.audio_out) == (50, 200)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"input_tokens": None, "output_tokens": None},
        FULL | {"input_token_details": None},
        FULL | {"output_token_details": None},
        FULL | {"input_tokens": None},
        FULL | {"output_tokens": None},
    ],
)
def test_what_is_not_told_is_unknown_rather_than_nothing(usage: dict[str, Any] | None) -> None:
    assert used(usage) is None


def test_a_response_that_says_it_used_nothing_used_nothing() -> None:
    assert used({"input_tokens": 0, "output_tokens": 0}) == Tokens()


def test_a_transcription_is_counted_by_its_seconds() -> None:
    fact = transcribed(usage={"type": "duration", "seconds": 3})
    assert fact == on.TranscriptionUsed("item_u", seconds=3.0)


def test_a_transcription_is_counted_by_its_tokens() -> None:
    usage = {
        "type": "tokens",
        "total_tokens": 48,
        "input_tokens": 40,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 30},
        "output_tokens": 8,
    }
    fact = transcribed(usage=usage)
    assert fact.tokens == Tokens(text_in=10, audio_in=30, text_out=8)
    assert fact.seconds is None


@pytest.mark.parametrize("usage", [None, {}, {"type": "tokens", "input_tokens": 4}])
def test_a_transcription_that_does_not_tell_is_unknown(usage: Any) -> None:
    assert transcribed(usage=usage) == on.TranscriptionUsed("item_u")


def test_the_recognition_of_a_silence_is_paid_for_too() -> None:
    wire = Wire()
    wire.got("input_audio_buffer.timeout_triggered", item_id="item_s")
    wire.got(COMPLETED, item_id="item_s", transcript="", usage={"type": "duration", "seconds": 5})
    assert wire.facts(on.TranscriptionUsed) == [on.TranscriptionUsed("item_s", seconds=5.0)]
    assert not wire.facts(on.CallerSaid)


def test_a_usage_is_read_from_json_too_and_nonsense_is_unknown() -> None:
    assert told(FULL) == used(FULL)
    assert told(None) is None
    assert told({"input_tokens": "many"}) is None
