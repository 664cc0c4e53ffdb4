"""The session object: defaults, what may be set, and how updates merge into it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from offhook.simulator.faults import Faults
from offhook.simulator.wire import (
    Json,
    Problem,
    invalid_type,
    invalid_value,
    missing_parameter,
    new_id,
    unknown_parameter,
)

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
_VAD = {"server_vad": SERVER_VAD, "semantic_vad": SEMANTIC_VAD}
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")
_FORMAT: Json = {"type": None, "rate": None}

# Keys that the schema knows (openai-python: call_accept_params, realtime_audio_config_*).
_KEYS: Json = {
    "type": None,
    "model": None,
    "instructions": None,
    "output_modalities": None,
    "audio": {
        "input": {
            "format": _FORMAT,
            "transcription": dict.fromkeys(
                ("model", "language", "prompt", "languages", "keywords", "delay")
            ),
            "noise_reduction": {"type": None, "strength": None},
            "turn_detection": dict.fromkeys({**SERVER_VAD, **SEMANTIC_VAD}),
        },
        "output": {"format": _FORMAT, "voice": None, "speed": None},
    },
    "tools": None,
    "tool_choice": None,
    "parallel_tool_calls": None,
    "reasoning": {"effort": None},
    "max_output_tokens": None,
    "truncation": None,
    "tracing": None,
    "include": None,
    "prompt": None,
}
_ENUMS = {
    "session.type": ("realtime",),
    "session.audio.input.turn_detection.type": tuple(_VAD),
    "session.audio.input.turn_detection.eagerness": ("low", "medium", "high", "auto"),
    "session.audio.input.noise_reduction.type": ("near_field", "far_field"),
    "session.audio.input.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "session.audio.output.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "session.audio.output.voice": VOICES,
    "session.reasoning.effort": ("minimal", "low", "medium", "high", "xhigh"),
}
_RANGES = {
    "session.audio.output.speed": (0.25, 1.5),
    "session.audio.input.turn_detection.threshold": (0.0, 1.0),
    "session.audio.input.turn_detection.prefix_padding_ms": (0, 5000),
    "session.audio.input.turn_detection.silence_duration_ms": (0, 10_000),
    "session.audio.input.turn_detection.idle_timeout_ms": (5000, 30_000),
}


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
            if key == "audio" and value is not None:
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
            base = current if current and current["type"] == kind else _VAD[kind]
            return {**base, **value}
        case "transcription":
            return {"model": None, "language": None, "prompt": None, **value}
    return deepcopy(value)


def session_problem(body: Any, faults: Faults, where: str) -> Problem | None:
    """What is wrong with a session in an accept or a `session.update`."""
    if not isinstance(body, dict):
        return invalid_type("session", "an object")
    if "type" not in body:
        return missing_parameter("session.type")
    return (
        _key_problem(body, _KEYS, "session", faults if where in faults.refuse_in else Faults())
        or _vad_problem(body)
        or _shape_problem(body)
    )


def _key_problem(body: Json, known: Json, path: str, faults: Faults) -> Problem | None:
    for key, value in body.items():
        here = f"{path}.{key}"
        if key not in known or faults.refuses(here):
            return unknown_parameter(here)
        deeper = known[key]
        if value is None:
            continue
        if deeper is not None:
            if not isinstance(value, dict):
                return invalid_type(here, "an object")
            problem = _key_problem(value, deeper, here, faults)
        else:
            problem = _value_problem(here, value)
        if problem is not None:
            return problem
    return None


def _value_problem(path: str, value: Any) -> Problem | None:
    allowed = _ENUMS.get(path)
    if allowed is not None and value not in allowed:
        if path == "session.audio.output.voice" and isinstance(value, dict):
            return None if set(value) == {"id"} else unknown_parameter(f"{path}.{min(value)}")
        return invalid_value(path, value, allowed)
    limits = _RANGES.get(path)
    if limits is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return invalid_type(path, "a number")
    return None if limits[0] <= value <= limits[1] else invalid_value(path, value)


def _vad_problem(body: Json) -> Problem | None:
    vad = ((body.get("audio") or {}).get("input") or {}).get("turn_detection")
    if not vad:
        return None
    known = _VAD[vad.get("type", "server_vad")]
    for key in vad:
        if key not in known:
            return unknown_parameter(f"session.audio.input.turn_detection.{key}")
    return None


def _shape_problem(body: Json) -> Problem | None:
    modalities = body.get("output_modalities", ["audio"])
    if modalities not in (["audio"], ["text"]):
        return invalid_value("session.output_modalities", modalities, ("text", "audio"))
    for key in ("model", "instructions"):
        if not isinstance(body.get(key, ""), str):
            return invalid_type(f"session.{key}", "a string")
    limit = body.get("max_output_tokens", "inf")
    if limit != "inf" and not (isinstance(limit, int) and 1 <= limit <= 4096):
        return invalid_value("session.max_output_tokens", limit)
    return tools_problem(body.get("tools", []), "session.tools")


def tools_problem(tools: Any, path: str) -> Problem | None:
    """What is wrong with a list of tools."""
    if not isinstance(tools, list):
        return invalid_type(path, "an array of objects")
    for index, tool in enumerate(tools):
        here = f"{path}[{index}]"
        match tool:
            case {"type": "mcp"}:
                continue
            case {"type": "function", "name": str()}:
                extra = set(tool) - {"type", "name", "description", "parameters"}
                if extra:
                    return unknown_parameter(f"{here}.{min(extra)}")
            case {"type": "function"}:
                return missing_parameter(f"{here}.name")
            case {"type": kind}:
                return invalid_value(f"{here}.type", kind, ("function", "mcp"))
            case _:
                return missing_parameter(f"{here}.type")
    return None
