"""REST requests of a call as values, and what the cloud's answers to them mean.

Bodies as in the openai package's `resources/realtime/calls.py`; error shape
`{"error": {"message", "type", "param", "code"}}` on both clouds, except for a 5xx, which may be
plain text on Azure.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from offhook.core.events import Refusal
from offhook.realtime.frames import Problem
from offhook.realtime.session import VOICE_IN_AUDIO, SessionConfig

GONE = "call_id_not_found"
TAKEN = frozenset({"call_already_accepted", "decision_already_made"})
HOPELESS = frozenset({"insufficient_quota", "credit_balance_exhausted"})


class Request(Struct, frozen=True, gc=False):
    """One POST below `/realtime/calls/{call_id}/`. A hang-up has no body."""

    verb: str
    body: bytes | None = None


HANG_UP = Request("hangup")


def accept(config: SessionConfig, variant: int = VOICE_IN_AUDIO) -> Request:
    """Take the call, with the whole session in one body."""
    return Request("accept", msgspec.json.encode(config.accept_body(variant)))


def reject(status_code: int) -> Request:
    """Turn the call away with a SIP status (300 to 699)."""
    return Request("reject", msgspec.json.encode({"status_code": status_code}))


def refer(target_uri: str) -> Request:
    """Transfer by SIP REFER; the URI becomes the Refer-To header."""
    return Request("refer", msgspec.json.encode({"target_uri": target_uri}))


class _ErrorBody(Struct, frozen=True):
    error: Problem | None = None


def refusal(status: int, body: bytes) -> tuple[Refusal, str]:
    """What an answer other than 2xx means, and a short text for our log."""
    try:
        problem = msgspec.json.decode(body, type=_ErrorBody).error or Problem()
    except (msgspec.MsgspecError, UnicodeError):
        problem = Problem()
    code = problem.code or ""
    detail = f"http {status}" + (f" {code}" if code else "")
    if problem.param:
        detail += f" ({problem.param})"
    return _meaning(status, code, problem.param or ""), detail


def _meaning(status: int, code: str, param: str) -> Refusal:
    match status:
        case _ if code == GONE:
            return Refusal.GONE
        case _ if code in TAKEN or status == 409:
            return Refusal.TAKEN
        case 404 | 410 if not code:
            return Refusal.GONE
        case 400 | 422 if param.endswith("audio.output.voice"):
            return Refusal.VARIANT
        case 429 if code in HOPELESS:
            return Refusal.WRONG
        case 408 | 425 | 429:
            return Refusal.BUSY
        case _ if status >= 500:
            return Refusal.BUSY
        case _:
            return Refusal.WRONG


def handshake_refusal(status: int) -> tuple[Refusal, str]:
    """What a refused WebSocket upgrade means. A 404 comes before the call is joinable, too."""
    match status:
        case 404 | 410:
            return Refusal.GONE, f"http {status}"
        case 401 | 403:
            return Refusal.WRONG, f"http {status}"
        case _:
            return Refusal.BUSY, f"http {status}"
