"""One step of a call: what an event means, and what is to be done about it.

`step` is total: every phase takes every event, since the cloud may say anything at any time.
What means nothing where the call stands becomes `do.Ignore`, which is counted, never raised.
"""

from __future__ import annotations

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
    if type(event) not in consenting.HEEDED:
        return _step(call, event, now)
    call, first = consenting.heed(call, event, now)
    call, commands = _step(call, event, now)
    return call, [*first, *commands]


def _step(call: Call, event: on.Event, now: float) -> Stepped:
    match call.phase, event:
        case _, on.Noted():
            return records.note(call, event, now), []
        case _, on.Directed():
            return directed.step(call, event, now)
        case _, on.DigitPressed(key) if consenting.refuses(call, key):
            return consenting.refuse_by_key(call, now)
        case Phase.ENDED, _:  # late news about a finished call is normal
            return records.late(call, event, now)
        case _, on.TimeUp():
            return _ring_alarms(call, now)
        case _, on.Broke(detail):  # the bug is ours: this call ends, the others go on
            return leaving.hang_up(call, End(EndReason.BUG, detail), now)
        case ((Phase.ACCEPTING | Phase.REJECTING), _):
            stepped = ringing.step(call, event, now)
        case ((Phase.JOINING | Phase.REJOINING), _):
            stepped = joining.step(call, event, now) or live.step(call, event, now)
        case ((Phase.LEAVING | Phase.HANGING_UP), _):
            stepped = leaving.step(call, event, now)
        case _:
            stepped = live.step(call, event, now)
    return stepped or records.step(call, event, now) or (call, [do.Ignore(event)])


def _ring_alarms(call: Call, now: float) -> Stepped:
    """Turn `TimeUp` into one `Due` for each alarm whose time has come."""
    commands: list[do.Command] = []
    for alarm in call.alarms.due(now):
        if alarm in call.alarms.times and call.phase is not Phase.ENDED:
            call, more = step(call.calm(alarm), on.Due(alarm), now)
            commands += more
    return call, commands
