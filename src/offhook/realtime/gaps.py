"""What happened while nobody listened: found out once the sideband is open again.

The caller may have spoken, and the model may have asked for a function, without anybody to hear
it. So an item of ours is put at the end of the conversation, since the echo of a new item names
the one before it, and taken out again; and the one before it is asked for. A function call is
run. If that item wants an answer and none comes within a short time, the model is asked for it:
once, as the cloud may be about to answer.

One item is all that can be found out in this way. Of several function calls of one response only
the last is.
"""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.transcript import Who
from offhook.realtime import frames, sends
from offhook.realtime.floor import Turn
from offhook.realtime.frames import Frame, WholeItem
from offhook.realtime.surface import Gap, Out, Surface

QUIET_S = 2.0  # an answer that is on its way is seen by then


def ask(s: Surface, now: float, out: Out) -> Surface:
    """The sideband is open: find out. Until it is known what is owed, nothing of ours is said."""
    if s.gap is Gap.NONE:
        return s
    if not s.config.catch_up:
        return replace(s, gap=Gap.NONE)
    number = s.asks + 1
    out.frames.append(sends.probe(number))
    slot = s.slot.set_turn(Turn.OWED, now + QUIET_S)
    return replace(s, gap=Gap.ASKED, probe=sends.probe_id(number), asks=number, slot=slot)


def probed(s: Surface, before: str | None, out: Out) -> Surface:
    """Our item is there, behind the item `before`."""
    out.frames.append(sends.forget(s.probe))
    s = replace(s, probe="")
    if s.gap is not Gap.ASKED:
        return s
    if before is None or before.startswith(sends.OURS):
        return _known(s)
    out.frames.append(sends.retrieve(before))
    return s


def heard(s: Surface, frame: Frame, now: float, out: Out) -> Surface:
    """A frame that comes before all is known may tell it."""
    match frame:
        case frames.ItemRetrieved(item) if s.gap is Gap.ASKED:
            return _found(s, item, now, out)
        case frames.SpeechStarted() | frames.ResponseCreated():
            return replace(s, gap=Gap.NONE)
        case frames.PlaybackStarted() | frames.AudioTranscriptDone() | frames.TextDone():
            return _answered(s)
        case frames.ItemAdded(item) if item.role == "assistant":
            return _answered(s)
        case frames.ResponseDone(response) if response.status == "completed" and response.output:
            return _answered(s)
        case _:
            return s


def _found(s: Surface, item: WholeItem, now: float, out: Out) -> Surface:
    """This is the last item of the conversation."""
    match item.type, item.role:
        case "function_call", _ if item.call_id in s.batches.known:
            return _known(s)
        case "function_call", _ if item.call_id and item.status in ("completed", None):
            out.events.append(on.ToolAsked(item.call_id, item.name or "", item.arguments or ""))
            return _known(replace(s, batches=s.batches.asked((item.call_id,))))
        case "message", "assistant":
            out.events.append(on.UtteranceOpened(item.id, Who.BOT))
            if item.words is not None:
                out.events.append(on.BotSaid(item.id, item.words))
            return _answered(s)
        case "message", "user":
            if item.id not in s.silences:
                out.events.append(on.UtteranceOpened(item.id, Who.CALLER))
            if item.words is not None and item.id not in s.silences:
                out.events.append(on.CallerSaid(item.id, item.words))
            return _owed(s, now)
        case "function_call" | "function_call_output", _:
            return _owed(s, now)
        case _:
            return _known(s)


def _owed(s: Surface, now: float) -> Surface:
    return replace(s, gap=Gap.OWED, slot=s.slot.set_turn(Turn.OWED, now + QUIET_S))


def _answered(s: Surface) -> Surface:
    """The model has gone on by itself: nothing is to be asked for that this covers."""
    return _known(replace(s, slot=s.slot.answered(frozenset(s.batches.unacknowledged))))


def _known(s: Surface) -> Surface:
    slot = s.slot.set_turn(Turn.QUIET) if s.slot.turn is Turn.OWED else s.slot
    return replace(s, gap=Gap.NONE, slot=slot)
