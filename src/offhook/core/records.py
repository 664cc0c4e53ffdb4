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
        case on.Used():
            return call.with_(usage=_sum(call.usage, event))
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
        case on.CallerSilent(str(item)):
            return call.with_(transcript=call.transcript.drop(item)), []
        case on.BotStarted() if call.greeted_at is None:
            return call.with_(greeted_at=now), []
        case on.CallerStarted() | on.BotStarted() | on.BotStopped():
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
        case on.ToolEnded(ref, outcome) if call.tools.running(ref):
            return call.with_(tools=call.tools.ended(ref, outcome, now)), []
        case _:
            return step(call, event, now) or (call, [])


def _sum(a: on.Used, b: on.Used) -> on.Used:
    return on.Used(
        input_tokens=a.input_tokens + b.input_tokens,
        output_tokens=a.output_tokens + b.output_tokens,
        input_audio=a.input_audio + b.input_audio,
        output_audio=a.output_audio + b.output_audio,
        cached=a.cached + b.cached,
    )
