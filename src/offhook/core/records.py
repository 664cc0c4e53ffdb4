"""What is written down of a conversation, in whatever phase the call is."""

from __future__ import annotations

from offhook.core import commands as do
from offhook.core import directed
from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.transcript import Who


def note(call: Call, event: on.Noted, now: float) -> Call:
    """Take down what only adds to the record."""
    script = call.transcript
    match event:
        case on.UtteranceOpened(item, who, after):
            script = script.open(item, who, now, after)
        case on.CallerSaid(item) | on.BotSaid(item) if not _may_keep(call, item, now):
            who = Who.CALLER if isinstance(event, on.CallerSaid) else Who.BOT
            script = script.open(item, who, now)
        case on.CallerSaid(item, text):
            script = script.say(item, Who.CALLER, text, now)
        case on.BotSaid(item, text):
            script = script.say(item, Who.BOT, text, now)
        case on.BotSpoke(item, milliseconds):
            script = script.spoken(item, milliseconds)
        case on.CallerStopped() | on.ReplyAsked() | on.ReplyBegun():
            return _turn(call, event, now)
        case on.Used(response, tokens):
            usage = call.usage.responded(response, tokens)
            return call if usage is call.usage else call.with_(usage=usage)
        case on.TranscriptionUsed(item, tokens, seconds):
            usage = call.usage.transcribed(item, tokens, seconds)
            return call if usage is call.usage else call.with_(usage=usage)
        case on.BotCut(item, heard_ms):
            script = script.cut(item, heard_ms)
        case on.CallerNotUnderstood(item):
            script = script.open(item, Who.CALLER, now)
        case on.ToolStarted(ref):
            return call.with_(tools=call.tools.started(ref))
        case on.ToolTaken(ref):
            return call.with_(tools=call.tools.taken(ref))
    return call if script is call.transcript else call.with_(transcript=script)


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


def _turn(call: Call, event: on.Noted, now: float) -> Call:
    """What this says of how long the caller waits."""
    turns = call.turns
    match event:
        case on.CallerStopped(item, silence):
            turns = turns.stopped(item, now, silence)
        case on.ReplyAsked(after):
            turns = turns.asked(after, call.tools, now)
        case on.ReplyBegun(response, after):
            turns = turns.begun(response, after, call.tools, now)
    return call if turns is call.turns else call.with_(turns=turns)


def _heard(call: Call, event: on.BotStarted, now: float) -> Call:
    """The caller hears the bot: for the first time, or in answer to a turn."""
    if call.greeted_at is None:
        call = call.with_(greeted_at=now)
    turns = call.turns if event.ref is not None else call.turns.heard(event.response, now)
    return call if turns is call.turns else call.with_(turns=turns)
