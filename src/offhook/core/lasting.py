"""How long a call may last: as long as we let it, and no longer than the cloud's session does.

Most sessions last 60 minutes, those of some resources 30; the cloud tells when one ends.
"""

from __future__ import annotations

from offhook.core.alarms import Alarm
from offhook.core.call import Call
from offhook.core.end import End, EndReason

SOON_S = 60.0  # no session that is told of is that short: then one of the two clocks is wrong
SKEW_S = 15.0  # between the two clocks: so long before its session ends, a goodbye is over


def limited(call: Call, now: float) -> Call:
    """The same call with the alarms that warn the caller and end it. It counts from its accept."""
    began = call.accepted_at if call.accepted_at is not None else now
    over, warning = began + _longest(call), call.rules.limits.wrap_up
    call = call.calm(Alarm.WRAP_UP).alarm(Alarm.MAX_LENGTH, max(over, now))
    if not warning or over - warning <= now or call.transfer.active:
        return call
    return call.alarm(Alarm.WRAP_UP, over - warning)


def told(call: Call, at: float, now: float) -> Call:
    """The same call, whose session the cloud ends at this time. One that makes no sense is not
    believed."""
    if call.accepted_at is None or at - now < SOON_S:
        return call
    return limited(call.with_(session_lasts=at - call.accepted_at), now)


def too_long(call: Call) -> End:
    """The end of a call that has lasted as long as it may."""
    ours = _longest(call) == call.rules.limits.call
    return End(EndReason.MAX_LENGTH, "" if ours else "the session was about to expire")


def _longest(call: Call) -> float:
    limits = call.rules.limits
    if call.session_lasts is None:
        return limits.call
    return min(limits.call, call.session_lasts - limits.goodbye - SKEW_S)
