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
    new_tool_call_id,
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
_RESPONSE_TYPES: dict[str, tuple[type, str]] = {
    "instructions": (str, "a string"),
    "input": (list, "an array of objects"),
    "tools": (list, "an array of objects"),
    "metadata": (dict, "a map of strings"),
    "audio": (dict, "an object"),
    "reasoning": (dict, "an object"),
}
_CONTENT = {
    "user": ("input_audio", "input_image", "input_text"),
    "system": ("input_text",),
    "assistant": ("output_text",),  # what the bot never said cannot be put into its mouth
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
    return {"call_id": new_tool_call_id(), **given, "id": item_id, "status": "completed"}


def item_problem(item: Any) -> Problem | None:
    """What is wrong with an item that the client wants to create."""
    if isinstance(item, dict) and not isinstance(item.get("id") or "", str):
        return invalid_type("item.id", "a string")
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
            if isinstance(item.get("call_id", ""), str):
                return None
            return invalid_type("item.call_id", "a string")
        case {"type": kind}:
            return invalid_value(
                "item.type", kind, ("message", "function_call", "function_call_output")
            )
    return missing_parameter("item.type")


def _content_problem(role: str, content: list[Any]) -> Problem | None:
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _CONTENT[role]:
            return invalid_value(f"item.content[{index}].type", kind, _CONTENT[role])
        for name in ("text", "transcript"):
            if not isinstance(part.get(name) or "", str):
                return invalid_type(f"item.content[{index}].{name}", "a string")
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
    for key, value in params.items():
        expected = _RESPONSE_TYPES.get(key)
        if expected is not None and value is not None and not isinstance(value, expected[0]):
            return invalid_type(f"response.{key}", expected[1])
    output = (params.get("audio") or {}).get("output") or {}
    if not isinstance(output, dict):
        return invalid_type("response.audio.output", "an object")
    if params.get("conversation") not in (None, "auto", "none"):
        return invalid_value("response.conversation", str(params["conversation"]), ("auto", "none"))
    modalities = params.get("output_modalities", ["audio"])
    if modalities not in (["audio"], ["text"]):
        return invalid_value("response.output_modalities", modalities, ("text", "audio"))
    metadata = params.get("metadata") or {}
    if any(not isinstance(value, str) for value in metadata.values()):
        return invalid_type("response.metadata", "a map of strings")
    if len(metadata) > MAX_METADATA:
        return invalid_value("response.metadata", f"{len(metadata)} pairs")
    for item in params.get("input") or ():
        problem = None if _is_reference(item) else item_problem(item)
        if problem is not None:
            return problem
    return tools_problem(params.get("tools") or [], "response.tools")


def _is_reference(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") == "item_reference"
