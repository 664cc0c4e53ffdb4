"""Turns of recorded sessions, timed by a clock on which each frame takes ten milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.outcomes import Answered
from offhook.core.turns import Turns
from offhook.realtime.session import TurnDetection
from support.calls import Driven
from support.wire import CONFIG, Wire

FOLDER = Path(__file__).parents[2].parent / "shared" / "recordings"
FRAME_S = 0.01
TOOL_S = 0.5
WITH_SPEECH = [
    "azure_ws_server_vad_turn_transcribed",
    "azure_ws_transcription_failed",
    "openai_ws_server_vad_turn",
]
WITH_TOOLS = [
    "azure_ws_tool_call",
    "openai_2.1_ws_tool_call_with_preamble",
    "openai_ws_tool_call",
]
SILENCE = TurnDetection(silence_ms=500)


def recorded(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        pytest.skip(f"no recordings beside the project ({path.parent.name}/{path.name})")
    session = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [i["data"] for i in session["interactions"] if i["direction"] == "received"]


class Clocked:
    """A recording played into a live call. `at` is when each frame came, by its place."""

    def __init__(self, frames: list[dict[str, Any]]) -> None:
        self.wire = Wire(replace(CONFIG, turns=SILENCE))
        self.driven = Driven().live()
        self.at: list[float] = []
        for frame in frames:
            self.driven.now += FRAME_S
            self.at.append(self.driven.now)
            before = len(self.wire.told)
            self.wire.raw(frame)
            self._tell(before)

    def _tell(self, since: int) -> None:
        for event in self.wire.told[since:]:
            for command in self.driven.on(event):
                self._perform(command)

    def _perform(self, command: do.Command) -> None:
        before = len(self.wire.told)
        self.wire.do(command)
        if isinstance(command, do.RunTool):
            self.driven.now += TOOL_S
            answers = self.driven.on(on.ToolEnded(command.ref, Answered("{}"), TOOL_S))
            for answer in answers:
                self._perform(answer)
        else:
            self._tell(before)

    @property
    def turns(self) -> Turns:
        return self.driven.call.turns


def first(frames: list[dict[str, Any]], kind: str) -> int:
    return next(n for n, frame in enumerate(frames) if frame["type"] == kind)


@pytest.mark.parametrize("name", WITH_SPEECH)
def test_a_recorded_turn_is_timed_by_its_own_frames_whenever_the_words_arrive(name: str) -> None:
    frames = recorded(name)
    stopped = first(frames, "input_audio_buffer.speech_stopped")
    begun = first(frames, "response.created")
    played = Clocked(frames)
    (turn,) = played.turns.log.values()
    assert turn.item == frames[stopped]["item_id"]
    assert turn.stopped_at == played.at[stopped]
    assert turn.speech_ended_at == pytest.approx(played.at[stopped] - 0.5)
    assert turn.response_at == played.at[begun]
    assert turn.responses == (frames[begun]["response"]["id"],)
    assert turn.own == 0.0


@pytest.mark.parametrize("name", WITH_SPEECH)
def test_a_recorded_turn_is_answered_when_its_response_is_heard(name: str) -> None:
    frames = recorded(name)
    begun = first(frames, "response.created")
    heard = {"type": "output_audio_buffer.started", "response_id": frames[begun]["response"]["id"]}
    other = heard | {"response_id": "resp_of_another_turn"}
    place = first(frames, "response.output_audio_transcript.delta") + 1
    frames[place:place] = [other, heard]
    played = Clocked(frames)
    (turn,) = played.turns.log.values()
    assert turn.audio_at == played.at[place + 1]
    assert turn.latency == pytest.approx(played.at[place + 1] - turn.stopped_at + 0.5)


@pytest.mark.parametrize("name", WITH_TOOLS)
def test_recorded_function_calls_belong_to_the_turn_that_they_answer(name: str) -> None:
    frames = recorded(name)
    spoken: list[dict[str, Any]] = [
        {"type": "input_audio_buffer.speech_started", "item_id": "item_spoken"},
        {"type": "input_audio_buffer.speech_stopped", "item_id": "item_spoken"},
    ]
    place = first(frames, "response.created")
    frames[place:place] = spoken
    for frame in frames:  # the recorded client asked for this answer itself, as we do for tools
        if frame["type"] == "response.created" and frame is not frames[place + 2]:
            frame["response"]["metadata"] = {"offhook": "tools"}
    played = Clocked(frames)
    (turn,) = played.turns.log.values()
    calls = [f for f in frames if f["type"] == "response.function_call_arguments.done"]
    assert len(turn.tools(played.driven.call.tools)) == len(calls)
    assert turn.tool_time(played.driven.call.tools) == pytest.approx(TOOL_S * len(calls))
    assert len(turn.responses) == sum(f["type"] == "response.created" for f in frames)
    assert turn.own == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("name", ["azure_sideband_text_turn", "openai_sideband_audio_turn"])
def test_a_recorded_answer_to_nobodys_speech_is_no_turn(name: str) -> None:
    assert not Clocked(recorded(name)).turns.log
