"""What happened to a call, in words for its timeline. Keys are counted, and never told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.end import EndReason

Moment: TypeAlias = tuple[str, str | None]  # kind and detail

RANG = "rang"
KEYS = "keys"
TAKEN_OVER = "taken_over"  # by another process, from one that has died or left
GIVEN = "handed_over"

# Events that are told although they may change nothing of the call.
TOLD = frozenset(
    {
        on.AcceptRefused,
        on.AttachFailed,
        on.CallerNotUnderstood,
        on.CallerSilent,
        on.Complained,
        on.HangUpFailed,
        on.ModelFailed,
        on.NothingHeard,
        on.Referred,
        on.RejectFailed,
        on.SessionExpired,
        on.ReplyFailed,
        on.ReplyMissing,
        on.ShutDown,
        on.TranscriptMissing,
        on.Broke,
    }
)


def moments(before: Call, event: on.Event, after: Call) -> Iterator[Moment]:
    """What this step meant: the event first, then where it has led to."""
    if type(event) in TOLD and not _is_the_end(event, after) and not repeats(before, event):
        yield _told(event)
    if after.phase is not before.phase:
        yield _entered(before.phase, event, after)
    if after.greeted_at is not None and before.greeted_at is None:
        yield "greeted", None


def repeats(before: Call, event: on.Event) -> bool:
    """Whether it says again what was told: a call that must end at once hears that twice."""
    leaving = before.leaving
    told = leaving is not None and leaving.reason is EndReason.SHUT_DOWN
    return told and isinstance(event, on.ShutDown)


def _is_the_end(event: on.Event, after: Call) -> bool:
    """Whether it says no more than that the call is over, as a 404 after a hang-up does."""
    return after.phase is Phase.ENDED and isinstance(event, on.AttachFailed | on.AcceptRefused)


def _told(event: on.Event) -> Moment:
    match event:
        case on.AcceptRefused(refusal, detail):
            return "accept_refused", _joined(refusal, detail)
        case on.AttachFailed(refusal, detail):
            return "attach_failed", _joined(refusal, detail)
        case on.RejectFailed(detail) | on.HangUpFailed(detail):
            return "request_failed", detail or None
        case on.CallerNotUnderstood(_, detail):
            return "not_understood", detail or None
        case on.CallerSilent():
            return "silence", None
        case on.Complained(code, about, detail):
            return "complaint", _joined(code, about, detail)
        case on.ModelFailed(code, detail):
            return "model_failed", _joined(code, detail)
        case on.NothingHeard(seconds):
            return "nothing_heard", f"{seconds:.0f} s"
        case on.Referred():
            return "referred", None
        case on.ReplyFailed(code):
            return "reply_failed", code
        case on.ReplyMissing(seconds):
            return "reply_missing", f"{seconds:.0f} s"
        case on.TranscriptMissing(turns):
            return "transcript_missing", f"{turns} turns"
        case on.SessionExpired(detail):
            return "session_expired", detail or None
        case on.Broke(detail):
            return "bug", detail or None
        case _:
            return "shutting_down", None


def _entered(phase: Phase, event: on.Event, after: Call) -> Moment:
    """The phase that the call is in now, by what is new about it."""
    match after.phase:
        case Phase.JOINING:
            return "accepted", None
        case Phase.LIVE:
            return ("sideband_back" if phase is Phase.REJOINING else "attached"), None
        case Phase.REJOINING:
            detail = event.detail if isinstance(event, on.SidebandLost) else ""
            return "sideband_lost", detail or None
        case Phase.ENDED:
            return "ended", after.end.reason if after.end else None
        case _:
            return str(after.phase), after.leaving.reason if after.leaving else None


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
