"""The ways out of a call: goodbye, hang-up, end.

Whatever happens to us, the call must not stay alive and paid for in the cloud: every path that
leaves one alive goes through a hang-up, and "no such call" is as good as done.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.alarms import Alarm, Alarms
from offhook.core.answers import answer
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason
from offhook.core.outcomes import Cancelled
from offhook.core.rules import Floor
from offhook.core.transfer import TransferOutcome

Step = tuple[Call, list[do.Command]]

AGAIN = 1.0  # seconds between two tries to hang up
URGENT = (EndReason.MAX_LENGTH, EndReason.SHUT_DOWN)  # no time to let the bot finish


def goodbye(call: Call, end: End, order: str | None, now: float) -> Step:
    """Say goodbye, undisturbed, then hang up. Without an order: once all is quiet."""
    call = call.enter(Phase.LEAVING, leaving=end).calm(
        Alarm.FILLER,
        Alarm.GREET,
        Alarm.UNHEARD,
        Alarm.WRAP_UP,
        Alarm.SILENCE,
        Alarm.DIGITS,
        Alarm.ANNOUNCE,
        Alarm.REFER,
    )
    call = call.with_(transfer=call.transfer.end(TransferOutcome.ABANDONED, now))
    until = now + call.rules.limits.goodbye
    return call.alarm(Alarm.GOODBYE, until), [
        *([do.CutOff()] if end.reason in URGENT else []),
        do.SetFloor(Floor.HELD),
        do.Say("goodbye", order, until=until),
    ]


def hang_up(call: Call, end: End, now: float) -> Step:
    """End the call on the wire, now."""
    call = call.enter(Phase.HANGING_UP, leaving=call.leaving or end, alarms=Alarms())
    call = call.alarm(Alarm.HANG_UP, now + call.rules.limits.hang_up)
    return call.with_(tries=1), [do.HangUp()]


def finish(call: Call, end: End, now: float) -> Step:
    """The one end of the call. Tools that nobody waits for are told so."""
    owed = tuple(c.ref for c in call.tools.owed)
    call = call.enter(Phase.ENDED, end=end, ended_at=now, alarms=Alarms())
    call = call.with_(transfer=call.transfer.end(TransferOutcome.ABANDONED, now))
    cancel: list[do.Command] = [do.CancelTools(owed)] if owed else []
    return call, [*cancel, do.Finish(end)]


def step(call: Call, event: on.Event, now: float) -> Step | None:
    """A step while the goodbye is said or the call is hung up."""
    end = call.leaving or End(EndReason.BUG, "leaving for no reason")
    match call.phase, event:
        case Phase.LEAVING, (
            on.SayEnded("goodbye") | on.Due(Alarm.GOODBYE) | on.SidebandLost() | on.ModelFailed()
        ):
            return hang_up(call, end, now)
        case Phase.LEAVING, on.ShutDown() | on.Due(Alarm.MAX_LENGTH):
            return hang_up(call, end, now)
        case Phase.HANGING_UP, on.HungUp(gone=True) if _was_never_joined(call, end):
            return finish(call, End(EndReason.CALLER_HUNG_UP, "before we had joined"), now)
        case Phase.HANGING_UP, on.HungUp():
            return finish(call, end, now)
        case Phase.HANGING_UP, on.HangUpFailed():
            return call.alarm(Alarm.RETRY, now + AGAIN), []
        case Phase.HANGING_UP, on.Due(Alarm.RETRY):
            return call.with_(tries=call.tries + 1), [do.HangUp()]
        case Phase.HANGING_UP, on.Due(Alarm.HANG_UP):
            remark = "the hang-up was never confirmed"
            return finish(call, End(end.reason, end.detail, remark), now)
        case _, on.SessionExpired() | on.SidebandLost() | on.ShutDown():
            return call, []
        case _, on.ToolAsked(ref, name) | on.ToolVoided(ref, name) if ref not in call.tools:
            return answer_at_once(call, ref, name, "the call is ending", now)
        case _, on.ToolEnded(ref, outcome, took) if call.tools.running(ref):
            return call.with_(tools=call.tools.ended(ref, outcome, now, took)), [
                do.AnswerTool(ref, answer(outcome), reply=False)
            ]
        case _:
            return None


def _was_never_joined(call: Call, end: End) -> bool:
    """Whether nothing shows that anybody was there when we came."""
    unseen = call.forward is not None and call.attached_at is None
    return unseen or end.reason is EndReason.ATTACH_FAILED


def answer_at_once(
    call: Call,
    ref: str,
    name: str,
    why: str,
    now: float,
    *,
    reply: bool = False,
    response: str = "",
) -> Step:
    """Answer a function call without running it, so that it is not left unanswered."""
    outcome = Cancelled(why)
    tools = call.tools.asked(ref, name, now, response=response).ended(ref, outcome, now)
    return call.with_(tools=tools), [do.AnswerTool(ref, answer(outcome), reply=reply)]
