"""Client events, encoded. Each names its purpose in its `event_id`.

The cloud repeats the id of ours that it complains about, so the purpose comes back with the
complaint and nothing has to be remembered: `out:call_7` is the output of that function call.
"""

from __future__ import annotations

from typing import Any

import msgspec

from offhook.core.rules import Floor
from offhook.realtime.session import SessionConfig, voice_value

LONGEST_REF = 23  # an item's id has at most 32 characters
OURS = "item_offhook_"  # how the ids of items begin that only we put there
TAG = "offhook"  # our key in a response's metadata, echoed by the cloud

_encode = msgspec.json.Encoder().encode


def _event(kind: str, event_id: str, **fields: Any) -> bytes:
    return _encode({"type": kind, "event_id": event_id, **fields})


def create_response(ref: str, number: int, *, ordered: bool) -> bytes:
    """Have the model speak.

    Without instructions on purpose: those of a response replace those of the session, and the
    bot would lose its persona, language and safety rules for it. An ordered one may not call
    tools, else an announcement could start a second transfer.
    """
    response: dict[str, Any] = {"metadata": {TAG: ref}}
    if ordered:
        response["tool_choice"] = "none"
    return _event("response.create", f"ask:{number}", response=response)


def order(number: int, text: str) -> bytes:
    """Tell the model what to say, as a system message that can be taken back."""
    return _event(
        "conversation.item.create",
        f"order:{number}",
        item={
            "id": order_id(number),
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": text}],
        },
    )


def take_back(number: int) -> bytes:
    """Delete an order that has been carried out: left in the history it is obeyed again."""
    return forget(order_id(number))


def order_id(number: int) -> str:
    """The item id that we give to our n-th order."""
    return f"{OURS}{number}"


def whisper(number: int, text: str) -> bytes:
    """Let the model know something; without a `response.create` it does not answer."""
    return _event(
        "conversation.item.create",
        f"whisper:{whisper_id(number)}",
        item={
            "id": whisper_id(number),
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": text}],
        },
    )


def whisper_id(number: int) -> str:
    """The item id that we give to our n-th whisper."""
    return f"{OURS}w{number}"


def probe(number: int) -> bytes:
    """Put something at the end of the conversation: its echo names the item before it."""
    return _event(
        "conversation.item.create",
        f"probe:{number}",
        item={
            "id": probe_id(number),
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "The line to us was interrupted."}],
        },
    )


def probe_id(number: int) -> str:
    """The item id that we give to such an item."""
    return f"{OURS}p{number}"


def forget(item: str) -> bytes:
    """Take an item of ours out of the conversation."""
    return _event("conversation.item.delete", f"forget:{item}", item_id=item)


def retrieve(item: str) -> bytes:
    """Ask for an item that we have not been told of."""
    return _event("conversation.item.retrieve", f"retrieve:{item}", item_id=item)


def tool_output(ref: str, output: str) -> bytes:
    """The output of a function call.

    It has an id of ours, so that the cloud takes it once, however often a broken sideband or
    another process made us send it.
    """
    return _event(
        "conversation.item.create",
        f"out:{ref}",
        item={
            "id": f"item_out_{ref[-LONGEST_REF:]}",
            "type": "function_call_output",
            "call_id": ref,
            "output": output,
        },
    )


def cancel(response_id: str | None) -> bytes:
    """Stop the response in progress."""
    fields = {"response_id": response_id} if response_id else {}
    return _event("response.cancel", "cancel", **fields)


def clear_audio() -> bytes:
    """Stop what is still being played; SIP and WebRTC only."""
    return _event("output_audio_buffer.clear", "clear")


def set_floor(config: SessionConfig, floor: Floor) -> bytes:
    """Change what the caller's voice may do, with all of turn detection: updates are atomic."""
    turns = {"audio": {"input": {"turn_detection": config.turns.body(floor)}}}
    return _update("floor", turns)


def set_transcription(config: SessionConfig, on: bool) -> bytes:
    """Have the caller's words written down, or no longer."""
    wanted = config.transcription if on else None
    return _update("transcription", {"audio": {"input": {"transcription": wanted}}})


def set_voice(config: SessionConfig) -> bytes:
    """Name the voice as GA sessions do."""
    return _update("voice", {"audio": {"output": {"voice": voice_value(config.voice)}}})


def set_voice_the_old_way(config: SessionConfig) -> bytes:
    """Name the voice as the sessions before GA did."""
    return _update("old-voice", {"voice": config.voice})


def _update(event_id: str, changes: dict[str, Any]) -> bytes:
    return _event("session.update", event_id, session={"type": "realtime", **changes})
