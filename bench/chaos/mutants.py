"""Frames and webhooks as they should not be: true ones, broken by dice, and mere noise."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args

from bench import frames
from offhook.simulator import Trunk
from offhook.simulator.invite import Invite
from offhook.simulator.webhooks import incoming_call

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, 2**70, 1e308, -0.0, 0.1, "", " ", "\x00", "\ud7ff"),
    *("a" * 5000, "rtc_1", "resp_1", "item_1", "completed", "failed", "cancelled", "\u202e", "💥"),
    *([], [None], [[]], {}, {"type": "message"}, {"id": "item_1"}, {"": None}, [{}] * 50),
)
SPLICES = (b"", b"{", b"}", b"[", b"null", b"\xff", b"\x00", b'"', b",", b"1e999", b"\\ud800")
TRUNKS = get_args(Trunk)
TOOLS = ("looks", "transfer_call", "end_call", "nobody_knows")


def frames_for(dice: random.Random) -> Iterator[bytes]:
    """The frames of an endless call, most of them broken, none twice the same."""
    while True:
        burst = [frame for part in _scene(dice) for frame in part]
        for frame in burst:
            if dice.random() < 0.1:
                yield dice.choice(burst)  # out of order, again, or from the future
            if dice.random() < 0.9:  # else it is lost
                yield mutated(frame, dice) if dice.random() < 0.7 else frame


def _scene(dice: random.Random) -> Iterator[list[bytes]]:
    yield from frames.caller_turn(dice.choice((None, "item_1")))
    response = frames.Response(dice.choice(("resp_1", frames.new_id("resp"))))
    yield [frames.begun(response)]
    if dice.random() < 0.4:
        yield [_asked(response, dice)]
    else:
        yield from frames.answer(response, 3)
    error = {"type": "invalid_request_error", "code": dice.choice(("x", None)), "message": "no"}
    yield [
        frames.frame("error", error=error),
        frames.frame("input_audio_buffer.dtmf_event_received", event=dice.choice("0123456789*#AZ")),
        frames.frame("input_audio_buffer.timeout_triggered", item_id="item_1"),
        frames.frame("session.updated", session={"type": "realtime", "audio": {}}),
    ][dice.randrange(4) :]


def _asked(response: frames.Response, dice: random.Random) -> bytes:
    """The end of a response that calls one to three functions."""
    output = [
        {
            "id": frames.new_id("item"),
            "type": "function_call",
            "status": "completed",
            "name": dice.choice(TOOLS),
            "call_id": dice.choice(("call_1", frames.new_id("call"))),
            "arguments": dice.choice(("{}", '{"number": 1}', '{"target":"office"}', "[", "\x00")),
        }
        for _ in range(dice.randint(1, 3))
    ]
    body = {"id": response.id, "status": "completed", "output": output, "metadata": None}
    return frames.frame("response.done", response=body)


def webhook(dice: random.Random) -> bytes:
    """The body of a delivery, broken somewhere."""
    trunk = dice.choice(TRUNKS)
    event = incoming_call(f"rtc_{dice.randbytes(16).hex()}", Invite(trunk=trunk))
    return mutated(json.dumps(event).encode(), dice)


def mutated(text: bytes, dice: random.Random) -> bytes:
    """One change, or a few: of a value, or of bytes."""
    match dice.random():
        case chance if chance < 0.6:
            body = json.loads(text)
            for _ in range(dice.choice((1, 1, 2, 4))):
                _change(body, dice)
            return json.dumps(body).encode()
        case chance if chance < 0.95:
            return _spliced(text, dice)
        case _:
            return dice.randbytes(dice.choice((0, 1, 2, 20, 300)))


def _change(body: Any, dice: random.Random) -> None:
    """Replace, remove or add one value, at any depth."""
    while isinstance(body, dict | list) and body:
        key: Any = dice.choice(list(body)) if isinstance(body, dict) else dice.randrange(len(body))
        if isinstance(body[key], dict | list) and body[key] and dice.random() < 0.7:
            body = body[key]
            continue
        match dice.randrange(3):
            case 0:
                del body[key]
            case 1 if isinstance(body, dict):
                body[str(dice.choice(ODD))[:20]] = deepcopy(dice.choice(ODD))
            case _:
                body[key] = deepcopy(dice.choice(ODD))
        return


def _spliced(text: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(text) + 1)
    upto = min(at + dice.choice((0, 1, 1, 8, 5000)), len(text))
    return text[:at] + dice.choice(SPLICES) + text[upto:]
