"""When to stop sending callers to a cloud that fails, and when to try it again.

The circuit breaker of Nygard's "Release It!": closed, calls come in; open, they do not; after a
rest it is half open, and one call at a time shows whether the cloud is back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

TRIAL_S = 15.0  # a trial that shows nothing by then makes room for another one
LONGEST_REST_S = 600.0


Outcomes: TypeAlias = tuple[tuple[float, bool], ...]


class State(StrEnum):
    """Whether calls come in."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Limits(Struct, frozen=True, gc=False):
    """`failures` among twice as many outcomes, within `window` seconds, open it for `rest` seconds.

    0 failures: never. So at least half must have failed: a busy line sees some failures any day.
    """

    failures: int = 10
    window: float = 60.0
    rest: float = 30.0


class Breaker(Struct, frozen=True):
    """A value; `now` is seconds on a clock that only goes forward."""

    limits: Limits = Limits()
    state: State = State.CLOSED
    last: Outcomes = ()  # outcomes since a failure: when, and if it failed
    until: float = 0.0  # open: the end of the rest; half open: the end of the trial
    rests: int = 0  # in a row, each twice as long as the one before
    why: str = ""  # the last failure before it opened

    def failure(self, now: float, why: str) -> Breaker:
        """The cloud has failed a call, or a part of one."""
        match self.state:
            case State.OPEN:
                return self
            case State.HALF_OPEN:
                return self._open(now, why)
        if not self.limits.failures:
            return self
        last = self._recent((*self.last, (now, True)), now)
        if sum(failed for _, failed in last) >= self.limits.failures:
            return self._open(now, why)
        return replace(self, last=last)

    def success(self, now: float) -> Breaker:
        """A part of a call went well: it was accepted, or the model has spoken."""
        if self.state is not State.CLOSED or not self.last:
            return self
        return replace(self, last=self._recent((*self.last, (now, False)), now))

    def spoke(self, now: float) -> Breaker:
        """The model has spoken, which is what a trial is for."""
        if self.state is State.HALF_OPEN:
            return Breaker(self.limits)
        return self.success(now)

    def refuses(self, now: float) -> bool:
        """Whether no call may come in now."""
        return self.state is not State.CLOSED and now < self.until

    def admitted(self, now: float) -> Breaker:
        """A call comes in; the first one after a rest is the trial, and others wait for it."""
        if self.state is State.CLOSED:
            return self
        return replace(self, state=State.HALF_OPEN, until=now + TRIAL_S)

    def _open(self, now: float, why: str) -> Breaker:
        rest = min(self.limits.rest * 2**self.rests, LONGEST_REST_S)
        until, rests = now + rest, min(self.rests + 1, 10)
        return Breaker(self.limits, State.OPEN, until=until, rests=rests, why=why)

    def _recent(self, last: Outcomes, now: float) -> Outcomes:
        """Those that decide; nothing where none of them has failed."""
        recent = tuple(o for o in last if o[0] > now - self.limits.window)
        recent = recent[-2 * self.limits.failures :]
        return recent if any(failed for _, failed in recent) else ()
