"""The session object: its defaults, and how updates merge into it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from offhook.simulator.wire import Json, Problem, new_id

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

    def __init__(self, model: str, expires_at: int) -> None:
        newer = is_newer(model)
        self.config: Json = {
            "type": "realtime",
            "object": "realtime.session",
            "id": new_id("sess"),
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
                    "turn_detection": {**SERVER_VAD, "silence_duration_ms": 500 if newer else 200},
                },
                "output": {
                    "format": {"type": "audio/pcm", "rate": 24000},
                    "voice": "marin" if newer else "alloy",
                    "speed": 1.0,
                },
            },
            "include": None,
        }

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
        merged = deepcopy(self.config)
        for key, value in change.items():
            if key == "voice":
                merged["audio"]["output"]["voice"] = value
            elif key == "audio" and value is not None:
                _merge_audio(merged["audio"], value)
            else:
                merged[key] = deepcopy(value)
        self.config = merged
        return None

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
        output = (change.get("audio") or {}).get("output") or {}
        voice = self.config["audio"]["output"]["voice"]
        if assistant_spoke and output.get("voice", voice) != voice:
            return Problem(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice",
                "session.audio.output.voice",
            )
        return None


def is_newer(model: str) -> bool:
    """Whether the model is of the 2 family, which defaults and answers a little differently."""
    return model.startswith("gpt-realtime-2") and not model.startswith("gpt-realtime-2025")


def _merge_audio(audio: Json, change: Json) -> None:
    for side in ("input", "output"):
        for key, value in (change.get(side) or {}).items():
            audio[side][key] = _merged(key, audio[side].get(key), value)


def _merged(key: str, current: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    match key:
        case "turn_detection":
            kind = value.get("type") or (current or SERVER_VAD)["type"]
            base = current if current and current["type"] == kind else VADS[kind]
            return {**base, **value}
        case "transcription":
            return {"model": None, "language": None, "prompt": None, **value}
    return deepcopy(value)
