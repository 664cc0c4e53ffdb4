"""Frames recorded from both clouds, stepped through decode, the surface and the call.

What is expected is read from each recording itself, by another way than the product's.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.outcomes import Answered
from offhook.core.transcript import Who
from offhook.realtime.frames import KNOWN, SKIPPED_TYPES, Frame, Unknown, Unreadable, decode
from support.calls import Driven
from support.wire import Wire

FOLDER = Path(__file__).parents[2].parent / "shared" / "recordings"
NAMES = [
    "azure_sideband_text_turn",
    "azure_ws_server_vad_turn_transcribed",
    "azure_ws_tool_call",
    "azure_ws_transcription_failed",
    "openai_2.1_ws_tool_call_with_preamble",
    "openai_sideband_audio_turn",
    "openai_ws_server_vad_turn",
    "openai_ws_tool_call",
]
TYPES = {k.__struct_config__.tag for k in KNOWN}


@pytest.fixture(params=NAMES)
def received(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The frames of one recording that the cloud sent, in order."""
    path = FOLDER / f"{request.param}.yaml"
    if not path.is_file():
        pytest.skip(f"no recordings beside the project ({path.parent.name}/{path.name})")
    session = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [i["data"] for i in session["interactions"] if i["direction"] == "received"]


class Replayed:
    """One recording, played into a live call whose tools answer at once."""

    def __init__(self, frames: list[dict[str, Any]]) -> None:
        self.wire, self.driven = Wire(), Driven().live()
        for frame in frames:
            before = len(self.wire.told)
            self.wire.raw(frame)
            for event in self.wire.told[before:]:
                self.perform(self.driven.on(event))

    def perform(self, commands: list[do.Command]) -> None:
        for command in commands:
            if isinstance(command, do.RunTool):
                ended = on.ToolEnded(command.ref, Answered("{}"))
                self.perform(self.driven.on(ended))
            self.wire.do(command)

    def said(self, who: Who) -> list[str | None]:
        return [u.text for u in self.driven.call.transcript.utterances if u.who is who]


def done(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [f["response"] for f in frames if f["type"] == "response.done"]


def output(frames: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [item for r in done(frames) for item in r["output"] if item["type"] == kind]


def test_every_recorded_frame_is_known_and_can_be_read(received: list[dict[str, Any]]) -> None:
    for frame in received:
        decoded = decode(json.dumps(frame))
        assert not isinstance(decoded, Unknown | Unreadable), decoded
        assert isinstance(decoded, Frame) == (frame["type"] in TYPES)
        assert (decoded is None) == (frame["type"] in SKIPPED_TYPES)


def test_the_bots_words_are_those_of_the_recording(received: list[dict[str, Any]]) -> None:
    expected = [
        part.get("transcript") or part.get("text")
        for item in output(received, "message")
        for part in item["content"]
    ]
    assert Replayed(received).said(Who.BOT) == expected
    assert expected or output(received, "function_call")


def test_the_callers_words_are_those_of_the_recording(received: list[dict[str, Any]]) -> None:
    kind = "conversation.item.input_audio_transcription."
    expected = {f["item_id"]: f["transcript"] for f in received if f["type"] == kind + "completed"}
    failed = [f["item_id"] for f in received if f["type"] == kind + "failed"]
    utterances = Replayed(received).driven.call.transcript.utterances
    heard = {u.item: u.text for u in utterances if u.who is Who.CALLER and u.text is not None}
    assert heard == expected
    unknown = [u.item for u in utterances if u.text is None and u.item in failed]
    assert unknown == failed  # it has its place in the transcript, without words


def test_the_caller_comes_before_the_answer_whenever_the_words_arrive(
    received: list[dict[str, Any]],
) -> None:
    spoken = [f for f in received if f["type"] == "input_audio_buffer.committed"]
    utterances = [u.item for u in Replayed(received).driven.call.transcript.utterances]
    answers = [i["id"] for i in output(received, "message")]
    for frame in spoken:
        assert utterances.index(frame["item_id"]) < utterances.index(answers[-1])


def test_the_function_calls_are_those_of_the_recording_and_answered_once(
    received: list[dict[str, Any]],
) -> None:
    replayed = Replayed(received)
    expected = output(received, "function_call")
    ran = replayed.driven.told(do.RunTool)
    assert [(c.ref, c.name, json.loads(c.arguments)) for c in ran] == [
        (i["call_id"], i["name"], json.loads(i["arguments"])) for i in expected
    ]
    answered = Counter(
        f["item"]["call_id"]
        for f in replayed.wire.sent
        if f.get("item", {}).get("type") == "function_call_output"
    )
    assert answered == Counter(i["call_id"] for i in expected)
    asks = [f for f in replayed.wire.sent if f["type"] == "response.create"]
    assert len(asks) == (1 if expected else 0)


def test_the_usage_is_that_of_the_recording(received: list[dict[str, Any]]) -> None:
    usage = Replayed(received).driven.call.usage
    recorded = [r["usage"] for r in done(received)]
    used = usage.responses
    assert usage.unknown == 0
    assert used.input == sum(u["input_tokens"] for u in recorded)
    assert used.output == sum(u["output_tokens"] for u in recorded)
    details = [u["output_token_details"] for u in recorded]
    assert used.audio_out == sum(d["audio_tokens"] for d in details)
    assert used.text_out == sum(d["text_tokens"] for d in details)
    details = [u["input_token_details"] for u in recorded]
    assert used.cached == sum(d["cached_tokens"] for d in details)
    for kind in ("text", "audio", "image"):
        together = getattr(used, f"{kind}_in") + getattr(used, f"{kind}_cached")
        assert together == sum(d[f"{kind}_tokens"] for d in details)
    transcribed = [f["usage"] for f in received if f["type"].endswith("transcription.completed")]
    assert usage.seconds == sum(u["seconds"] for u in transcribed)


def test_unknown_fields_and_nulls_break_nothing(received: list[dict[str, Any]]) -> None:
    for frame in received:
        strange = frame | {"news": {"deep": [1, None]}, "event_id": None}
        assert not isinstance(decode(json.dumps(strange)), Unknown | Unreadable)


def test_an_unknown_type_is_told_from_a_broken_frame(received: list[dict[str, Any]]) -> None:
    for frame in received[:5]:
        news = decode(json.dumps(frame | {"type": "response.telepathy.delta"}))
        assert news == Unknown("response.telepathy.delta")
    broken = decode(b'{"type":"response.done","response":7}')
    assert isinstance(broken, Unreadable)
    assert broken.type == "response.done"
