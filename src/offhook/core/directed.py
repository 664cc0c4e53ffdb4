"""What a directive from outside means, wherever the call stands. Total, like `step`.

Words and transfers wait for the end of the opening, since a greeting may carry what the law
wants to be said first. Tools are muted by answering, not by `session.update`: that takes effect
on a response in progress, too, and there is nothing on the wire to restore after a lost sideband.
"""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core import handover, leaving, ringing
from offhook.core.call import Call, Phase
from offhook.core.directives import (
    Effect,
    EndCall,
    Instruction,
    MuteTools,
    SayThis,
    TransferTo,
    Whisper,
)
from offhook.core.end import End, EndReason
from offhook.core.rules import aside, exactly

Step = tuple[Call, list[do.Command]]

SAY_S = 60.0  # words that could not be said for so long are out of place
MUTED = "Your tools are not available for now. Do not call them; say so if the caller needs one."
UNMUTED = "Your tools are available again."
OVER = "the call is ending"


def step(call: Call, event: on.Directed, now: float) -> Step:
    """Take one directive, in any phase."""
    given = Instruction(
        len(call.instructions), event.directive, event.by, now, Effect.DONE, changed_at=now
    )
    return _carry_out(call.with_(instructions=(*call.instructions, given)), given, now)


def opened(call: Call, now: float) -> Step:
    """The opening is over: carry out what was kept, in order."""
    call = call.with_(opened=True)
    commands: list[do.Command] = []
    for kept in call.instructions:
        if kept.effect is Effect.KEPT:
            call, more = _carry_out(call, kept, now)
            commands += more
    return call, commands


def said(call: Call, event: on.SayEnded, now: float) -> Call:
    """Note how the words of a directive ended; other words change nothing."""
    given = next((i for i in call.instructions if i.ref == event.ref), None)
    if given is None or given.effect is not Effect.SAYING:
        return call
    return _note(call, given, Effect(event.how), now)


def _carry_out(call: Call, given: Instruction, now: float) -> Step:
    match call.phase, given.directive:
        case Phase.LEAVING, EndCall():
            end = call.leaving or End(EndReason.ENDED_BY_COMMAND)
            return leaving.hang_up(_note(call, given, Effect.DONE, now), end, now)
        case ((Phase.LEAVING | Phase.HANGING_UP | Phase.REJECTING | Phase.ENDED), _):
            return _note(call, given, Effect.REFUSED, now, OVER), []
        case _, EndCall(reason):
            return _end(_note(call, given, Effect.DONE, now), reason, now)
        case _, Whisper(text):
            return _note(call, given, Effect.DONE, now), [do.Whisper(aside(text))]
        case _, MuteTools(muted):
            news = MUTED if muted else UNMUTED
            told: list[do.Command] = [] if muted is call.tools_muted else [do.Whisper(aside(news))]
            return _note(call, given, Effect.DONE, now).with_(tools_muted=muted), told
        case _ if not call.opened:
            return _note(call, given, Effect.KEPT, now), []
        case _, TransferTo(target, reason):
            return _transfer(call, given, target, reason, now)
        case _, SayThis(words, at_once):
            return _say(call, given, words, at_once, now)
    return call, []  # pragma: no cover  # all directives are above


def _end(call: Call, reason: str, now: float) -> Step:
    """End it in the best way that is left: a goodbye needs a sideband, a hang-up an accept."""
    end = End(EndReason.ENDED_BY_COMMAND, reason)
    match call.phase:
        case Phase.ACCEPTING:
            return ringing.reject(call, end, now)
        case Phase.LIVE:
            return leaving.goodbye(call, end, call.rules.lines.goodbye, now)
        case _:
            return leaving.hang_up(call, end, now)


def _transfer(call: Call, given: Instruction, target: str, reason: str, now: float) -> Step:
    if refused := handover.refusal(call, target):
        return _note(call, given, Effect.REFUSED, now, refused.message), []
    call = _note(call, given, Effect.DONE, now)
    return handover.begin(call, target, reason, None, now, spoke=False)


def _say(call: Call, given: Instruction, words: str, at_once: bool, now: float) -> Step:
    if call.transfer.active:
        return _note(call, given, Effect.REFUSED, now, "a transfer is under way"), []
    cut: list[do.Command] = [do.CutOff()] if at_once else []
    say = do.Say(given.ref, exactly(words), until=now + SAY_S)
    return _note(call, given, Effect.SAYING, now), [*cut, say]


def _note(call: Call, given: Instruction, effect: Effect, now: float, why: str = "") -> Call:
    n, new = given.n, given.ended(effect, now, why)
    return call.with_(instructions=(*call.instructions[:n], new, *call.instructions[n + 1 :]))
