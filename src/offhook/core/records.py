"""What is written down of a conversation, in whatever phase the call is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import directed
from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.transcript import Transcript, Who
from offhook.core.turns import Turns
from offhook.core.usage import Usage


def note(call: Call, event: on.Noted, now: float) -> Call:
    """Take down what only adds to the record."""
    taken_down = _NOTES.get(type(event))
    return call if taken_down is None else taken_down(call, event, now)


def _opened(call: Call, event: on.UtteranceOpened, now: float) -> Call:
    return _scripted(call, call.transcript.open(event.item, event.who, now, event.after))


def _said_by_caller(call: Call, event: on.CallerSaid, now: float) -> Call:
    return _said(call, event.item, Who.CALLER, event.text, now)


def _said_by_bot(call: Call, event: on.BotSaid, now: float) -> Call:
    return _said(call, event.item, Who.BOT, event.text, now)


def _said(call: Call, item: str, who: Who, text: str, now: float) -> Call:
    if not _may_keep(call, item, now):
        return _scripted(call, call.transcript.open(item, who, now))
    return _scripted(call, call.transcript.say(item, who, text, now))


def _not_understood(call: Call, event: on.CallerNotUnderstood, now: float) -> Call:
    return _scripted(call, call.transcript.open(event.item, Who.CALLER, now))


def _spoke(call: Call, event: on.BotSpoke, _: float) -> Call:
    return _scripted(call, call.transcript.spoken(event.item, event.milliseconds))


def _cut(call: Call, event: on.BotCut, _: float) -> Call:
    return _scripted(call, call.transcript.cut(event.item, event.heard_ms))


def _scripted(call: Call, script: Transcript) -> Call:
    return call if script is call.transcript else replace(call, transcript=script)


def _stopped(call: Call, event: on.CallerStopped, now: float) -> Call:
    return _turned(call, call.turns.stopped(event.item, now, event.silence))


def _reply_asked(call: Call, event: on.ReplyAsked, now: float) -> Call:
    return _turned(call, call.turns.asked(event.after, call.tools, now))


def _reply_begun(call: Call, event: on.ReplyBegun, now: float) -> Call:
    return _turned(call, call.turns.begun(event.response, event.after, call.tools, now))


def _turned(call: Call, turns: Turns) -> Call:
    return call if turns is call.turns else replace(call, turns=turns)


def _used(call: Call, event: on.Used, _: float) -> Call:
    return _spent(call, call.usage.responded(event.response, event.tokens))


def _transcription_used(call: Call, event: on.TranscriptionUsed, _: float) -> Call:
    return _spent(call, call.usage.transcribed(event.item, event.tokens, event.seconds))


def _spent(call: Call, usage: Usage) -> Call:
    return call if usage is call.usage else replace(call, usage=usage)


def _tool_started(call: Call, event: on.ToolStarted, _: float) -> Call:
    return replace(call, tools=call.tools.started(event.ref))


def _tool_taken(call: Call, event: on.ToolTaken, _: float) -> Call:
    return replace(call, tools=call.tools.taken(event.ref))


# Of the others nothing is kept: they are for those who listen.
_NOTES: dict[type[on.Noted], Callable[[Call, Any, float], Call]] = {
    on.UtteranceOpened: _opened,
    on.CallerSaid: _said_by_caller,
    on.CallerNotUnderstood: _not_understood,
    on.BotSaid: _said_by_bot,
    on.BotSpoke: _spoke,
    on.BotCut: _cut,
    on.CallerStopped: _stopped,
    on.ReplyAsked: _reply_asked,
    on.ReplyBegun: _reply_begun,
    on.Used: _used,
    on.TranscriptionUsed: _transcription_used,
    on.ToolStarted: _tool_started,
    on.ToolTaken: _tool_taken,
}


def _may_keep(call: Call, item: str, now: float) -> bool:
    """Whether the words of this item may be kept; transcripts come long after they were said."""
    said = call.transcript.find(item)
    return call.consent.keeps(now if said is None else said.at)


def step(call: Call, event: on.Event, now: float) -> tuple[Call, list[do.Command]] | None:
    """Note an event that nothing else has come of; `None` if there is nothing to note."""
    match event:
        case on.CallerSilent(item):
            script = call.transcript.drop(item) if item is not None else call.transcript
            return call.with_(transcript=script, turns=call.turns.silent(item)), []
        case on.BotStarted():
            return _heard(call, event, now), []
        case on.CallerStarted() | on.BotStopped():
            return call, []
        case on.SayEnded():
            return directed.said(call, event, now), []
        case on.Complained():
            return call, []
        case _:
            return None


def late(call: Call, event: on.Event, now: float) -> tuple[Call, list[do.Command]]:
    """Take in news about a finished call: a tool that went on."""
    match event:
        case on.ToolEnded(ref, outcome, took) if call.tools.running(ref):
            return call.with_(tools=call.tools.ended(ref, outcome, now, took)), []
        case _:
            return step(call, event, now) or (call, [])


def _heard(call: Call, event: on.BotStarted, now: float) -> Call:
    """The caller hears the bot: for the first time, or in answer to a turn."""
    if call.greeted_at is None:
        call = call.with_(greeted_at=now)
    if event.ref is not None:
        return call
    return _turned(call, call.turns.heard(event.response, now))
