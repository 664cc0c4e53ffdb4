"""The cloud's ear: finds the caller's turns, interrupts the bot, transcribes, answers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

from offhook.simulator.answers import Answers
from offhook.simulator.clock import Pause, Timer
from offhook.simulator.conversation import CALLER_TOKENS_PER_S
from offhook.simulator.playback import Playback
from offhook.simulator.stage import Stage
from offhook.simulator.wire import Json, new_id, obfuscation, pieces, system_item, user_speech_item

# How long a semantic VAD waits at most where a sentence sounds unfinished (OpenAI's VAD guide).
_PATIENCE_S = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}
_NUDGE = "Nobody has spoken for a while. Ask briefly whether the caller is still there."


class Turns:
    """Turns what the caller says into events and answers."""

    def __init__(self, stage: Stage, playback: Playback, answers: Answers) -> None:
        self._stage = stage
        self._playback = playback
        self._answers = answers
        self._idle: Timer | asyncio.TimerHandle | None = None
        self._speaking = False
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
        streams = detects and self._streams_early()
        if streams:
            yield from self._whispers(item_id, transcript, seconds - onset)
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
            if self._answers.active is not None:
                self._answers.cancel("turn_detected")
            self._playback.clear()

    def _streams_early(self) -> bool:
        transcription = self._stage.session.transcription
        mode = self._stage.faults.transcription
        return (
            mode == "ok"
            and transcription is not None
            and transcription["model"] == "gpt-realtime-whisper"
        )

    def _whispers(self, item_id: str, transcript: str, seconds: float) -> Iterator[Pause]:
        """Words of the first half are known before the turn is over."""
        yield seconds / 2
        words = pieces(transcript)
        for word in words[: len(words) // 2]:
            self._transcript_delta(item_id, word)
        yield seconds / 2

    def _transcript_delta(self, item_id: str, delta: str) -> None:
        self._stage.emit(
            "conversation.item.input_audio_transcription.delta",
            item_id=item_id,
            content_index=0,
            delta=delta,
            obfuscation=obfuscation(delta),
        )

    def _commit(self, item_id: str, seconds: float, transcript: str, *, streamed: bool) -> None:
        stage = self._stage
        vad = stage.session.turn_detection or {}
        stage.emit(
            "input_audio_buffer.speech_stopped", audio_end_ms=stage.audio_ms(), item_id=item_id
        )
        self._commit_item(item_id, seconds)
        if vad.get("create_response"):
            problem = self._answers.start({})
            if problem is not None:
                stage.error(problem, None)
        words = pieces(transcript)
        rest = words[len(words) // 2 :] if streamed else []
        self._transcribe(item_id, seconds, transcript, rest)

    def _commit_item(self, item_id: str, seconds: float) -> None:
        stage = self._stage
        item = user_speech_item(item_id)
        previous = stage.items.add(item)
        stage.items.counts_audio(item_id, seconds, CALLER_TOKENS_PER_S)
        stage.emit("input_audio_buffer.committed", previous_item_id=previous, item_id=item_id)
        stage.emit("conversation.item.added", previous_item_id=previous, item=item)
        stage.emit(
            "conversation.item.done",
            previous_item_id=stage.items.previous_when_done(item_id),
            item=item,
        )

    def _transcribe(self, item_id: str, seconds: float, transcript: str, rest: list[str]) -> None:
        stage, faults = self._stage, self._stage.faults
        if stage.session.transcription is None or faults.transcription == "none":
            return
        delay = stage.timings.transcription
        if faults.transcription == "failed":
            stage.clock.later(delay, self._transcription_failed, item_id)
            return
        if faults.transcription == "late":
            delay = faults.transcription_late_s
        for index, word in enumerate(rest):
            moment = delay * (index + 1) / (len(rest) + 1)
            stage.clock.later(moment, self._transcript_delta, item_id, word)
        told = "" if faults.transcription == "empty" else transcript
        stage.clock.later(delay, self._transcribed, item_id, told, seconds)

    def _transcribed(self, item_id: str, transcript: str, seconds: float) -> None:
        self._stage.emit(
            "conversation.item.input_audio_transcription.completed",
            item_id=item_id,
            content_index=0,
            transcript=transcript,
            usage=self._transcription_usage(transcript, seconds),
        )

    def _transcription_usage(self, transcript: str, seconds: float) -> Json:
        """The whisper family is paid by time, the others by tokens."""
        model = str((self._stage.session.transcription or {}).get("model"))
        if "whisper" in model or not transcript:
            return {"type": "duration", "seconds": math.ceil(seconds)}
        audio = round(seconds * CALLER_TOKENS_PER_S)
        words = -(-len(transcript) // 4)
        return {
            "type": "tokens",
            "total_tokens": audio + words,
            "input_tokens": audio,
            "input_token_details": {"text_tokens": 0, "audio_tokens": audio},
            "output_tokens": words,
        }

    def _transcription_failed(self, item_id: str) -> None:
        knows_deployments = self._stage.profile.knows_deployments
        self._stage.emit(
            "conversation.item.input_audio_transcription.failed",
            item_id=item_id,
            content_index=0,
            error={
                "type": "server_error",
                "code": "DeploymentNotFound" if knows_deployments else None,
                "message": f"Input transcription failed for item '{item_id}'.",
                "param": None,
            },
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
            stage.clock.later(stage.timings.transcription, self._transcribed, item_id, "", 0.0)


def _silence(vad: Json, text: str) -> float:
    """How long a pause must be to end the turn."""
    if vad["type"] == "server_vad":
        return float(vad["silence_duration_ms"]) / 1000
    finished = text.rstrip().endswith((".", "!", "?"))
    return 0.4 if finished else _PATIENCE_S[vad["eagerness"]]
