"""Errors on the sideband. Nearly all of them leave the call alive; each is brought back to
the event of ours that caused it, by the purpose in its id."""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import events as on
from offhook.realtime import gaps, responses, sends
from offhook.realtime.frames import Problem
from offhook.realtime.surface import Gap, Out, Surface, Voice

OLD_VOICE_WORTH_A_TRY = ("unknown_parameter", "invalid_value")


def receive(s: Surface, problem: Problem, now: float, out: Out) -> Surface:
    """Step by one error event."""
    code = problem.code or problem.type or "unknown"
    cause, _, subject = (problem.event_id or "").partition(":")
    match code, cause:
        case "session_expired", _:
            out.events.append(on.SessionExpired(problem.message or ""))
            return s
        case "conversation_already_has_active_response", _:  # its event_id is often null
            if s.gap is Gap.OWED:
                return replace(s, slot=s.slot.yielded(now), gap=Gap.NONE)
            return replace(s, slot=s.slot.refused(now))
        case "response_cancel_not_active", _:
            return s
        case _, "ask" if s.slot.sent is not None and str(s.slot.sent.ask.number) == subject:
            ask = s.slot.sent.ask
            responses.fail(ask, code, problem.message or "", out)
            return replace(s, slot=replace(s.slot, sent=None))
        case _, _ if _is_about_voice(s, problem, cause):
            out.frames.append(sends.set_voice_the_old_way(s.config))
            s = replace(s, voice=Voice.ASKED_OLD_WAY)
        case _, "whisper":  # refused, or there already from before a lost sideband
            rest = {i: w for i, w in s.whispers.items() if i != subject}
            s = replace(s, whispers=rest)
        case "item_create_duplicate_item_id", "out":  # sent again, and not lost after all
            out.events.append(on.ToolTaken(subject))
            return replace(s, batches=s.batches.acknowledged(subject))
        case _, "out":
            s = replace(s, batches=s.batches.acknowledged(subject))
        case _, "retrieve":
            s = gaps.lacking(s, subject, now, out)
    out.events.append(on.Complained(code, cause, problem.message or ""))
    return s


def _is_about_voice(s: Surface, problem: Problem, cause: str) -> bool:
    """Whether our voice was refused for its name on the wire, and the old name is untried."""
    named = (problem.param or "").endswith("audio.output.voice")
    return (
        s.voice is Voice.ASKED
        and problem.code in OLD_VOICE_WORTH_A_TRY
        and (cause == "voice" or named)
    )
