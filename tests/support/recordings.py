"""Frames that real clouds sent, where they are beside this checkout; their order and shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
Event = dict[str, Any]


def recorded(name: str) -> list[Event]:
    """The frames that the cloud sent."""
    path = RECORDINGS / f"{name}.yaml"
    if not path.exists():
        pytest.skip(f"the recordings are not beside this checkout: no {path.name}")
    frames = yaml.safe_load(path.read_text())["interactions"]
    return [frame["data"] for frame in frames if frame["direction"] == "received"]


def ladder(frames: list[Event], *, without: tuple[str, ...] = ()) -> list[str]:
    """The order of events; deltas and the caller's transcript come when they come."""
    return [
        frame["type"]
        for frame in frames
        if not frame["type"].endswith(".delta")
        and "input_audio_transcription" not in frame["type"]
        and frame["type"] not in without
    ]


def order(frames: list[Event], *, without: tuple[str, ...] = ()) -> list[str]:
    """The order of all events but deltas."""
    kinds = [frame["type"] for frame in frames]
    return [kind for kind in kinds if not kind.endswith(".delta") and kind not in without]


def shape(value: Any) -> Any:
    """Keys and JSON types; lists by their first element."""
    match value:
        case dict():
            return {key: shape(inner) for key, inner in value.items()}
        case list():
            return [shape(value[0])] if value else []
        case bool():
            return "bool"
        case int() | float():
            return "number"
    return type(value).__name__


def shapes(frames: list[Event], kind: str) -> list[Any]:
    return [shape(frame) for frame in frames if frame["type"] == kind]
