"""What the cloud tells on the sideband: each kind of frame has its step.

A step takes the surface and gives it back changed, and adds facts and frames to `out`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.events import SayEnd
from offhook.core.rules import Floor
from offhook.core.transcript import Who
from offhook.realtime import complaints, floor, frames, gaps, responses, sends, usage
from offhook.realtime.floor import Ask, Turn
from offhook.realtime.frames import Frame
from offhook.realtime.session import voice_value
from offhook.realtime.surface import Gap, Out, Surface, Voice, enqueue, over, pump

UNWRITTEN = 4  # finished turns of the caller without a transcript, of which the last may be late


def receive(s: Surface, frame: Frame, now: float, out: Out) -> Surface:
    """Step by one frame."""
    if s.gap is not Gap.NONE:
        s = gaps.heard(s, frame, now, out)
    kind = type(frame)
    if kind in _TOLD:
        return _TOLD[kind](s, frame, now, out)
    if kind in _TURNS:
        s = _TURNS[kind](s, frame, now, out)
    return pump(s, now, out)


# What is told, and changes nothing about who speaks next


def _item_done(s: Surface, frame: frames.OutputItemDone, _: float, __: Out) -> Surface:
    return replace(s, items=(*s.items, frame))


def _bot_said(s: Surface, frame: frames.AudioTranscriptDone, _: float, out: Out) -> Surface:
    out.events.append(on.BotSaid(frame.item_id, frame.transcript or ""))
    return s


def _bot_wrote(s: Surface, frame: frames.TextDone, _: float, out: Out) -> Surface:
    out.events.append(on.BotSaid(frame.item_id, frame.text or ""))
    return s


def _caller_said(s: Surface, frame: frames.Transcribed, _: float, out: Out) -> Surface:
    out.events.append(usage.of_transcription(frame))
    if frame.item_id not in s.silences:
        out.events.append(on.CallerSaid(frame.item_id, (frame.transcript or "").strip()))
    return _written(s)


def _not_written(s: Surface, frame: frames.TranscriptionFailed, _: float, out: Out) -> Surface:
    problem = frame.error
    code = (problem.code or problem.message) if problem else None
    out.events.append(on.CallerNotUnderstood(frame.item_id, code or "unknown"))
    return _written(s)


def _written(s: Surface) -> Surface:
    """Transcription works, or says that it does not: neither is missing."""
    return replace(s, unwritten=0) if s.unwritten else s


def _cut(s: Surface, frame: frames.ItemTruncated, _: float, out: Out) -> Surface:
    if frame.audio_end_ms is not None:
        out.events.append(on.BotCut(frame.item_id, frame.audio_end_ms))
    return s


def _key(s: Surface, frame: frames.Dtmf, _: float, out: Out) -> Surface:
    out.events.append(on.DigitPressed(frame.event))
    return s


def _echoed(
    s: Surface, frame: frames.SessionCreated | frames.SessionUpdated, _: float, out: Out
) -> Surface:
    return _expires(_check_voice(s, frame.session, out), frame.session.expires_at, out)


# What may change who speaks next


def _begun(s: Surface, frame: frames.ResponseCreated, now: float, out: Out) -> Surface:
    return responses.created(s, frame.response, now, out)


def _done(s: Surface, frame: frames.ResponseDone, now: float, out: Out) -> Surface:
    return responses.done(s, frame.response, now, out)


def _audible(s: Surface, frame: frames.PlaybackStarted, now: float, out: Out) -> Surface:
    response_id = frame.response_id
    out.events.append(on.BotStarted(_ref(s, response_id), response_id))
    return replace(s, playback=s.playback.started(response_id, now))


def _played(s: Surface, frame: frames.PlaybackStopped, _: float, out: Out) -> Surface:
    return _silent(s, frame.response_id, SayEnd.HEARD, out)


def _cleared(s: Surface, frame: frames.PlaybackCleared, _: float, out: Out) -> Surface:
    return _silent(s, frame.response_id, SayEnd.CUT, out)


def _complaint(s: Surface, frame: frames.Error, now: float, out: Out) -> Surface:
    return complaints.receive(s, frame.error, now, out)


def _shown(s: Surface, frame: frames.ItemRetrieved, now: float, out: Out) -> Surface:
    return gaps.found(s, frame.item, now, out)


def _speaks(s: Surface, frame: frames.SpeechStarted, now: float, out: Out) -> Surface:
    item_id = frame.item_id
    out.events += (on.UtteranceOpened(item_id, Who.CALLER), on.CallerStarted(item_id))
    return replace(s, slot=s.slot.set_turn(Turn.SPEAKING, now + floor.SPEECH_S), begun=item_id)


def _has_spoken(s: Surface, frame: frames.SpeechStopped, now: float, out: Out) -> Surface:
    out.events.append(on.CallerStopped(frame.item_id, s.config.turns.silence))
    return _turn_over(_unwritten(s, out), now)


def _idle(s: Surface, frame: frames.IdleTimeout, now: float, out: Out) -> Surface:
    out.events.append(on.CallerSilent(frame.item_id))
    return _turn_over(replace(s, silences=(*s.silences[-3:], frame.item_id or "")), now)


def _committed(s: Surface, frame: frames.Committed, _: float, out: Out) -> Surface:
    item_id = frame.item_id
    if item_id != s.begun and item_id not in s.silences:
        out.events.append(on.UtteranceOpened(item_id, Who.CALLER, frame.previous_item_id))
    if s.config.turns.manual and s.floor is not Floor.HELD:
        return enqueue(s, Ask(ref=floor.TURN))
    return s


def _turn_over(s: Surface, now: float) -> Surface:
    """The caller is done: the cloud owes the answer, unless it has been told not to give one."""
    if s.config.turns.manual or s.floor is Floor.HELD:
        return replace(s, slot=s.slot.set_turn(Turn.QUIET))
    return replace(s, slot=s.slot.set_turn(Turn.OWED, now + floor.OWED_S))


def _unwritten(s: Surface, out: Out) -> Surface:
    """Turns that nobody puts into words. A transcript may be late, but not by several turns."""
    if s.config.transcription is None or not s.transcribing:
        return s
    s = replace(s, unwritten=s.unwritten + 1)
    if s.unwritten == UNWRITTEN:
        out.events.append(on.TranscriptMissing(s.unwritten))
    return s


def _item(s: Surface, frame: frames.ItemAdded, now: float, out: Out) -> Surface:
    item = frame.item
    match item.type, item.role:
        case "function_call_output", _ if item.call_id in s.batches.unacknowledged:
            out.events.append(on.ToolTaken(item.call_id))
            return replace(s, batches=s.batches.acknowledged(item.call_id))
        case "message", "system" if item.id in s.whispers:
            return _confirmed(s, item.id)
        case "message", "system" if item.id == s.probe:
            return pump(gaps.probed(s, frame.previous_item_id, now, out), now, out)
        case "message", "assistant":
            out.events.append(on.UtteranceOpened(item.id, Who.BOT, frame.previous_item_id))
        case "message", "user" if item.id != s.begun and item.id not in s.silences:
            out.events.append(on.UtteranceOpened(item.id, Who.CALLER, frame.previous_item_id))
        case "function_call", _ if item.id:
            return replace(s, missed=s.missed.began(item.id))
    return s


def _confirmed(s: Surface, item: str) -> Surface:
    return replace(s, whispers={i: w for i, w in s.whispers.items() if i != item})


def _ref(s: Surface, response_id: str) -> str | None:
    """What of the call's own wishes this response is, if it is one."""
    known = (*s.playback.pending, *((s.slot.active,) if s.slot.active else ()))
    ask = next((k.ask for k in known if k.response_id == response_id), None)
    return ask.ref if ask is not None and not ask.ours else None


