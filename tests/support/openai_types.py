"""The openai package's own types as judges of what we send: no key that they do not know."""

from __future__ import annotations

from typing import Any

from openai.types.realtime import (
    CallAcceptParams,
    RealtimeClientEventParam,
    RealtimeSessionCreateRequestParam,
)
from pydantic import TypeAdapter
from pydantic_core import SchemaValidator


def strictly(kind: Any) -> SchemaValidator:
    """A validator of one of the package's types that refuses every key it does not name."""
    return SchemaValidator(_forbidding(TypeAdapter(kind).core_schema))


def _forbidding(schema: Any) -> Any:
    match schema:
        case {"type": "typed-dict"}:
            return {k: _forbidding(v) for k, v in schema.items()} | {"extra_behavior": "forbid"}
        case {"type": "generator"}:  # lazy: it would look at nothing
            return {**{k: _forbidding(v) for k, v in schema.items()}, "type": "list"}
        case dict():
            return {k: _forbidding(v) for k, v in schema.items()}
        case list():
            return [_forbidding(each) for each in schema]
        case tuple():
            return tuple(_forbidding(each) for each in schema)
        case _:
            return schema


ACCEPT = strictly(CallAcceptParams)
SESSION = strictly(RealtimeSessionCreateRequestParam)
CLIENT_EVENT = strictly(RealtimeClientEventParam)


def without_nulls(value: Any) -> Any:
    """The API's reference lets these be null to turn them off; the package's types know no null."""
    nullable = {"noise_reduction", "transcription", "turn_detection"}
    match value:
        case dict():
            kept = {k: v for k, v in value.items() if v is not None or k not in nullable}
            return {k: without_nulls(v) for k, v in kept.items()}
        case list():
            return [without_nulls(each) for each in value]
        case _:
            return value
