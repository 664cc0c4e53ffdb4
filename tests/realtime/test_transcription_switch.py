"""Transcription on and off within a call: once asked for, and still so after a lost sideband."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from offhook.core import commands as do
from support.wire import CONFIG, Wire

MODEL = {"model": "gpt-realtime-whisper", "language": "en"}
WRITTEN = replace(CONFIG, transcription=MODEL)
UNASKED = replace(WRITTEN, transcribe=False)
ON, OFF = do.Transcribe(on=True), do.Transcribe(on=False)


def switched(frames: list[dict[str, Any]]) -> list[Any]:
    """What each update makes of transcription."""
    return [f["session"]["audio"]["input"]["transcription"] for f in frames]


def test_the_accept_asks_for_no_transcription_until_the_caller_has_agreed() -> None:
    assert WRITTEN.accept_body()["audio"]["input"]["transcription"] == MODEL
    assert UNASKED.accept_body()["audio"]["input"]["transcription"] is None


def test_a_refusal_takes_transcription_out_of_the_session_and_a_yes_puts_it_back() -> None:
    wire = Wire(WRITTEN)
    assert switched(wire.do(OFF)) == [None]
    assert switched(wire.do(ON)) == [MODEL]


def test_what_is_so_already_is_not_sent() -> None:
    assert Wire(WRITTEN).do(ON) == []
    assert Wire(UNASKED).do(OFF) == []


def test_where_nothing_is_transcribed_there_is_nothing_to_switch() -> None:
    wire = Wire(CONFIG)
    assert wire.do(OFF) == []
    wire.lose()
    assert wire.open() == []


def test_a_new_sideband_is_told_what_the_accept_did_not_know() -> None:
    wire = Wire(WRITTEN)
    wire.do(OFF)
    wire.lose()
    assert switched(wire.open()) == [None]
    wire.do(ON)
    wire.lose()
    assert wire.open() == []


def test_a_refusal_without_a_sideband_goes_out_when_there_is_one() -> None:
    wire = Wire(WRITTEN, connected=False)
    assert wire.do(OFF) == []
    assert switched(wire.open()) == [None]
