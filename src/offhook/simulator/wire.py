"""Ids, items and events as the cloud writes them (openai-python's realtime types)."""

from __future__ import annotations

import os
from string import ascii_letters, digits
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode

_ALPHABET = (ascii_letters + digits).encode()
_SPREAD = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))
_PADDING = "k7Qx2VbN9mTzR4wL"


_POOL = 4096


class _Letters:
    """Random letters and digits, of which the system is asked for many at a time."""

    def __init__(self) -> None:
        self._ready = ""
        self._at = 0

    def take(self, length: int) -> str:
        """So many of them, never the same twice."""
        end = self._at + length
        if end > len(self._ready):
            self._ready = os.urandom(max(_POOL, length)).translate(_SPREAD).decode()
            self._at, end = 0, length
        taken = self._ready[self._at : end]
        self._at = end
        return taken


token = _Letters().take
"""Random letters and digits."""


def new_id(prefix: str) -> str:
    """An id such as `item_` and 21 letters or digits."""
    return f"{prefix}_{token(21)}"


def new_session_id(*, sharded: bool) -> str:
    """The id of a session; OpenAI's sidebands name the shard in it, too."""
    return new_id(f"sess_u{_shard()}" if sharded else "sess")


def _shard() -> int:
    return os.urandom(1)[0] % 8


def new_call_id() -> str:
    """The id of a call, `rtc_u<shard>_` and 21 letters or digits."""
    return f"rtc_u{_shard()}_{token(21)}"


def new_tool_call_id() -> str:
    """The id of a function call: `call_` and 16 letters or digits."""
    return f"call_{token(16)}"


def new_hex_id(prefix: str, length: int = 32) -> str:
    """An id such as `evt_` and 32 hexadecimal digits."""
    return f"{prefix}_{os.urandom(length // 2).hex()}"


def event(kind: str, /, **fields: Any) -> Json:
    """A server event. Keypad events carry no id; those of the output buffer another kind of id."""
    if kind.startswith("output_audio_buffer."):
        return {"type": kind, "event_id": new_hex_id("event", 16), **fields}
    if kind == "input_audio_buffer.dtmf_event_received":
        return {"type": kind, **fields}
    return {"type": kind, "event_id": f"event_{token(21)}", **fields}


def novel(value: Any) -> Any:
    """The same with a field in each object that no documentation knows."""
    match value:
        case dict():
            known = {key: novel(inner) for key, inner in value.items()}
            return {**known, "x_novelty": {"since": "tomorrow"}}
        case list():
            return [novel(inner) for inner in value]
    return value


def obfuscation(delta: str) -> str:
    """Padding that hides a delta's length: together they fill blocks of 16 characters."""
    return _PADDING[: -len(delta) % 16]


def pieces(text: str) -> list[str]:
    """A text cut into the deltas that a model streams: words with their leading space."""
    if not text:
        return []
    head, *rest = text.split(" ")
    return [head, *(f" {word}" for word in rest)] if head else [f" {word}" for word in rest]


def user_speech_item(item_id: str) -> Json:
    """What the caller said. The transcript never appears in it, but in events of its own."""
    return {
        "id": item_id,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }


def system_item(text: str) -> Json:
    """A message of the system."""
    return {
        "id": new_id("item"),
        "type": "message",
        "status": "completed",
        "role": "system",
        "content": [{"type": "input_text", "text": text}],
    }


def assistant_item(phase: str | None) -> Json:
    """A message that the model begins to speak or write."""
    item: Json = {
        "id": new_id("item"),
        "type": "message",
        "status": "in_progress",
        "role": "assistant",
        "content": [],
    }
    if phase is not None:
        item["phase"] = phase
    return item


def function_call_item(name: str) -> Json:
    """A function call that the model begins to write."""
    return {
        "id": new_id("item"),
        "type": "function_call",
        "status": "in_progress",
        "name": name,
        "call_id": new_tool_call_id(),
        "arguments": "",
    }


def item_text(item: Json) -> str:
    """The words in an item, whoever said them."""
    if item["type"] == "function_call_output":
        return str(item["output"])
    parts = item.get("content") or ()
    words = (part.get("text") or part.get("transcript") or "" for part in parts)
    return " ".join(filter(None, words))


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with something that the client asked for.

    `status` is for HTTP answers. An `anonymous` problem never tells which client event it is about.
    """

    message: str
    code: str | None = None
    param: str | None = None
    type: str = "invalid_request_error"
    status: int = 400
    anonymous: bool = False

    def body(self) -> Json:
        """The body of the HTTP answer."""
        return {
            "error": {
                "message": self.message,
                "type": self.type,
                "param": self.param,
                "code": self.code,
            }
        }

    def error(self, event_id: str | None) -> Json:
        """The inner object of an `error` event; `event_id` is the client event's."""
        return {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": None if self.anonymous else event_id,
        }


def unknown_parameter(path: str) -> Problem:
    """A key that the schema does not know."""
    return Problem(f"Unknown parameter: '{path}'.", "unknown_parameter", path)


def missing_parameter(path: str) -> Problem:
    """A key that the schema demands."""
    return Problem(f"Missing required parameter: '{path}'.", "missing_required_parameter", path)


def invalid_value(path: str, value: object, supported: tuple[str, ...] = ()) -> Problem:
    """A value outside of what the schema allows."""
    message = f"Invalid value: '{value}'."
    if supported:
        message += " Supported values are: " + ", ".join(f"'{name}'" for name in supported) + "."
    return Problem(message, "invalid_value", path)


def invalid_type(path: str, expected: str) -> Problem:
    """A value of the wrong JSON type."""
    return Problem(f"Invalid type for '{path}': expected {expected} instead.", "invalid_type", path)
