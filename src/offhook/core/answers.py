"""What the model reads of each outcome: short, in words it can act on, never our internals."""

from __future__ import annotations

import msgspec

from offhook.core.outcomes import (
    Answered,
    Cancelled,
    Consented,
    Failed,
    HangUp,
    Interrupted,
    InvalidArguments,
    Outcome,
    TimedOut,
    Transfer,
)


def answer(outcome: Outcome) -> str:
    """The text of the function call's output."""
    match outcome:
        case Answered(output):
            return output
        case InvalidArguments(message):
            return _error("invalid_arguments", message)
        case Failed():
            hint = "It did not work. Tell the caller so and offer another way."
            return _error("failed", hint)
        case TimedOut():
            hint = "No answer in time. Apologise, and offer to try again or another way."
            return _error("timed_out", hint)
        case Cancelled(why):
            return _error("cancelled", f"Not done: {why}.")
        case Interrupted():
            hint = "It was begun, but nobody knows whether it was done. Do not try again. Say so."
            return _error("interrupted", hint)
        case Transfer(target):
            return _json({"status": "transferring", "target": target})
        case Consented(yes=True):
            return _json({"status": "noted", "hint": "The caller agreed. Go on helping."})
        case Consented():
            hint = "Nothing more is written down. Tell the caller so in a few words, and go on."
            return _json({"status": "noted", "hint": hint})
        case HangUp():
            return _json({"status": "ending the call"})


def _error(code: str, hint: str) -> str:
    return _json({"error": code, "hint": hint})


def _json(value: dict[str, str]) -> str:
    return msgspec.json.encode(value).decode()
