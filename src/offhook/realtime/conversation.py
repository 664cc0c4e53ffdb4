"""The steps of a conversation on the wire: an order of the call, a change of the line, time.

Each function takes the surface and gives it back changed, and adds facts and frames to `out`.
"""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.events import SayEnd
from offhook.core.rules import Floor
from offhook.realtime import floor, gaps, responses, sends
from offhook.realtime.floor import Ask, Turn
from offhook.realtime.playback import Playback
from offhook.realtime.session import VOICE_AFTERWARDS
from offhook.realtime.surface import Gap, Out, Surface, Voice, enqueue, over, pump


def perform(s: Surface, command: do.Command, now: float, out: Out) -> Surface:
    """Step by an order of the call."""
    match command:
        case do.Say(ref, order, until):
            s = enqueue(s, Ask(ref=ref, order=order, until=until))
        case do.AnswerTool(ref, output, reply):
            s = _answer(s, ref, output, reply, out)
        case do.Whisper(text):
            return _whisper(s, text, out)
        case do.SetFloor(wanted) if wanted is not s.floor:
            s = replace(s, floor=wanted)
            if s.connected:
                out.frames.append(sends.set_floor(s.config, wanted))
        case do.Transcribe(wanted) if wanted is not s.transcribing:
            s = replace(s, transcribing=wanted)
            if s.connected and s.config.transcription is not None:
                out.frames.append(sends.set_transcription(s.config, wanted))
        case do.CutOff():
            if s.slot.active is not None:
                out.frames.append(sends.cancel(s.slot.active.response_id or None))
            if s.playback.audible is not None:
                out.frames.append(sends.clear_audio())
        case _:
            return s
    return pump(s, now, out)


def _whisper(s: Surface, text: str, out: Out) -> Surface:
    number = s.whispered + 1
    frame = sends.whisper(number, text)
    if s.connected:
        out.frames.append(frame)
    waiting = {**s.whispers, sends.whisper_id(number): frame}
    return replace(s, whispers=waiting, whispered=number)


def _answer(s: Surface, ref: str, output: str, reply: bool, out: Out) -> Surface:
    batches, ended = s.batches.answered(ref, output, reply=reply)
    if batches is not s.batches and s.connected:
        out.frames.append(sends.tool_output(ref, output))
    s = replace(s, batches=batches)
    if ended is not None and ended.reply:
        s = enqueue(s, Ask(ref=floor.TOOLS, calls=ended.refs))
    return s


def opened(s: Surface, variant: int, now: float, out: Out) -> Surface:
    """The sideband is open, for the first time or again.

    What was lost with the old one is sent again, once: outputs and whispers that the cloud has
    not shown, floor and transcription as they should be.
    """
    s = gaps.ask(replace(s, connected=True), now, out)
    if variant == VOICE_AFTERWARDS and s.voice is Voice.GIVEN:
        out.frames.append(sends.set_voice_the_old_way(s.config))
        s = replace(s, voice=Voice.ASKED_OLD_WAY)
    if s.floor is not s.config.floor:
        out.frames.append(sends.set_floor(s.config, s.floor))
    if s.transcribing is not s.config.transcribe and s.config.transcription is not None:
        out.frames.append(sends.set_transcription(s.config, s.transcribing))
    out.frames += (sends.tool_output(r, o) for r, o in s.batches.unacknowledged.items())
    out.frames += s.whispers.values()
    return pump(s, now, out)


def lost(s: Surface, now: float, out: Out) -> Surface:
    """The sideband is gone. What was being said goes on without us, unseen.

    A request that the cloud had not confirmed is made again, but not for what the call wanted
    said: a second greeting is worse than none.
    """
    sent = s.slot.sent.ask if s.slot.sent else None
    active = s.slot.active.ask if s.slot.active else None
    unseen = (sent, active, *(p.ask for p in s.playback.pending))
    for ask in unseen:
        if ask is not None and not ask.ours:
            out.events.append(on.SayEnded(ask.ref, SayEnd.CUT))
    slot = replace(s.slot, active=None, sent=None).set_turn(Turn.QUIET)
    if sent is not None and sent.ours:
        slot = slot.ask_first(sent)
    gap = Gap.OPEN if s.connected else s.gap
    return replace(
        s,
        slot=slot,
        playback=Playback(),
        connected=False,
        items=(),
        gap=gap,
        missed=s.missed.lost(),
    )


def tick(s: Surface, now: float, out: Out) -> Surface:
    """Time has passed: release what is stuck, drop what is stale, send what had to wait."""
    s = _overdue(_release(s, now, out), now, out)
    playback, late = s.playback.expired(now)
    if late:
        s = replace(s, playback=playback)
        out.events.append(on.BotStopped())
        for pending in late:
            over(pending.ask, SayEnd.HEARD, out)
    return pump(s, now, out)


def _overdue(s: Surface, now: float, out: Out) -> Surface:
    """The model is silent after the caller's turn: ask for the answer ourselves, once a turn."""
    if not s.connected or not s.slot.overdue(now):
        return s
    s, unknown = replace(s, slot=s.slot.set_turn(Turn.QUIET)), s.gap is Gap.ASKED
    if s.floor is Floor.HELD or unknown:
        return gaps.given_up(s, now, out) if unknown else s
    out.events.append(on.ReplyMissing(floor.OWED_S))
    return responses.again(s, None, now)


def _release(s: Surface, now: float, out: Out) -> Surface:
    """Give up a response that never ends, and a request that the cloud never confirmed."""
    active, sent = s.slot.active, s.slot.sent
    if active is not None and active.deadline <= now:
        out.frames.append(sends.cancel(active.response_id or None))
        s = responses.stuck(replace(s, slot=replace(s.slot, active=None)), active.ask, now, out)
    if sent is not None and sent.deadline <= now:
        s = responses.stuck(replace(s, slot=replace(s.slot, sent=None)), sent.ask, now, out)
    return s
