"""The voice: set in the accept, asked for again where the echo shows another, never in a loop."""

from __future__ import annotations

from typing import Any

from offhook.core import events as on
from support.wire import Wire, kinds


def echo(voice: str) -> dict[str, Any]:
    return {"id": "sess_1", "audio": {"output": {"voice": voice}}}


def refused(param: str, event_id: str | None) -> dict[str, Any]:
    return {"code": "unknown_parameter", "param": param, "event_id": event_id}


def test_a_session_with_our_voice_is_left_alone() -> None:
    assert Wire().got("session.created", session=echo("marin")) == []


def test_a_session_with_another_voice_is_asked_for_ours_once() -> None:
    wire = Wire()
    [update] = wire.got("session.created", session=echo("alloy"))
    assert update["session"] == {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    assert wire.got("session.updated", session=echo("alloy")) == []


def test_a_refused_voice_is_asked_for_the_old_way_once() -> None:
    wire = Wire()
    wire.got("session.created", session=echo("alloy"))
    [update] = wire.got("error", error=refused("session.audio.output.voice", "voice"))
    assert update["session"] == {"type": "realtime", "voice": "marin"}
    for _ in range(5):
        assert wire.got("error", error=refused("session.voice", "old-voice")) == []
        assert wire.got("error", error=refused("session.audio.output.voice", None)) == []
        assert wire.got("session.updated", session=echo("alloy")) == []


def test_a_voice_that_the_accept_had_to_leave_out_is_tried_on_the_sideband_once() -> None:
    wire = Wire(connected=False)
    [update] = wire.open(variant=1)
    assert update["session"] == {"type": "realtime", "voice": "marin"}
    assert wire.got("error", error=refused("session.voice", "old-voice")) == []
    wire.lose()
    assert "session.update" not in kinds(wire.open(variant=1))


def test_a_voice_that_comes_too_late_is_only_told() -> None:
    wire = Wire()
    wire.got("session.created", session=echo("alloy"))
    assert wire.got("error", error={"code": "cannot_update_voice", "event_id": "voice"}) == []
    assert [e.code for e in wire.facts(on.Complained)] == ["cannot_update_voice"]
