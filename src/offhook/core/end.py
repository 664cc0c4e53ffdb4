"""Why a call ended, and whose fault it was. Every call has exactly one answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct


class Fault(StrEnum):
    """Who has to look into it. `CALLER` and `BOT` are ordinary endings."""

    CALLER = "caller"
    BOT = "bot"
    US = "us"
    CLOUD = "cloud"
    CARRIER = "carrier"
    CONFIGURATION = "configuration"


class EndReason(StrEnum):
    """Why the call is over."""

    CALLER_HUNG_UP = "caller_hung_up"
    CALLER_LEFT_EARLY = "caller_left_early"  # gone before we could accept
    CALLER_SILENT = "caller_silent"
    BOT_HUNG_UP = "bot_hung_up"
    TRANSFERRED = "transferred"
    MAX_LENGTH = "max_length"
    TAKEN_ELSEWHERE = "taken_elsewhere"  # another consumer of the same webhook was faster
    ACCEPT_FAILED = "accept_failed"
    ACCEPT_REFUSED = "accept_refused"  # our own request or key was wrong
    ATTACH_FAILED = "attach_failed"
    ATTACH_REFUSED = "attach_refused"
    SESSION_EXPIRED = "session_expired"
    NO_EVENTS = "no_events"
    MODEL_FAILED = "model_failed"
    TRANSFER_FAILED = "transfer_failed"  # the last resort, after the model had failed
    # Refused before it was accepted, by the rules of admission:
    NO_LINE = "no_line"  # nobody answers the dialled number
    OUTAGE = "outage"  # the cloud fails, or somebody has sent all calls away
    OVER_CAPACITY = "over_capacity"
    TOO_MANY_CALLS = "too_many_calls"  # of one caller
    BLOCKED = "blocked"
    ANONYMOUS = "anonymous"
    CLOSED = "closed"
    OVER_MINUTES = "over_minutes"
    OVER_BUDGET = "over_budget"
    SHUT_DOWN = "shut_down"
    ENDED_BY_COMMAND = "ended_by_command"  # somebody told this call from outside to end
    BUG = "bug"


FAULTS = {
    EndReason.CALLER_HUNG_UP: Fault.CALLER,
    EndReason.CALLER_LEFT_EARLY: Fault.CALLER,
    EndReason.CALLER_SILENT: Fault.CALLER,
    EndReason.BOT_HUNG_UP: Fault.BOT,
    EndReason.TRANSFERRED: Fault.BOT,
    EndReason.MAX_LENGTH: Fault.BOT,
    EndReason.TAKEN_ELSEWHERE: Fault.CONFIGURATION,
    EndReason.ACCEPT_FAILED: Fault.CLOUD,
    EndReason.ACCEPT_REFUSED: Fault.CONFIGURATION,
    EndReason.ATTACH_FAILED: Fault.CLOUD,
    EndReason.ATTACH_REFUSED: Fault.CONFIGURATION,
    EndReason.SESSION_EXPIRED: Fault.CLOUD,
    EndReason.NO_EVENTS: Fault.CLOUD,
    EndReason.MODEL_FAILED: Fault.CLOUD,
    EndReason.TRANSFER_FAILED: Fault.CARRIER,
    EndReason.NO_LINE: Fault.CONFIGURATION,
    EndReason.OUTAGE: Fault.CLOUD,
    EndReason.OVER_CAPACITY: Fault.CONFIGURATION,
    EndReason.TOO_MANY_CALLS: Fault.CALLER,
    EndReason.BLOCKED: Fault.CALLER,
    EndReason.ANONYMOUS: Fault.CALLER,
    EndReason.CLOSED: Fault.CALLER,
    EndReason.OVER_MINUTES: Fault.CONFIGURATION,
    EndReason.OVER_BUDGET: Fault.CONFIGURATION,
    EndReason.SHUT_DOWN: Fault.US,
    EndReason.ENDED_BY_COMMAND: Fault.BOT,
    EndReason.BUG: Fault.US,
}


# Ends whose detail is in the words of the model or of a person, who may repeat the caller's.
IN_WORDS = frozenset({EndReason.BOT_HUNG_UP, EndReason.ENDED_BY_COMMAND})


class Refused(Struct, frozen=True, gc=False):
    """Why a call is not even accepted, and the SIP status that the caller's network is told."""

    code: int
    reason: EndReason
    why: str = ""


class Forward(Struct, frozen=True, gc=False):
    """Why a call is accepted only to be transferred at once: nobody but `target` will speak."""

    target: str
    reason: EndReason
    why: str = ""


Verdict: TypeAlias = Refused | Forward


class End(Struct, frozen=True, gc=False):
    """The one end of a call. `detail` is for the person on call, never for the caller.

    So is `remark`, which is always ours, while a detail may be in words: see `plain`.
    """

    reason: EndReason
    detail: str = ""
    remark: str = ""

    @property
    def fault(self) -> Fault:
        """Whose fault it was."""
        return FAULTS[self.reason]

    @property
    def plain(self) -> str:
        """What is technical of it, without what is in words."""
        return self.remark if self.reason in IN_WORDS else self.whole

    @property
    def whole(self) -> str:
        """All that is known of it."""
        return f"{self.detail} ({self.remark})".strip() if self.remark else self.detail
