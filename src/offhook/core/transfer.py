"""Handing the caller to a human, as a small machine of its own.

    idle -> announcing -> referring -> watching -> done (the call is gone)
               |             |            |
               +-------------+------------+--> idle again, with the attempt on record

Nothing on the wire ever says that a transfer worked. The sideband closing in time is the only
sign of success, and a call that is still there after the watch is the sign of failure.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Stage(StrEnum):
    """How far the transfer is."""

    IDLE = "idle"
    ANNOUNCING = "announcing"  # the caller is being told
    REFERRING = "referring"  # the request is under way
    WATCHING = "watching"  # the cloud has taken it; will the call go?


class TransferOutcome(StrEnum):
    """How one attempt ended."""

    TRANSFERRED = "transferred"
    REFUSED = "refused"  # the cloud answered the request with an error
    STILL_HERE = "still_here"  # taken, but the call did not go
    ABANDONED = "abandoned"  # the call ended before it was sent


class Attempt(Struct, frozen=True, gc=False):
    """One attempt on record. Times are on the call's clock."""

    target: str
    reason: str
    began_at: float
    outcome: TransferOutcome
    ended_at: float
    detail: str = ""


class TransferState(Struct, frozen=True):
    """The transfer under way, if any, and those that were tried."""

    stage: Stage = Stage.IDLE
    target: str = ""
    reason: str = ""
    began_at: float = 0.0
    attempts: tuple[Attempt, ...] = ()

    @property
    def active(self) -> bool:
        """Whether a transfer is under way."""
        return self.stage is not Stage.IDLE

    @property
    def sent(self) -> bool:
        """Whether the cloud has been asked, so that the call may go at any time."""
        return self.stage in (Stage.REFERRING, Stage.WATCHING)

    def begin(self, target: str, reason: str, now: float) -> TransferState:
        """Start one by telling the caller."""
        return replace(self, stage=Stage.ANNOUNCING, target=target, reason=reason, began_at=now)

    def at(self, stage: Stage) -> TransferState:
        """The same transfer, one stage further."""
        return replace(self, stage=stage)

    def end(self, outcome: TransferOutcome, now: float, detail: str = "") -> TransferState:
        """Put the attempt on record and be idle again; idle already means no change."""
        if not self.active:
            return self
        attempt = Attempt(self.target, self.reason, self.began_at, outcome, now, detail)
        return TransferState(attempts=(*self.attempts, attempt))
