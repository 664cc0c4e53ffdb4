"""The conversation: tools, keys, silence, and what each of them may lead to."""

from __future__ import annotations

from collections.abc import Callable

from offhook.core import commands as do
from offhook.core import consenting, directed, handover, joining, lasting, leaving, records
from offhook.core import events as on
from offhook.core.alarms import Alarm
from offhook.core.answers import answer
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason
from offhook.core.events import SayEnd
from offhook.core.outcomes import Consented, HangUp, Transfer
from offhook.core.rules import Floor, exactly

Step = tuple[Call, list[do.Command]]

HOOK_S = 15.0  # after that, words about a pressed key are out of place
PROBES = 3  # silent sidebands in a row, each proven alive by a re-attach, before we give up


def step(call: Call, event: on.Event, now: float) -> Step | None:
    """A step of a live call."""
    for part in PARTS.get(type(event), ()):
        if (stepped := part(call, event, now)) is not None:
            return stepped
    return None


def _line(call: Call, event: on.Event, now: float) -> Step | None:
    """The line itself: lost, silent, expired, or to be left."""
    match event:
        case on.SidebandLost():
            return joining.rejoin(call, now)
        case on.NothingHeard() if call.phase is Phase.LIVE and call.probes >= PROBES:
            return leaving.hang_up(call, End(EndReason.NO_EVENTS), now)
        case on.NothingHeard() if call.phase is Phase.LIVE:
            call, attach = joining.rejoin(call.with_(probes=call.probes + 1), now)
            return call, [do.Detach(), *attach]
        case on.ExpiryTold(at):
            return lasting.told(call, at, now), []
        case on.SessionExpired(detail):
            return leaving.hang_up(call, End(EndReason.SESSION_EXPIRED, detail), now)
        case on.ModelFailed(code, detail):
            return _model_failed(call, f"{code}: {detail}".strip(": "), now)
        case on.ShutDown():
            end = End(EndReason.SHUT_DOWN)
            return leaving.goodbye(call, end, call.rules.lines.shut_down, now)
        case _:
            return None


def _model_failed(call: Call, detail: str, now: float) -> Step:
    """A model that cannot speak cannot apologise: a human is the only help left."""
    if call.transfer.sent:
        return call, []
    target = next(iter(call.rules.targets), None)
    if target is None:
        return leaving.hang_up(call, End(EndReason.MODEL_FAILED, detail), now)
    if any(a.target == target for a in call.transfer.attempts):
        return leaving.hang_up(call, End(EndReason.TRANSFER_FAILED, detail), now)
    return handover.refer(handover.start(call, target, "the model failed", now), now)


def _clock(call: Call, event: on.Event, now: float) -> Step | None:
    lines = call.rules.lines
    match event:
        case on.Due(Alarm.GREET | Alarm.UNHEARD):
            return call, [joining.greeting(call)]
        case on.Due(Alarm.WRAP_UP):
            stale = now + call.rules.limits.wrap_up / 2
            return call, [do.Say("wrap_up", lines.wrap_up, until=stale)]
        case on.Due(Alarm.FILLER):
            return _excuse(call, now)
        case on.Due(Alarm.MAX_LENGTH):
            return leaving.goodbye(call, lasting.too_long(call), lines.time_up, now)
        case on.Due(Alarm.SILENCE):
            return leaving.goodbye(call, End(EndReason.CALLER_SILENT), lines.silence, now)
        case _:
            return None


def _excuse(call: Call, now: float) -> Step:
    """A caller who hears nothing for long thinks that the line is dead."""
    limits = call.rules.limits
    if not call.tools.owed or call.transfer.active or call.fillers >= limits.fillers:
        return call, []
    call = call.with_(fillers=call.fillers + 1).alarm(Alarm.FILLER, now + limits.filler)
    return call, [do.Say("filler", call.rules.lines.filler, until=now + limits.filler / 2)]


def _tools(call: Call, event: on.Event, now: float) -> Step | None:
    match event:
        case on.ToolAsked(ref) | on.ToolVoided(ref) if ref in call.tools:
            return call, []  # the clouds have been seen to ask twice
        case on.ToolAsked(ref, name, response=of) if call.tools_muted and name != consenting.TOOL:
            why = "tools are not available for now; tell the caller so"
            return leaving.answer_at_once(call, ref, name, why, now, reply=True, response=of)
        case on.ToolAsked(ref, name, arguments, spoke, response):
            asked = call.tools.asked(ref, name, now, arguments, spoke=spoke, response=response)
            call = call.with_(tools=asked)
            if call.rules.limits.filler and Alarm.FILLER not in call.alarms.times:
                call = call.alarm(Alarm.FILLER, now + call.rules.limits.filler)
            return call, [do.RunTool(ref, name, arguments)]
        case on.ToolVoided(ref, name):
            return leaving.answer_at_once(call, ref, name, "the caller cut in", now)
        case on.ToolEnded():
            return _tool_ended(call, event, now)
        case _:
            return None


def _tool_ended(call: Call, event: on.ToolEnded, now: float) -> Step | None:
    ref, outcome = event.ref, event.outcome
    tool = call.tools.running(ref)
    if tool is None:
        return None
    refused = None
    match outcome:
        case Transfer(target):
            refused = handover.refusal(call, target)
    call = call.with_(tools=call.tools.ended(ref, refused or outcome, now, event.took))
    if not call.tools.owed:
        call = call.calm(Alarm.FILLER).with_(fillers=0)
    told = do.AnswerTool(ref, answer(refused or outcome), reply=not call.transfer.active)
    match refused or outcome:
        case Transfer() | HangUp() as action:
            quiet = do.AnswerTool(ref, told.output, reply=False)
            call, commands = act(call, action, now, spoke=tool.spoke)
            return call, [quiet, *commands]
        case _:
            return call, [told]


