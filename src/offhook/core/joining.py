"""Onto the sideband, and back onto it when it is lost.

The audio and the model live in the cloud, so a lost sideband is not a finished call: the caller
may still be talking to a model that has nobody to run its tools. Only the cloud's own word that
there is no such call ends it.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core import handover, lasting, leaving
from offhook.core.alarms import Alarm
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason, Forward
from offhook.core.events import Refusal
from offhook.core.rules import Floor
from offhook.core.transfer import TransferOutcome

Step = tuple[Call, list[do.Command]]

FIRST_BACKOFF = (0.2, 0.4, 0.8, 1.6, 3.0)
FORWARD_S = 3.0  # who is only to be transferred hears silence until then
UNHEARD_S = 4.0  # a greeting that was sent has begun to be heard by then
AGAIN_BACKOFF = (0.2, 0.5, 1.0, 2.0, 5.0)


def join(call: Call, now: float) -> Step:
    """Accepted: open the sideband, and start the clocks that limit the call."""
    limits = call.rules.limits
    call = call.enter(Phase.JOINING, accepted_at=now).calm(Alarm.RING, Alarm.RETRY)
    patience = limits.attach if call.forward is None else min(limits.attach, FORWARD_S)
    call = call.alarm(Alarm.ATTACH, now + patience)
    return attach(lasting.limited(call, now), now)


def rejoin(call: Call, now: float) -> Step:
    """The sideband is lost: go back onto it. Deaf, we cannot call the caller silent."""
    return attach(call.enter(Phase.REJOINING).calm(Alarm.RETRY, Alarm.SILENCE), now)


def attach(call: Call, now: float) -> Step:
    """One try to open the sideband."""
    limits = call.rules.limits
    left = call.alarms.times.get(Alarm.ATTACH, now + limits.attach) - now
    return call.with_(tries=call.tries + 1), [do.Attach(min(max(left, 0.1), limits.attach))]


def step(call: Call, event: on.Event, now: float) -> Step | None:
    """A step while the sideband is being opened, for the first time or again."""
    match call.phase, event:
        case _, on.Attached():
            return _attached(call, now)
        case Phase.REJOINING, on.AttachFailed(Refusal.GONE, detail):
            return _gone(call, detail, now)
        case Phase.REJOINING, on.AttachFailed():
            return call.alarm(Alarm.RETRY, now + pause(AGAIN_BACKOFF, call.tries)), []
        case Phase.JOINING, (on.AttachFailed(Refusal.WRONG) | on.Due(Alarm.ATTACH)) if call.forward:
            return _forward(call.enter(Phase.REJOINING).calm(Alarm.ATTACH), call.forward, now)
        case Phase.JOINING, on.AttachFailed(Refusal.WRONG, detail):
            return leaving.hang_up(call, End(EndReason.ATTACH_REFUSED, detail), now)
        case Phase.JOINING, on.AttachFailed():  # a 404 too: not joinable yet right after accept
            return call.alarm(Alarm.RETRY, now + pause(FIRST_BACKOFF, call.tries)), []
        case _, on.Due(Alarm.RETRY):
            return attach(call, now)
        case _, on.Due(Alarm.UNHEARD):
            return call.alarm(Alarm.UNHEARD, now + UNHEARD_S), []
        case _, on.Due(Alarm.ATTACH):
            detail = f"no sideband within {call.rules.limits.attach:g} s"
            return leaving.hang_up(call, End(EndReason.ATTACH_FAILED, detail), now)
        case Phase.REJOINING, on.Due(Alarm.MAX_LENGTH):
            return leaving.hang_up(call, lasting.too_long(call), now)
        case _, on.ShutDown():
            return leaving.hang_up(call, End(EndReason.SHUT_DOWN), now)
        case _, on.SidebandLost():  # news of the sideband that is being replaced
            return call, []
        case _:
            return None


def _attached(call: Call, now: float) -> Step:
    call = call.enter(Phase.LIVE).calm(Alarm.ATTACH, Alarm.RETRY)
    if call.greeted:
        silence = call.rules.limits.silence
        return (call.alarm(Alarm.SILENCE, now + silence) if silence else call), []
    call = call.with_(attached_at=now, greeted=True)
    if call.forward is not None:
        return _forward(call, call.forward, now)
    if call.rules.limits.greeting_delay > 0:
        return call.alarm(Alarm.GREET, now + call.rules.limits.greeting_delay), []
    return call, [greeting(call)]


def _forward(call: Call, forward: Forward, now: float) -> Step:
    """Transfer at once: a transfer needs no sideband, which only shows how it comes out."""
    call = handover.start(call, forward.target, forward.reason, now)
    call, refer = handover.refer(call.with_(greeted=True), now)
    if call.phase is Phase.REJOINING:
        call, attaching = attach(call, now)
        return call, [*refer, *attaching]
    return call, [do.SetFloor(Floor.HELD), *refer]


def greeting(call: Call) -> do.Say:
    """The one greeting of a call."""
    return do.Say("greeting", call.rules.lines.greeting)


def _gone(call: Call, detail: str, now: float) -> Step:
    if not call.transfer.sent:
        return leaving.finish(call, End(EndReason.CALLER_HUNG_UP, detail), now)
    target = call.transfer.target
    transfer = call.transfer.end(TransferOutcome.TRANSFERRED, now)
    return leaving.finish(call.with_(transfer=transfer), End(EndReason.TRANSFERRED, target), now)


def pause(backoff: tuple[float, ...], tries: int) -> float:
    """The pause after the n-th try, in seconds; the last one repeats."""
    return backoff[min(max(tries - 1, 0), len(backoff) - 1)]
