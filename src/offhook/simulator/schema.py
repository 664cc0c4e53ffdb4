"""What a session may contain: keys, types and values, checked as the cloud checks them."""

from __future__ import annotations

from typing import Any

from offhook.simulator.faults import Faults
from offhook.simulator.session import SEMANTIC_VAD, SERVER_VAD, VADS
from offhook.simulator.wire import (
    Json,
    Problem,
    invalid_type,
    invalid_value,
    missing_parameter,
    unknown_parameter,
)

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
# A cloud that does not know the voice of today knows the one of the sessions before GA.
_OLD_KEYS: Json = {**_KEYS, "voice": None}
_ENUMS = {
    "session.type": ("realtime",),
    "session.audio.input.turn_detection.type": tuple(VADS),
    "session.audio.input.turn_detection.eagerness": ("low", "medium", "high", "auto"),
    "session.audio.input.noise_reduction.type": ("near_field", "far_field"),
    "session.audio.input.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "session.audio.output.format.type": ("audio/pcm", "audio/pcmu", "audio/pcma"),
    "session.audio.output.voice": VOICES,
    "session.voice": VOICES,
    "session.reasoning.effort": ("minimal", "low", "medium", "high", "xhigh"),
}
_RANGES = {
    "session.audio.output.speed": (0.25, 1.5),
    "session.audio.input.turn_detection.threshold": (0.0, 1.0),
    "session.audio.input.turn_detection.prefix_padding_ms": (0, 5000),
    "session.audio.input.turn_detection.silence_duration_ms": (0, 10_000),
    "session.audio.input.turn_detection.idle_timeout_ms": (5000, 30_000),
}


def session_problem(body: Any, faults: Faults, where: str) -> Problem | None:
    """What is wrong with a session in an accept or a `session.update`."""
    if not isinstance(body, dict):
        return invalid_type("session", "an object")
    if body.get("type") is None:
        return missing_parameter("session.type")
    active = faults if where in faults.refuse_in else Faults()
    known = _OLD_KEYS if active.refuses("session.audio.output.voice") else _KEYS
    return (
        _key_problem(body, known, "session", active) or _vad_problem(body) or _shape_problem(body)
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
    known = VADS[vad.get("type") or "server_vad"]
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
