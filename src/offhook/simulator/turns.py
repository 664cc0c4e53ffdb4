"""The cloud's ear: finds the caller's turns, interrupts the bot, lets the model answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from offhook.simulator.answers import Answers
from offhook.simulator.clock import Pause, Timer
from offhook.simulator.conversation import CALLER_TOKENS_PER_S
from offhook.simulator.playback import Playback
from offhook.simulator.stage import Stage
from offhook.simulator.transcription import Transcription
from offhook.simulator.wire import Json, new_id, system_item, user_speech_item

# How long a semantic VAD waits at most where a sentence sounds unfinished (OpenAI's VAD guide).
_PATIENCE_S = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}
_NUDGE = "Nobody has spoken for a while. Ask briefly whether the caller is still there."


class Turns:
    """Turns what the caller says into events and answers."""

    def __init__(self, stage: Stage, playback: Playback, answers: Answers) -> None:
        self._stage = stage
        self._playback = playback
        self._answers = answers
        self._transcription = Transcription(stage)
        self._idle: Timer | asyncio.TimerHandle | None = None
        self._speaking = False
        self._turns = 0
        stage.watchers.append(self._watch_idleness)

    def hear(
        self, text: str, seconds: float, *, transcript: str, stops: bool = True
    ) -> Iterator[Pause]:
        """The caller speaks for some seconds; yields until the turn is over for the cloud."""
        stage = self._stage
        self._speaking = True
        self._stop_idling()
        item_id = new_id("item")
        onset = min(stage.timings.hears, seconds)
        yield onset
        stage.trace.mark("caller_speech_started")
        detects = stage.session.turn_detection is not None
        if detects:
            start = max(0, stage.audio_ms() - int(onset * 1000) - self._padding())
            stage.emit("input_audio_buffer.speech_started", audio_start_ms=start, item_id=item_id)
            self._interrupt()
        streams = detects and self._transcription.streams_early
        if streams:
            yield from self._transcription.whisper(item_id, transcript, seconds - onset)
        else:
            yield seconds - onset
        if not stops:
            return
        self._speaking = False
        stage.items.caller_text = text
        stage.trace.mark("caller_said", text=text)
        vad = stage.session.turn_detection
        if vad is None or not detects:
            return
        yield _silence(vad, text)
        self._commit(item_id, seconds, transcript, streamed=streams)

    def _padding(self) -> int:
        vad = self._stage.session.turn_detection or {}
        return int(vad.get("prefix_padding_ms", 300))

    def _interrupt(self) -> None:
        vad = self._stage.session.turn_detection
        if vad is not None and vad["interrupt_response"]:
            if self._stage.beliefs.cleared_first:
                self._playback.clear()
            if self._answers.active is not None:
                self._answers.cancel("turn_detected")
            self._playback.clear()

    def _commit(self, item_id: str, seconds: float, transcript: str, *, streamed: bool) -> None:
        stage = self._stage
        vad = stage.session.turn_detection or {}
        stage.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=stage.audio_ms(), item_id=item_id
        )
        self._commit_item(item_id, seconds)
        if vad.get("create_response") and not self._is_overlooked():
            problem = self._answers.start({})
            if problem is not None:
                stage.error(problem, None)
        self._transcription.begin(item_id, seconds, transcript, streamed=streamed)

    def _is_overlooked(self) -> bool:
        """Whether this turn is one of those that the model does not answer by itself."""
        self._turns += 1
        return self._turns <= self._stage.faults.unanswered_turns

    def _commit_item(self, item_id: str, seconds: float) -> None:
        stage = self._stage
        item = user_speech_item(item_id)
        previous = stage.items.add(item)
        stage.items.counts_audio(item_id, seconds, CALLER_TOKENS_PER_S)
        stage.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        stage.emit("conversation.item.added", previous_item_id=previous, item=item)
        stage.emit(
            "conversation.item.done",
            previous_item_id=stage.previous_when_done(item_id),
            item=item,
        )

    def press(self, key: str, received_at: int) -> None:
        """The caller presses a key. It is no turn and no item."""
        self._stage.trace.mark("caller_pressed", digit=key)
        self._stage.emit(
            "input_audio_buffer.dtmf_event_received", event=key, received_at=received_at
        )

    def end(self) -> None:
        """The call is gone."""
        self._stop_idling()
        self._stage.watchers.remove(self._watch_idleness)

    def _watch_idleness(self) -> None:
        vad = self._stage.session.turn_detection or {}
        limit = vad.get("idle_timeout_ms")
        busy = self._speaking or self._answers.active is not None or not self._playback.idle
        if limit is None or busy:
            self._stop_idling()
        elif self._idle is None and self._stage.items.assistant_spoke:
            self._idle = self._stage.clock.guard(limit / 1000, self._nudge)

    def _stop_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _nudge(self) -> None:
        """Nobody spoke: the cloud commits silence and lets the model ask."""
        self._idle = None
        stage = self._stage
        vad = stage.session.turn_detection or {}
        item_id = new_id("item")
        end = stage.audio_ms()
        start = max(0, end - int(vad.get("idle_timeout_ms") or 0))
        stage.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=start,
            audio_end_ms=end,
            item_id=item_id,
        )
        nudge = system_item(_NUDGE)
        previous = stage.items.add(nudge)
        stage.emit("conversation.item.added", previous_item_id=previous, item=nudge)
        stage.emit("conversation.item.done", previous_item_id=previous, item=nudge)
        self._commit_item(item_id, (end - start) / 1000)
        stage.items.caller_text = ""
        self._answers.start({"instructions": 'Say: "Are you still there?"'})
        if stage.session.transcription is not None:
            delay = stage.timings.transcription
            stage.clock.later(delay, self._transcription.complete, item_id, "", 0.0)


def _silence(vad: Json, text: str) -> float:
    """How long a pause must be to end the turn."""
    if vad["type"] == "server_vad":
        return float(vad["silence_duration_ms"]) / 1000
    finished = text.rstrip().endswith((".", "!", "?"))
    return 0.4 if finished else _PATIENCE_S[vad["eagerness"]]
