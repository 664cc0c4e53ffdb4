"""Whispers: notes to the model that are not answered, and that a lost sideband does not lose."""

from __future__ import annotations

from typing import Any

from offhook.core import commands as do
from support.wire import Wire, kinds

NOTE = do.Whisper("She is a premium customer.")


def confirmed(wire: Wire, item: dict[str, Any]) -> list[dict[str, Any]]:
    """The cloud shows that it has the item."""
    return wire.got("conversation.item.added", item={**item, "status": "completed"})


def test_a_whisper_is_a_system_message_without_a_response() -> None:
    [sent] = Wire().do(NOTE)
    assert sent["type"] == "conversation.item.create"
    assert sent["item"]["role"] == "system"
    assert sent["item"]["content"] == [{"type": "input_text", "text": NOTE.text}]


def test_a_whisper_goes_out_while_somebody_speaks() -> None:
    wire = Wire()
    wire.got("input_audio_buffer.speech_started", item_id="item_u")
    assert kinds(wire.do(NOTE)) == ["conversation.item.create"]


def test_a_whisper_before_the_sideband_is_open_goes_out_when_it_is() -> None:
    wire = Wire(connected=False)
    assert wire.do(NOTE) == []
    assert kinds(wire.open()) == ["conversation.item.create"]


def test_whispers_that_were_not_confirmed_are_sent_again_in_order() -> None:
    wire = Wire()
    [first] = wire.do(do.Whisper("1"))
    [second], [third] = wire.do(do.Whisper("2")), wire.do(do.Whisper("3"))
    confirmed(wire, first["item"])
    wire.lose()
    assert wire.open() == [second, third]


def test_a_whisper_that_the_cloud_refuses_is_not_sent_again() -> None:
    wire = Wire()
    [sent] = wire.do(NOTE)
    problem = {"code": "item_exists", "message": "no", "event_id": sent["event_id"]}
    wire.got("error", error=problem)
    wire.lose()
    assert wire.open() == []
