"""What a cloud sends during a conversation: encoded frames in the order in which it sends them.

Order and shapes are those of the realtime types of the openai package, with all their fields,
since a reader pays for what it skips as well. A burst is what leaves in one go; the time between
two bursts is up to whoever sends them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

Burst: TypeAlias = list[bytes]

WORDS = [
    "Your",
    "order",
    "left",
    "our",
    "warehouse",
    "on",
    "Tuesday,",
    "and",
    "is",
    "under",
    "way.",
]
NO_WORDS = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}

_numbers = itertools.count()
_encode = msgspec.json.Encoder().encode


class Response(Struct):
    """A response that has begun. `metadata` is what the client sent with its request."""

    id: str
    metadata: dict[str, Any] | None = None


def new_id(kind: str) -> str:
    """An id as long as the cloud's own."""
    return f"{kind}_{next(_numbers):021d}"


def frame(kind: str, **fields: Any) -> bytes:
    """One server event."""
    return _encode({"type": kind, "event_id": new_id("event"), **fields})


def begun(response: Response) -> bytes:
    """A response has begun."""
    return frame("response.created", response=_body(response, "in_progress", []))


def caller_turn(previous: str | None) -> Iterator[Burst]:
    """The caller speaks a sentence, and the cloud takes it in."""
    item = new_id("item")
    yield [frame("input_audio_buffer.speech_started", audio_start_ms=1200, item_id=item)]
    said = {
        "id": item,
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    yield [
        frame("input_audio_buffer.speech_stopped", audio_end_ms=3100, item_id=item),
        frame("input_audio_buffer.committed", previous_item_id=previous, item_id=item),
        frame("conversation.item.added", previous_item_id=previous, item=said),
        frame("conversation.item.done", previous_item_id=None, item=said),
    ]
    yield [
        frame(
            "conversation.item.input_audio_transcription.completed",
            item_id=item,
            content_index=0,
            transcript="Where is my order, please?",
            usage={"type": "duration", "seconds": 2},
        )
    ]


def answer(response: Response, length: int) -> Iterator[Burst]:
    """The bot speaks `length` word pieces, and the caller hears them."""
    item = {"id": new_id("item"), "type": "message", "role": "assistant"}
    where = {
        "response_id": response.id,
        "item_id": item["id"],
        "output_index": 0,
        "content_index": 0,
    }
    unsaid = {**item, "status": "in_progress", "content": []}
    yield [
        _output("response.output_item.added", response, unsaid),
        frame("conversation.item.added", previous_item_id=None, item=unsaid),
        frame("response.content_part.added", **where, part={"type": "audio", "transcript": ""}),
    ]
    for n in range(length):
        word = f" {WORDS[n % len(WORDS)]}"
        padding = "x" * max(16 - len(word), 0)
        kind = "response.output_audio_transcript.delta"
        yield [frame(kind, **where, delta=word, obfuscation=padding)]
        if n == length // 3:
            yield [frame("output_audio_buffer.started", response_id=response.id)]
    yield from _spoken(response, item, where, length)


def _spoken(
    response: Response, item: dict[str, Any], where: dict[str, Any], length: int
) -> Iterator[Burst]:
    """The end of a spoken response: everything once more as a whole."""
    text = " ".join(WORDS[n % len(WORDS)] for n in range(length))
    said = {
        **item,
        "status": "completed",
        "content": [{"type": "output_audio", "transcript": text}],
    }
    part = {"type": "audio", "transcript": text}
    yield [
        frame("response.output_audio.done", **where),
        frame("response.output_audio_transcript.done", **where, transcript=text),
        frame("response.content_part.done", **where, part=part),
        frame("conversation.item.done", previous_item_id=None, item=said),
        _output("response.output_item.done", response, said),
        *_done(response, said),
    ]
    yield [frame("output_audio_buffer.stopped", response_id=response.id)]


def function_call(response: Response, call_id: str, name: str, arguments: str) -> Iterator[Burst]:
    """The model asks for a tool. The last burst holds the whole request."""
    call = {"id": new_id("item"), "type": "function_call", "name": name, "call_id": call_id}
    where = {
        "response_id": response.id,
        "item_id": call["id"],
        "output_index": 0,
        "call_id": call_id,
    }
    unsaid = {**call, "status": "in_progress", "arguments": ""}
    yield [
        _output("response.output_item.added", response, unsaid),
        frame("conversation.item.added", previous_item_id=None, item=unsaid),
    ]
    for at in range(0, len(arguments), 4):
        delta = arguments[at : at + 4]
        yield [frame("response.function_call_arguments.delta", **where, delta=delta)]
    said = {**call, "status": "completed", "arguments": arguments}
    yield [
        frame("response.function_call_arguments.done", **where, name=name, arguments=arguments),
        frame("conversation.item.done", previous_item_id=None, item=said),
        _output("response.output_item.done", response, said),
        *_done(response, said),
    ]


def taken(item: dict[str, Any]) -> Burst:
    """The cloud has put an item of the client's into the conversation."""
    item = {"id": new_id("item"), "status": "completed", **item}
    return [
        frame("conversation.item.added", previous_item_id=None, item=item),
        frame("conversation.item.done", previous_item_id=None, item=item),
    ]


def _output(kind: str, response: Response, item: dict[str, Any]) -> bytes:
    return frame(kind, response_id=response.id, output_index=0, item=item)


def _done(response: Response, item: dict[str, Any]) -> Burst:
    limit = {"name": "tokens", "limit": 15_000_000, "remaining": 14_999_361, "reset_seconds": 0.002}
    return [
        frame("response.done", response=_body(response, "completed", [item])),
        frame("rate_limits.updated", rate_limits=[limit]),
    ]


def _body(response: Response, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "total_tokens": 382,
        "input_tokens": 312,
        "output_tokens": 70,
        "input_token_details": {
            **NO_WORDS,
            "text_tokens": 312,
            "cached_tokens": 256,
            "cached_tokens_details": {**NO_WORDS, "text_tokens": 256},
        },
        "output_token_details": {"text_tokens": 9, "audio_tokens": 61},
    }
    return {
        "object": "realtime.response",
        "id": response.id,
        "status": status,
        "status_details": None,
        "output": output,
        "conversation_id": "conv_000000000000000000000",
        "output_modalities": ["audio"],
        "max_output_tokens": "inf",
        "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "marin"}},
        "usage": usage if output else None,
        "metadata": response.metadata,
    }
