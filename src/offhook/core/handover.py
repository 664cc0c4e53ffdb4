"""The steps of a transfer: tell the caller, wait until heard, refer once, watch."""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core import leaving
from offhook.core.alarms import Alarm
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason
from offhook.core.outcomes import InvalidArguments
from offhook.core.rules import Floor, exactly
from offhook.core.transfer import Stage, TransferOutcome

Step = tuple[Call, list[do.Command]]


def refusal(call: Call, target: str) -> InvalidArguments | None:
    """Why this transfer cannot be made, in words for the model; `None` if it can."""
    targets = call.rules.targets
    if not targets:
        return InvalidArguments("There is nobody to transfer to. Offer something else.")
    if target not in targets:
        return InvalidArguments(f"No such target. Choose one of: {', '.join(targets)}.")
    if call.transfer.active:
        return InvalidArguments("A transfer is under way already. Say nothing more.")
    if len(call.transfer.attempts) >= call.rules.limits.transfers:
        return InvalidArguments("Too many transfers have failed. Offer a callback instead.")
    return None


def start(call: Call, target: str, reason: str, now: float) -> Call:
    """The call with a transfer under way; nothing else may end it meanwhile."""
    call = call.calm(Alarm.SILENCE, Alarm.WRAP_UP)
    return call.with_(transfer=call.transfer.begin(target, reason, now))


def begin(
    call: Call, target: str, reason: str, announce: str | None, now: float, *, spoke: bool
) -> Step:
    """Tell the caller, undisturbed. If the model has just done so, only wait until heard."""
    call = start(call, target, reason, now)
    until = now + call.rules.limits.announce
    order = None if spoke else _fill(call, call.rules.lines.announce, target)
    if announce is not None:
        order = exactly(announce)
    return call.alarm(Alarm.ANNOUNCE, until), [
        do.SetFloor(Floor.HELD),
        do.Say("announce", order, until=until),
    ]


def refer(call: Call, now: float) -> Step:
    """Ask the cloud, once."""
    call = call.calm(Alarm.ANNOUNCE, Alarm.SILENCE)
    call = call.with_(transfer=call.transfer.at(Stage.REFERRING))
    call = call.alarm(Alarm.REFER, now + call.rules.limits.refer_watch)
    return call, [do.Refer(call.transfer.target)]


def step(call: Call, event: on.Event, now: float) -> Step | None:
    """A step of the transfer under way; `None` if the event is not for it."""
    match call.transfer.stage, event:
        case Stage.ANNOUNCING, on.SayEnded("announce") if call.phase is Phase.REJOINING:
            return call, []  # the voice goes on without us, or the caller has left: time tells
        case Stage.ANNOUNCING, on.SayEnded("announce") | on.Due(Alarm.ANNOUNCE):
            return refer(call, now)
        case Stage.REFERRING, on.Referred():
            call = call.with_(transfer=call.transfer.at(Stage.WATCHING))
            return call.alarm(Alarm.REFER, now + call.rules.limits.refer_watch), []
        case Stage.REFERRING, on.ReferFailed(detail):
            return _failed(call, TransferOutcome.REFUSED, detail, now)
        case ((Stage.REFERRING | Stage.WATCHING), on.Due(Alarm.REFER)):
            return _failed(call, TransferOutcome.STILL_HERE, "", now)
        case _:
            return None


def _failed(call: Call, outcome: TransferOutcome, detail: str, now: float) -> Step:
    target = call.transfer.target
    call = call.calm(Alarm.REFER).with_(transfer=call.transfer.end(outcome, now, detail))
    if call.forward is not None:  # there is nobody else to talk to
        return leaving.hang_up(call, End(EndReason.TRANSFER_FAILED, call.forward.reason), now)
    return call, [
        do.SetFloor(Floor.OPEN),
        do.Say("transfer_failed", _fill(call, call.rules.lines.transfer_failed, target)),
    ]


def _fill(call: Call, line: str, target: str) -> str:
    tried = {a.target for a in call.transfer.attempts} | {target}
    others = [label for name, label in call.rules.targets.items() if name not in tried]
    label = call.rules.targets.get(target, target)
    return line.replace("{target}", label).replace("{others}", " / ".join(others) or "-")
