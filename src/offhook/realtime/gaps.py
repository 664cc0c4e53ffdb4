"""What happened while nobody listened: found out once the sideband is open again.

The caller may have spoken, and the model may have asked for functions, without anybody to hear
it. Function calls that were begun before are asked for by their ids. An item of ours is put at
the end of the conversation, since the echo of a new item names the one before it, and taken out
again; and the one before it is asked for. The function calls among them are run together. If
the last item wants an answer and none comes within a short time, the model is asked for it:
once, as the cloud may be about to answer.

An item names the one before it only when it is added, so this cannot go further back. Of function
calls that were all begun while nobody listened only the last is found.
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
WHOLE = ("completed", None)  # the status of a function call that may be run


def ask(s: Surface, now: float, out: Out) -> Surface:
    """The sideband is open: find out. Until it is known what is owed, nothing of ours is said."""
    if s.gap is Gap.NONE:
        return s
    if not s.config.catch_up:
        return replace(s, gap=Gap.NONE)
    number, missed = s.asks + 1, s.missed.asked()
    out.frames.append(sends.probe(number))
    out.frames += (sends.retrieve(item) for item in missed.awaited)
    slot = s.slot.set_turn(Turn.OWED, now + QUIET_S)
    probe = sends.probe_id(number)
    return replace(s, gap=Gap.ASKED, probe=probe, asks=number, slot=slot, missed=missed)


def probed(s: Surface, before: str | None, now: float, out: Out) -> Surface:
    """Our item is there, behind the item `before`."""
    out.frames.append(sends.forget(s.probe))
    s = replace(s, probe="")
    if s.gap is not Gap.ASKED:
        return s
    if before is not None and not before.startswith(sends.OURS) and before not in s.missed:
        out.frames.append(sends.retrieve(before))
        s = replace(s, missed=s.missed.asks(before))
    return _settled(s, now, out)


def found(s: Surface, item: WholeItem, now: float, out: Out) -> Surface:
    """The cloud shows an item."""
    if item.id not in s.missed.awaited:
        return s
    return _settled(replace(s, missed=s.missed.shown(item)), now, out)


def lacking(s: Surface, item: str, now: float, out: Out) -> Surface:
    """The cloud has no such item."""
    if item not in s.missed.awaited:
        return s
    return _settled(replace(s, missed=s.missed.lacks(item)), now, out)


def given_up(s: Surface, now: float, out: Out) -> Surface:
    """The cloud does not tell: what it has told is all that we will know."""
    return _settled(replace(s, gap=Gap.NONE, missed=s.missed.untold()), now, out)


def heard(s: Surface, frame: Frame, now: float, out: Out) -> Surface:
    """A frame that comes before all is known may tell it."""
    match frame:
        case frames.SpeechStarted() | frames.ResponseCreated():
            s = replace(s, gap=Gap.NONE)
        case frames.PlaybackStarted() | frames.AudioTranscriptDone() | frames.TextDone():
            s = _answered(s)
        case frames.ItemAdded(item) if item.role == "assistant":
            s = _answered(s)
        case frames.ResponseDone(response) if response.status == "completed" and response.output:
            s = _answered(replace(s, missed=s.missed.told(response.output)))
        case _:
            return s
    return _settled(s, now, out)


def _settled(s: Surface, now: float, out: Out) -> Surface:
    """If all is there that was asked for, make of it what there is to be made."""
    asked = s.gap is Gap.ASKED
    if s.missed.awaited or (asked and s.probe):
        return s
    items = s.missed.found
    if items:
        s = _called(s, items, out)
    if not asked:
        return s
    return _ended(s, items[-1], now, out) if items else _known(s)


def _called(s: Surface, items: tuple[WholeItem, ...], out: Out) -> Surface:
    """Have the function calls among them run that nobody knows of; or none, if one was cut off.

    Of a response that goes on the end is still to come, and will tell of all.
    """
    known = s.batches.known
    calls = [i for i in items if i.type == "function_call" and i.call_id not in known]
    s = replace(s, missed=replace(s.missed, found=()))
    if any(call.status == "in_progress" for call in calls):
        begun = (*s.missed.begun, *(call.id for call in calls))
        return replace(s, missed=replace(s.missed, begun=begun))
    cut_off = any(call.status not in WHOLE for call in calls)
    refs = tuple(dict.fromkeys(call.call_id for call in calls if call.call_id))
    for call in calls:
        ref, name = call.call_id or "", call.name or ""
        if ref and cut_off:
            out.events.append(on.ToolVoided(ref, name))
        elif ref:
            out.events.append(on.ToolAsked(ref, name, call.arguments or ""))
    return replace(s, batches=s.batches.asked(refs))


def _ended(s: Surface, item: WholeItem, now: float, out: Out) -> Surface:
    """This is the last item of the conversation."""
    match item.type, item.role:
        case "function_call", _ if item.status in WHOLE:
            return _known(s)
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
