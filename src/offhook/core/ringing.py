"""From the ring to the accept.

The caller must never ring in silence: either the call is accepted inside the ring budget, or it
is rejected with a SIP status so that the trunk can try somebody else.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core import joining, leaving
from offhook.core.alarms import Alarm
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason, Refused
from offhook.core.events import Refusal

Step = tuple[Call, list[do.Command]]

LAST_VARIANT = 1  # 0: with the voice; 1: without it, to be set on the sideband
ACCEPT_BACKOFF = (0.1, 0.25, 0.5, 1.0)


def begin(call: Call, now: float) -> Step:
    """The first accept, and the budget for all of them."""
    return accept(call.alarm(Alarm.RING, now + call.rules.limits.ring), now)


def accept(call: Call, now: float) -> Step:
    """One accept, limited by what is left of the ring budget."""
    left = call.alarms.times[Alarm.RING] - now
    within = min(call.rules.limits.accept_try, left)
    return call.with_(tries=call.tries + 1), [do.Accept(call.variant, within)]


def step(call: Call, event: on.Event, now: float) -> Step | None:
    """A step while it rings."""
    match call.phase, event:
        case Phase.ACCEPTING, on.Accepted():
            return joining.join(call, now)
        case Phase.ACCEPTING, on.AcceptRefused(refusal, detail, unsure):
            call = call.with_(maybe_accepted=call.maybe_accepted or unsure)
            return _refused(call, refusal, detail, now)
        case Phase.ACCEPTING, on.Due(Alarm.RETRY):
            return accept(call, now)
        case Phase.ACCEPTING, on.Due(Alarm.RING):
            detail = f"not accepted within {call.rules.limits.ring:g} s"
            return reject(call, End(EndReason.ACCEPT_FAILED, detail), now)
        case Phase.ACCEPTING, on.Broke(detail):
            return reject(call, End(EndReason.BUG, detail), now)
        case Phase.ACCEPTING, on.ShutDown():
            return reject(call, End(EndReason.SHUT_DOWN), now)
        case Phase.REJECTING, on.Rejected() if call.leaving:
            return leaving.finish(call, call.leaving, now)
        case Phase.REJECTING, on.RejectFailed() | on.Due(Alarm.RING) if call.leaving:
            # An accept whose answer was lost may have been taken: then a hang-up ends it.
            return leaving.hang_up(call, call.leaving, now)
        case Phase.REJECTING, on.ShutDown():
            return call, []
        case _:
            return None


def _refused(call: Call, refusal: Refusal, detail: str, now: float) -> Step:
    match refusal:
        case Refusal.TAKEN if call.maybe_accepted:  # by ourselves, in the try that was lost
            return joining.join(call, now)
        case Refusal.TAKEN:
            return leaving.finish(call, End(EndReason.TAKEN_ELSEWHERE, detail), now)
        case Refusal.GONE:
            return leaving.finish(call, End(EndReason.CALLER_LEFT_EARLY, detail), now)
        case Refusal.VARIANT if call.variant < LAST_VARIANT:
            return accept(call.with_(variant=call.variant + 1), now)
        case Refusal.BUSY:
            again = now + joining.pause(ACCEPT_BACKOFF, call.tries)
            if again < call.alarms.times[Alarm.RING]:
                return call.alarm(Alarm.RETRY, again), []
            return reject(call, End(EndReason.ACCEPT_FAILED, detail), now)
        case _:
            return reject(call, End(EndReason.ACCEPT_REFUSED, detail), now)


def reject(call: Call, end: End, now: float, code: int | None = None) -> Step:
    """Turn the call away, so that the trunk tries somebody else. `code`: the SIP status."""
    call = call.enter(Phase.REJECTING, leaving=end).calm(Alarm.RETRY)
    return call.alarm(Alarm.RING, now + call.rules.limits.hang_up), [
        do.Reject(call.rules.reject_code if code is None else code)
    ]


def refuse(call: Call, refused: Refused, now: float) -> Step:
    """Turn the call away without having tried to accept it."""
    return reject(call, End(refused.reason, refused.why), now, refused.code)
