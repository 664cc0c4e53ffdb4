"""One step of a call: what an event means, and what is to be done about it.

`step` is total: every phase takes every event, since the cloud may say anything at any time.
What means nothing where the call stands becomes `do.Ignore`, which is counted, never raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from offhook.core import commands as do
from offhook.core import consent, consenting, directed, joining, leaving, live, records, ringing
from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason, Forward, Refused, Verdict
from offhook.core.party import UNKNOWN, Party
from offhook.core.rules import Rules

Stepped: TypeAlias = tuple[Call, list[do.Command]]


def ring(
    call_id: str,
    rules: Rules,
    now: float,
    *,
    caller: Party = UNKNOWN,
    called: str | None = None,
    language: str = "en",
    line: str = "default",
    verdict: Verdict | None = None,
) -> Stepped:
    """Begin a call: it rings, and we accept it, unless the rules of admission say otherwise."""
    call = Call(
        id=call_id,
        rules=rules,
        caller=caller,
        called=called,
        line=line,
        language=language,
        rang_at=now,
        consent=consent.begin(rules.terms),
        forward=verdict if isinstance(verdict, Forward) else None,
    )
    if isinstance(verdict, Refused):
        return ringing.refuse(call, verdict, now)
    return ringing.begin(call, now)


def step(call: Call, event: on.Event, now: float) -> Stepped:
    """Step the call by one event. Pure: the same call, event and time give the same answer."""
    if isinstance(event, on.Noted):  # nine of ten
        return records.note(call, event, now), []
    if type(event) not in consenting.HEEDED:
        return _step(call, event, now)
    call, first = consenting.heed(call, event, now)
    call, commands = _step(call, event, now)
    return call, [*first, *commands]


def _step(call: Call, event: on.Event, now: float) -> Stepped:
    if type(event) in _ANYWHERE and (stepped := _anywhere(call, event, now)) is not None:
        return stepped
    if call.phase is Phase.ENDED:  # late news about a finished call is normal
        return records.late(call, event, now)
    for part in _PARTS[call.phase]:
        if (stepped := part(call, event, now)) is not None:
            return stepped
    return call, [do.Ignore(event)]


_ANYWHERE = frozenset({on.Directed, on.DigitPressed, on.TimeUp, on.Broke})


def _anywhere(call: Call, event: on.Event, now: float) -> Stepped | None:
    """What means the same in every phase."""
    match event:
        case on.Directed():
            return directed.step(call, event, now)
        case on.DigitPressed(key) if consenting.refuses(call, key):
            return consenting.refuse_by_key(call, now)
        case _ if call.phase is Phase.ENDED:
            return None
        case on.TimeUp():
            return _ring_alarms(call, now)
        case on.Broke(detail):  # the bug is ours: this call ends, the others go on
            return leaving.hang_up(call, End(EndReason.BUG, detail), now)
        case _:
            return None


# Who is asked in each phase; the first that makes something of an event wins.
_PARTS: dict[Phase, tuple[Callable[[Call, on.Event, float], Stepped | None], ...]] = {
    Phase.ACCEPTING: (ringing.step, records.step),
    Phase.REJECTING: (ringing.step, records.step),
    Phase.JOINING: (joining.step, live.step, records.step),
    Phase.REJOINING: (joining.step, live.step, records.step),
    Phase.LIVE: (live.step, records.step),
    Phase.LEAVING: (leaving.step, records.step),
    Phase.HANGING_UP: (leaving.step, records.step),
}


def _ring_alarms(call: Call, now: float) -> Stepped:
    """Turn `TimeUp` into one `Due` for each alarm whose time has come."""
    commands: list[do.Command] = []
    for alarm in call.alarms.due(now):
        if alarm in call.alarms.times and call.phase is not Phase.ENDED:
            call, more = step(call.calm(alarm), on.Due(alarm), now)
            commands += more
    return call, commands