def act(call: Call, action: Transfer | HangUp, now: float, *, spoke: bool = False) -> Step:
    """Do what a tool or a hook of the bot decided. `spoke`: the caller has been told already."""
    match action:
        case Transfer(target, reason, announce):
            return handover.begin(call, target, reason, announce, now, spoke=spoke)
        case HangUp(reason, words):
            order = None if spoke else call.rules.lines.goodbye
            if words is not None:
                order = exactly(words)
            return leaving.goodbye(call, End(EndReason.BOT_HUNG_UP, reason), order, now)


def _keys(call: Call, event: on.Event, now: float) -> Step | None:
    limits = call.rules.limits
    match event:
        case on.DigitPressed(key):
            digits, entry = call.digits.press(key, limits.digit_count)
            call = call.with_(digits=digits, idle_prompts=0).calm(Alarm.DIGITS, Alarm.SILENCE)
            if digits.typed:
                call = call.alarm(Alarm.DIGITS, now + limits.digit_gap)
            told: list[do.Command] = [do.TellDigit(key)]
            return call, told + ([do.TellDigits(entry)] if entry else [])
        case on.Due(Alarm.DIGITS):
            call, entry = call.with_(digits=type(call.digits)()), call.digits.typed
            return call, [do.TellDigits(entry)] if entry else []
        case on.HookAnswered(str(order)):
            return call, [do.Say("hook", order, until=now + HOOK_S)]
        case on.HookAnswered(Transfer(target) as action):
            if refused := handover.refusal(call, target):
                return call, [do.Say("hook", refused.message, until=now + HOOK_S)]
            return act(call, action, now)
        case on.HookAnswered(HangUp() as action):
            return act(call, action, now)
        case on.HookAnswered(Consented(yes=False)):
            return call, [do.Say("consent", call.rules.lines.refused, until=now + HOOK_S)]
        case on.HookAnswered(None | Consented()):
            return call, []
        case _:
            return None


def _voices(call: Call, event: on.Event, now: float) -> Step | None:
    """Who speaks, and for how long nobody does."""
    limits = call.rules.limits
    match event:
        case on.CallerStarted() | on.BotStarted():
            busy = call.calm(Alarm.SILENCE, Alarm.UNHEARD).with_(probes=0)
            if isinstance(event, on.CallerStarted):
                busy = busy.with_(idle_prompts=0)
            noted, commands = records.step(busy, event, now) or (busy, [])
            return noted, [*commands, *_guarded(call, event)]
        case on.BotStopped():
            call = call.calm(Alarm.UNHEARD)
            if limits.silence and not call.transfer.active:
                call = call.alarm(Alarm.SILENCE, now + limits.silence)
            return call, []
        case on.CallerSilent():
            noted, commands = records.step(call, event, now) or (call, [])
            noted = noted.with_(idle_prompts=call.idle_prompts + 1)
            if noted.idle_prompts <= limits.silent_prompts:
                return noted, commands
            end = End(EndReason.CALLER_SILENT)
            return leaving.goodbye(noted, end, call.rules.lines.silence, now)
        case on.SayEnded("greeting", how):
            if how is SayEnd.FAILED:
                return _model_failed(call.with_(opened=True), "the greeting", now)
            return _opened(call, now)
        case on.SayEnded("transfer_failed" | "wrap_up" | "hook" | "consent", SayEnd.FAILED):
            return _model_failed(call, "could not speak", now)
        case on.SayEnded():
            return directed.said(call, event, now), []
        case _:
            return None


def _guarded(call: Call, event: on.Event) -> list[do.Command]:
    """Terms are spoken before all else, so the floor was held for them.

    From their first syllable the caller may speak and is answered afterwards.
    """
    held = call.rules.greeting_floor is Floor.HELD and not call.transfer.active
    match event:
        case on.BotStarted("greeting") if held and not call.opened:
            return [do.SetFloor(Floor.GUARDED)]
        case _:
            return []


def _opened(call: Call, now: float) -> Step:
    """The greeting is over: the floor is the caller's, and what had to wait for it is done."""
    floor: list[do.Command] = []
    if call.rules.greeting_floor is not Floor.OPEN and not call.transfer.active:
        floor.append(do.SetFloor(Floor.OPEN))
    call, kept = directed.opened(call, now)
    return call, [*floor, *kept]


# Which part of the conversation an event is for; the first that makes something of it wins.
PARTS: dict[type[on.Event], tuple[Callable[[Call, on.Event, float], Step | None], ...]] = {
    on.SidebandLost: (_line,),
    on.NothingHeard: (_line,),
    on.ExpiryTold: (_line,),
    on.SessionExpired: (_line,),
    on.ModelFailed: (_line,),
    on.ShutDown: (_line,),
    on.Referred: (handover.step,),
    on.ReferFailed: (handover.step,),
    on.Due: (handover.step, _clock, _keys),
    on.SayEnded: (handover.step, _voices),
    on.ToolAsked: (_tools,),
    on.ToolVoided: (_tools,),
    on.ToolEnded: (_tools,),
    on.DigitPressed: (_keys,),
    on.HookAnswered: (_keys,),
    on.CallerStarted: (_voices,),
    on.CallerSilent: (_voices,),
    on.BotStarted: (_voices,),
    on.BotStopped: (_voices,),
}