def _silent(s: Surface, response_id: str, how: SayEnd, out: Out) -> Surface:
    playback, ended = s.playback.stopped(response_id)
    out.events.append(on.BotStopped())
    over(ended.ask if ended else None, how, out)
    return replace(s, playback=playback)


def _check_voice(s: Surface, session: frames.Session, out: Out) -> Surface:
    """Some sessions do not take the voice over from the accept; the echo shows it."""
    echo: Any = session.audio.output.voice if session.audio and session.audio.output else None
    if echo is None or s.voice is not Voice.GIVEN or echo == voice_value(s.config.voice):
        return s
    out.frames.append(sends.set_voice(s.config))
    return replace(s, voice=Voice.ASKED)


def _expires(s: Surface, at: int | None, out: Out) -> Surface:
    """Tell when the session ends; once, as every echo repeats it."""
    if at is None or s.epoch is None or at == s.expires_at:
        return s
    out.events.append(on.ExpiryTold(at - s.epoch))
    return replace(s, expires_at=at)


_Step: TypeAlias = Callable[[Surface, Any, float, Out], Surface]

_TOLD: dict[type[Frame], _Step] = {
    frames.ItemAdded: _item,
    frames.OutputItemDone: _item_done,
    frames.AudioTranscriptDone: _bot_said,
    frames.TextDone: _bot_wrote,
    frames.Transcribed: _caller_said,
    frames.TranscriptionFailed: _not_written,
    frames.ItemTruncated: _cut,
    frames.Dtmf: _key,
    frames.SessionCreated: _echoed,
    frames.SessionUpdated: _echoed,
}
_TURNS: dict[type[Frame], _Step] = {
    frames.ResponseCreated: _begun,
    frames.ResponseDone: _done,
    frames.PlaybackStarted: _audible,
    frames.PlaybackStopped: _played,
    frames.PlaybackCleared: _cleared,
    frames.Error: _complaint,
    frames.ItemRetrieved: _shown,
    frames.SpeechStarted: _speaks,
    frames.SpeechStopped: _has_spoken,
    frames.IdleTimeout: _idle,
    frames.Committed: _committed,
}
