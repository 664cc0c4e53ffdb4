"""What clients may ask for: items and responses, checked and completed."""

from __future__ import annotations

from typing import Any

from offhook.simulator.schema import tools_problem
from offhook.simulator.wire import (
    Json,
    Problem,
    invalid_type,
    invalid_value,
    missing_parameter,
    new_id,
    unknown_parameter,
)

_RESPONSE_KEYS = {
    "instructions",
    "input",
    "conversation",
    "output_modalities",
    "tools",
    "tool_choice",
    "max_output_tokens",
    "metadata",
    "audio",
    "prompt",
    "reasoning",
    "parallel_tool_calls",
}
_CONTENT = {
    "user": {"input_text", "input_audio", "input_image"},
    "system": {"input_text"},
    "assistant": {"output_text", "output_audio"},
}
MAX_CALL_ID = 32
MAX_METADATA = 16


def created(given: Json) -> Json:
    """The item as the conversation keeps it."""
    item_id = given.get("id") or new_id("item")
    match given["type"]:
        case "message":
            return {
                "id": item_id,
                "type": "message",
                "status": "completed",
                "role": given["role"],
                "content": given["content"],
            }
        case "function_call_output":
            return {
                "id": item_id,
                "type": "function_call_output",
                "call_id": given["call_id"],
                "output": given["output"],
            }
    return {"id": item_id, "status": "completed", **given}


def item_problem(item: Any) -> Problem | None:
    """What is wrong with an item that the client wants to create."""
    match item:
        case None:
            return missing_parameter("item")
        case {
            "type": "message",
            "role": "user" | "system" | "assistant" as role,
            "content": list(),
        }:
            return _content_problem(role, item["content"])
        case {"type": "message", "role": str() as role} if role not in _CONTENT:
            return invalid_value("item.role", role, tuple(_CONTENT))
        case {"type": "message"}:
            return missing_parameter("item.content" if "role" in item else "item.role")
        case {"type": "function_call_output", "call_id": str() as call_id, "output": str()}:
            return _call_id_problem(call_id)
        case {"type": "function_call_output", "call_id": str(), "output": _}:
            return invalid_type("item.output", "a string")
        case {"type": "function_call_output"}:
            return missing_parameter("item.output" if "call_id" in item else "item.call_id")
        case {"type": "function_call", "name": str(), "arguments": str()}:
            return None
        case {"type": kind}:
            return invalid_value(
                "item.type", kind, ("message", "function_call", "function_call_output")
            )
    return missing_parameter("item.type")


def _content_problem(role: str, content: list[Any]) -> Problem | None:
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _CONTENT[role]:
            return invalid_value(f"item.content[{index}].type", kind, tuple(sorted(_CONTENT[role])))
    return None


def _call_id_problem(call_id: str) -> Problem | None:
    if len(call_id) <= MAX_CALL_ID:
        return None
    return Problem(
        f"Invalid 'item.call_id': string too long. Expected a string with maximum length "
        f"{MAX_CALL_ID}, but got a string with length {len(call_id)} instead.",
        "string_above_max_length",
        "item.call_id",
    )


def response_problem(params: Any) -> Problem | None:
    """What is wrong with the parameters of a response."""
    if not isinstance(params, dict):
        return invalid_type("response", "an object")
    for key in params:
        if key not in _RESPONSE_KEYS:
            return unknown_parameter(f"response.{key}")
    modalities = params.get("output_modalities", ["audio"])
    if modalities not in (["audio"], ["text"]):
        return invalid_value("response.output_modalities", modalities, ("text", "audio"))
    metadata = params.get("metadata") or {}
    if not isinstance(metadata, dict) or any(not isinstance(v, str) for v in metadata.values()):
        return invalid_type("response.metadata", "a map of strings")
    if len(metadata) > MAX_METADATA:
        return invalid_value("response.metadata", f"{len(metadata)} pairs")
    return tools_problem(params.get("tools", []), "response.tools")
