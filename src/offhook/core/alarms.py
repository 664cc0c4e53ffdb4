"""Deadlines as state: which alarm rings when. The shell only looks at the earliest one."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Alarm(StrEnum):
    """What a deadline is for. A call has at most one of each."""

    RING = "ring"  # accept by now, else reject
    RETRY = "retry"  # try the refused request again
    ATTACH = "attach"  # give up joining
    GREET = "greet"
    UNHEARD = "unheard"  # taken over, and nobody knows whether the caller was greeted
    WRAP_UP = "wrap_up"  # warn that the time is nearly up
    MAX_LENGTH = "max_length"
    SILENCE = "silence"  # neither side has spoken
    FILLER = "filler"  # a tool takes long: say so
    ANNOUNCE = "announce"  # refer now, announced or not
    REFER = "refer"  # still here: the transfer has failed
    DIGITS = "digits"  # the pause that ends an entry
    GOODBYE = "goodbye"  # hang up now, heard or not
    HANG_UP = "hang_up"  # stop trying to hang up


class Alarms(Struct, frozen=True):
    """The alarms that are set, each with its time on the clock that `now` is read from."""

    times: dict[Alarm, float] = {}

    def set(self, alarm: Alarm, at: float) -> Alarms:
        """Set the alarm, moving it if it is set already."""
        return Alarms({**self.times, alarm: at})

    def clear(self, *alarms: Alarm) -> Alarms:
        """Take these alarms away; one that is not set does not matter."""
        if not any(a in self.times for a in alarms):
            return self
        return Alarms({a: t for a, t in self.times.items() if a not in alarms})

    def due(self, now: float) -> tuple[Alarm, ...]:
        """The alarms whose time has come, the earliest first."""
        due = [(t, a) for a, t in self.times.items() if t <= now]
        return tuple(a for _, a in sorted(due))

    @property
    def next(self) -> float | None:
        """When the earliest alarm rings, `None` if none is set."""
        return min(self.times.values(), default=None)
