"""The session object: its defaults, and how updates merge into it."""

from __future__ import annotations

from typing import Any

from offhook.simulator.models import FIRST, Family
from offhook.simulator.wire import Json, Problem

DEFAULT_INSTRUCTIONS = "You are a friendly voice. Keep your answers short."

SERVER_VAD: Json = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 200,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
SEMANTIC_VAD: Json = {
    "type": "semantic_vad",
    "eagerness": "auto",
    "create_response": True,
    "interrupt_response": True,
}
VADS = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}


class Session:
    """The configuration of one call."""

    def __init__(
        self, model: str, expires_at: int, *, session_id: str = "", family: Family = FIRST
    ) -> None:
        self.family = family
        self.config: Json = {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": model,
            "output_modalities": ["audio"],
            "instructions": DEFAULT_INSTRUCTIONS,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": expires_at,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": self._server_vad(),
                },
                "output": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "voice": family.voice,
                    "speed": 1.0,
                },
            },
            "include": None,
        }

    def _server_vad(self) -> Json:
        return {**SERVER_VAD, "silence_duration_ms": self.family.silence_ms}

    @property
    def turn_detection(self) -> Json | None:
        """How turns are found, or `None`."""
        found: Json | None = self.config["audio"]["input"]["turn_detection"]
        return found

    @property
    def transcription(self) -> Json | None:
        """How the caller's words are transcribed, or `None`."""
        found: Json | None = self.config["audio"]["input"]["transcription"]
        return found

    def update(self, change: Json, *, assistant_spoke: bool) -> Problem | None:
        """Merge a valid change into the session; on a problem nothing changes."""
        problem = self._forbidden(change, assistant_spoke)
        if problem is not None:
            return problem
        merged = self._copied()
        for key, value in change.items():
            if key == "voice":
                merged["audio"]["output"]["voice"] = value
            elif key == "audio":
                self._merge_audio(merged["audio"], value or {})
            else:
                merged[key] = value
        self.config = merged
        return None

    def _copied(self) -> Json:
        """A copy as deep as a change reaches; what is below is replaced, never changed."""
        sides = {side: {**part} for side, part in self.config["audio"].items()}
        return {**self.config, "audio": sides}

    def _forbidden(self, change: Json, assistant_spoke: bool) -> Problem | None:
        model = change.get("model", self.config["model"])
        if model != self.config["model"]:
            return Problem(
                "The session's model cannot be updated.", "invalid_value", "session.model"
            )
        tracing = self.config["tracing"]
        if tracing is not None and change.get("tracing", tracing) != tracing:
            return Problem(
                "Tracing cannot be changed once it is on.", "invalid_value", "session.tracing"
            )
        if (change.get("reasoning") or {}).get("effort") and not self.family.reasons:
            return Problem(
                f"The model '{self.config['model']}' does not support reasoning.",
                "invalid_value",
                anonymous=True,
            )
        output = (change.get("audio") or {}).get("output") or {}
        voice = self.config["audio"]["output"]["voice"]
        if assistant_spoke and output.get("voice", voice) != voice:
            return Problem(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice",
                "session.audio.output.voice",
            )
        return None

    def _merge_audio(self, audio: Json, change: Json) -> None:
        for side in ("input", "output"):
            for key, value in (change.get(side) or {}).items():
                audio[side][key] = self._merged(key, audio[side].get(key), value)

    def _merged(self, key: str, current: Any, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        match key:
            case "turn_detection":
                return self._merged_vad(current, value)
            case "transcription":
                return {"model": None, "language": None, "prompt": None, **value}
        return value

    def _merged_vad(self, current: Json | None, change: Json) -> Json:
        """Another kind of turn detection brings its own defaults; so does null for a value."""
        kind = change.get("type") or (current or SERVER_VAD)["type"]
        defaults = self._server_vad() if kind == "server_vad" else VADS[kind]
        base = current if current and current["type"] == kind else defaults
        given = {key: defaults[key] if value is None else value for key, value in change.items()}
        return {**base, **given, "type": kind}
