"""To go on with a call that another process has begun.

The call is as it was last written down. Its caller may have been talking to the model for
seconds without us, so nothing is said twice, nothing with effects is done twice, and what the
model is owed is answered. The audio and the model never stopped.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import directed, joining, lasting, leaving, ringing
from offhook.core.alarms import Alarm, Alarms
from offhook.core.answers import answer
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason
from offhook.core.outcomes import Interrupted
from offhook.core.transfer import Stage

Step = tuple[Call, list[do.Command]]

ANNOUNCED_S = 1.0  # an announcement that was begun without us is over soon, or was never heard


def resume(call: Call, now: float) -> Step:
    """Take over. `now` and the times of the call are on the clock of this process."""
    call = call.with_(alarms=Alarms(), tries=0)
    match call.phase:
        case Phase.ENDED:
            return call, []
        case Phase.ACCEPTING:  # it may have been accepted: then the cloud says that it is taken
            return ringing.begin(call.with_(maybe_accepted=True), now)
        case Phase.REJECTING:
            end = call.leaving or End(EndReason.ACCEPT_FAILED, "taken over while turning away")
            return ringing.reject(call, end, now)
        case Phase.LEAVING | Phase.HANGING_UP:
            end = call.leaving or End(EndReason.SHUT_DOWN, "taken over while leaving")
            return leaving.hang_up(call, end, now)
        case Phase.JOINING if not call.greeted:
            began = call.accepted_at
            call, commands = joining.join(call, now)
            call = call.with_(accepted_at=began if began is not None else now)
            return lasting.limited(call, now), commands
        case _:
            return _rejoin(call, now)


def _rejoin(call: Call, now: float) -> Step:
    call, attach = joining.rejoin(call, now)
    call = _transfer(lasting.limited(call, now), now)
    if call.greeted_at is None and not call.transcript.utterances:
        call = call.alarm(Alarm.UNHEARD, now + joining.UNHEARD_S)
        call, tools = _tools(call.with_(opened=False), now)
        return call, [*attach, *tools]
    call, kept = _opened(call, now)
    call, tools = _tools(call, now)
    return call, [*attach, *tools, *kept]


def _opened(call: Call, now: float) -> Step:
    """The greeting was begun without us, and nobody can tell whether its end was heard."""
    if call.opened:
        return call, []
    call = call.with_(consent=call.consent.told(now, heard=False))
    return directed.opened(call, now)


def _transfer(call: Call, now: float) -> Call:
    """One that was sent is watched; one that was being announced is sent."""
    match call.transfer.stage:
        case Stage.ANNOUNCING:
            return call.alarm(Alarm.ANNOUNCE, now + ANNOUNCED_S)
        case Stage.REFERRING | Stage.WATCHING:
            call = call.with_(transfer=call.transfer.at(Stage.WATCHING))
            return call.alarm(Alarm.REFER, now + call.rules.limits.refer_watch)
        case _:
            return call


def _tools(call: Call, now: float) -> Step:
    """Answer or run what the model is owed. Only what may not have had effects is run."""
    commands: list[do.Command] = []
    for tool in call.tools.owed:
        if not tool.started:
            commands.append(do.RunTool(tool.ref, tool.name, tool.arguments))
            continue
        outcome = Interrupted()
        call = call.with_(tools=call.tools.ended(tool.ref, outcome, now))
        commands.append(do.AnswerTool(tool.ref, answer(outcome), reply=not call.transfer.active))
    return call, commands
