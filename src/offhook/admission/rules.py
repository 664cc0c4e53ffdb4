"""The rules, in the order in which they are asked. Each is a function of what was seen.

The order is that of who can do least about it: first what concerns all calls, then who calls,
then when, then how much has been used. The first rule that speaks decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from offhook.admission.load import Load
from offhook.core.end import EndReason, Forward, Refused, Verdict
from offhook.core.party import UNKNOWN, Party
from offhook.dialplan import Line, matches


class Codes(Struct, frozen=True, gc=False):
    """The SIP status of each refusal."""

    no_line: int = 404
    outage: int = 503
    capacity: int = 503
    rate: int = 486
    blocked: int = 603
    anonymous: int = 433
    closed: int = 480
    spent: int = 503


class Seen(Struct, frozen=True, kw_only=True):
    """Everything that is known when a call rings.

    `line` is the line of the dialled number with what the settings say filled in, `None` if no
    line answers it. `outage` says why no calls are taken, `forward` to whom they then go.
    `calls` is how often this number has been let in within the hour, `reserved` the reservations
    of all lines; `over_minutes` and `over_budget` say what is spent.
    """

    line: Line | None
    caller: Party = UNKNOWN
    codes: Codes = Codes()
    outage: str | None = None
    forward: str | None = None
    load: Load = Load()
    reserved: Mapping[str, int] = {}
    calls: int = 0
    open: bool = True
    over_minutes: str | None = None
    over_budget: str | None = None


def no_line(seen: Seen) -> Verdict | None:
    """A number that nobody answers."""
    if seen.line is not None:
        return None
    return Refused(seen.codes.no_line, EndReason.NO_LINE, "no line has this number")


def outage(seen: Seen) -> Verdict | None:
    """The cloud fails, or somebody has sent all calls away."""
    if seen.outage is None:
        return None
    if seen.forward is not None:
        return Forward(seen.forward, EndReason.OUTAGE, seen.outage)
    return Refused(seen.codes.outage, EndReason.OUTAGE, seen.outage)


def capacity(seen: Seen) -> Verdict | None:
    """There is no room for one more call."""
    full = seen.load.full(seen.line, seen.reserved) if seen.line else None
    return Refused(seen.codes.capacity, EndReason.OVER_CAPACITY, full) if full else None


def rate(seen: Seen) -> Verdict | None:
    """This number calls too often."""
    most = seen.line.calls_per_hour if seen.line else None
    if most is None or seen.caller.anonymous or seen.calls < most:
        return None
    why = f"{seen.calls} calls within the hour, {most} are let in"
    return Refused(seen.codes.rate, EndReason.TOO_MANY_CALLS, why)


def blocked(seen: Seen) -> Verdict | None:
    """This number is not wanted here."""
    number = seen.caller.number
    if seen.line is None or number is None:
        return None
    pattern = next((p for p in seen.line.blocked if matches(p, number)), None)
    if pattern is None:
        return None
    return Refused(seen.codes.blocked, EndReason.BLOCKED, f"by {pattern}")


def anonymous(seen: Seen) -> Verdict | None:
    """This caller withholds the number, and the line wants to know it."""
    if seen.line is None or seen.line.anonymous is not False or not seen.caller.anonymous:
        return None
    return Refused(seen.codes.anonymous, EndReason.ANONYMOUS, "the number is withheld")


def hours(seen: Seen) -> Verdict | None:
    """Nobody is there at this time."""
    if seen.open or seen.line is None:
        return None
    if seen.line.when_closed is not None:
        return Forward(seen.line.when_closed, EndReason.CLOSED, "out of hours")
    return Refused(seen.codes.closed, EndReason.CLOSED, "out of hours")


def minutes(seen: Seen) -> Verdict | None:
    """The minutes of the day are used up."""
    if seen.over_minutes is None:
        return None
    return Refused(seen.codes.spent, EndReason.OVER_MINUTES, seen.over_minutes)


def money(seen: Seen) -> Verdict | None:
    """The money of the day is spent."""
    if seen.over_budget is None:
        return None
    return Refused(seen.codes.spent, EndReason.OVER_BUDGET, seen.over_budget)


Rule: TypeAlias = Callable[[Seen], Verdict | None]

RULES: tuple[Rule, ...] = (
    no_line,
    outage,
    capacity,
    rate,
    blocked,
    anonymous,
    hours,
    minutes,
    money,
)


class Outcome(Struct, frozen=True, gc=False):
    """What one rule says; `verdict` is `None` where it has nothing against the call."""

    rule: str
    verdict: Verdict | None


def check(seen: Seen) -> Verdict | None:
    """What the first rule that speaks says, `None` if the call may come in."""
    for rule in RULES:
        if (verdict := rule(seen)) is not None:
            return verdict
    return None


def explain(seen: Seen) -> tuple[Outcome, ...]:
    """What each rule says, also after the one that decides."""
    return tuple(Outcome(rule.__name__, rule(seen)) for rule in RULES)
