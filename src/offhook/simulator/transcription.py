"""The caller's words in writing: streamed, late, wrong or missing, beside the answer."""

from __future__ import annotations

import math
from collections.abc import Iterator

from offhook.simulator.clock import Pause
from offhook.simulator.conversation import CALLER_TOKENS_PER_S
from offhook.simulator.stage import Stage
from offhook.simulator.wire import Json, obfuscation, pieces

_EVENT = "conversation.item.input_audio_transcription"
_FORBIDDEN = "Input transcription failed for item '{}'. 403 Forbidden: the project has no access."


class Transcription:
    """Writes down what one caller says, turn by turn. The model never reads it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def streams_early(self) -> bool:
        """Whether words are told while the caller still speaks."""
        wanted = self._stage.session.transcription
        works = self._stage.faults.transcription == "ok" and self._deployed
        return works and wanted is not None and wanted["model"] == "gpt-realtime-whisper"

    def whisper(self, item_id: str, transcript: str, seconds: float) -> Iterator[Pause]:
        """The first half of the words of a turn that is not over, told at half its time."""
        yield seconds / 2
        words = pieces(transcript)
        for word in words[: len(words) // 2]:
            self._delta(item_id, word)
        yield seconds / 2

    def begin(self, item_id: str, seconds: float, transcript: str, *, streamed: bool) -> None:
        """Transcribe a turn that is over, `streamed` if its first half was told."""
        stage, mode = self._stage, self._stage.faults.transcription
        if stage.session.transcription is None or mode == "none":
            return
        delay = stage.timings.transcription
        if mode in ("failed", "forbidden") or not self._deployed:
            stage.clock.later(stage.timings.transcription_failure, self._fail, item_id)
            return
        if mode == "late":
            delay = stage.faults.transcription_late_s
        heard = self._heard(transcript)
        deltas = self._deltas(heard, streamed=streamed)
        for index, delta in enumerate(deltas):
            moment = delay * (index + 1) / (len(deltas) + 1)
            stage.clock.later(moment, self._delta, item_id, delta)
        stage.clock.later(delay, self.complete, item_id, heard, seconds)

    def _deltas(self, heard: str, *, streamed: bool) -> list[str]:
        """What is told in pieces: by whisper-1 all at once (OpenAI's guide to transcription)."""
        words = pieces(heard)
        if streamed:
            return words[len(words) // 2 :]
        wanted = self._stage.session.transcription or {}
        return [heard] if heard and wanted["model"] == "whisper-1" else words

    def complete(self, item_id: str, transcript: str, seconds: float) -> None:
        """Tell the whole transcript."""
        self._stage.emit(
            f"{_EVENT}.completed",
            item_id=item_id,
            content_index=0,
            transcript=transcript,
            usage=self._usage(transcript, seconds),
        )

    @property
    def _deployed(self) -> bool:
        """Whether the cloud has the model that the session wants."""
        deployed = self._stage.beliefs.azure_transcribers
        if deployed is None or not self._stage.profile.knows_deployments:
            return True
        return (self._stage.session.transcription or {}).get("model") in deployed

    def _heard(self, transcript: str) -> str:
        match self._stage.faults.transcription:
            case "empty":
                return ""
            case "echo":
                return str((self._stage.session.transcription or {}).get("prompt") or "")
        return transcript

    def _delta(self, item_id: str, delta: str) -> None:
        self._stage.emit(
            f"{_EVENT}.delta",
            item_id=item_id,
            content_index=0,
            delta=delta,
            obfuscation=obfuscation(delta),
        )

    def _usage(self, transcript: str, seconds: float) -> Json:
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

    def _fail(self, item_id: str) -> None:
        code: str | None = None
        if self._stage.profile.knows_deployments:
            code = "DeploymentNotFound"
        message = f"Input transcription failed for item '{item_id}'."
        if self._stage.faults.transcription == "forbidden":
            code, message = None, _FORBIDDEN.format(item_id)
        self._stage.emit(
            f"{_EVENT}.failed",
            item_id=item_id,
            content_index=0,
            error={"type": "server_error", "code": code, "message": message, "param": None},
        )
