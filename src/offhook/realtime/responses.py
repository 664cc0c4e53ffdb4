"""The life of a response: begun, done, and what to do when it came to nothing."""

from __future__ import annotations

from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.events import SayEnd
from offhook.realtime import floor, sends, usage
from offhook.realtime.floor import Ask
from offhook.realtime.frames import Item, Problem, Response, Usage
from offhook.realtime.playback import TOKEN_MS
from offhook.realtime.surface import Out, Surface, over

RATE_LIMIT_PAUSE_S = 1.0
PAUSE_S = 0.3
FINAL = frozenset({"insufficient_quota", "credit_balance_exhausted", "invalid_api_key"})


def created(s: Surface, response: Response, now: float, out: Out) -> Surface:
    """A response has begun, ours or the cloud's own. Told twice, it is not another one."""
    if s.slot.active is not None and s.slot.active.response_id == response.id:
        return s
    ref = (response.metadata or {}).get(sends.TAG)
    slot = s.slot.created(response.id, ref, now)
    if slot.active is not None and slot.active.ask is None:
        slot = slot.answered(frozenset(s.batches.unacknowledged))
        out.events.append(on.ReplyBegun(response.id))
    elif slot.active is not None and slot.active.ask is not None and slot.active.ask.ours:
        out.events.append(on.ReplyBegun(response.id, slot.active.ask.calls))
    return replace(s, slot=slot)


def done(s: Surface, response: Response, now: float, out: Out) -> Surface:
    """A response has ended. It may be one that we do not know, e.g. from before a re-attach."""
    slot, active = s.slot.done(response.id)
    items = _items(s, response)
    s = replace(
        s,
        slot=slot,
        items=tuple(i for i in s.items if i.response_id != response.id),
        missed=s.missed.told(items),
    )
    out.events.append(on.Used(response.id, usage.of_response(response.usage)))
    spoke = any(i.type == "message" for i in items)
    s = _calls(s, response, items, spoke, out)
    if active is None:
        return s
    match response.status:
        case "failed":
            return _failed(s, active.ask, _problem(response), now, out)
        case "cancelled":
            over(active.ask, SayEnd.CUT, out)
            return s
        case _ if not items:
            return _empty(s, active.ask, now, out)
        case _:
            return _generated(s, active.ask, response, items, now, out)


def _items(s: Surface, response: Response) -> list[Item]:
    """What the response put out. Its own list has been seen empty although there was some."""
    items = list(response.output or ())
    ids = {i.id for i in items}
    return items + [
        i.item for i in s.items if i.response_id == response.id and i.item.id not in ids
    ]


def _calls(s: Surface, response: Response, items: list[Item], spoke: bool, out: Out) -> Surface:
    """Function calls are taken from here alone: one that was cut off must not be run."""
    calls = [i for i in items if i.type == "function_call" and i.call_id]
    new = [c for c in calls if c.call_id not in s.batches.known]
    for call in new:
        ref, name = call.call_id or "", call.name or ""
        if response.status == "completed" and call.status in ("completed", None):
            arguments = call.arguments or ""
            out.events.append(on.ToolAsked(ref, name, arguments, spoke, response.id))
        else:
            out.events.append(on.ToolVoided(ref, name))
    if not new:
        return s
    return replace(s, batches=s.batches.asked(tuple(c.call_id or "" for c in new)))


def _generated(
    s: Surface, ask: Ask | None, response: Response, items: list[Item], now: float, out: Out
) -> Surface:
    messages = [i for i in items if i.type == "message"]
    audio_ms = _audio_ms(response.usage) if messages else 0
    if messages and audio_ms:
        out.events.append(on.BotSpoke(messages[-1].id, audio_ms))
    playback, heard = s.playback.done(response.id, ask, audio_ms, now)
    if heard:
        over(ask, SayEnd.HEARD, out)
    return replace(s, playback=playback)


def _audio_ms(usage: Usage | None) -> int | None:
    if usage is None or usage.output_token_details is None:
        return None
    tokens = usage.output_token_details.audio_tokens
    return None if tokens is None else tokens * TOKEN_MS


def _problem(response: Response) -> Problem:
    details = response.status_details
    return (details.error if details else None) or Problem()


def _failed(s: Surface, ask: Ask | None, problem: Problem, now: float, out: Out) -> Surface:
    """One more try where that can help, then it is the call's matter."""
    code = problem.code or problem.type or "unknown"
    out.events.append(on.ReplyFailed(code))
    if code not in FINAL and (ask is None or ask.tries == 0):
        pause = RATE_LIMIT_PAUSE_S if code == "rate_limit_exceeded" else PAUSE_S
        return again(s, ask, now + pause)
    fail(ask, code, problem.message or "", out)
    return s


def stuck(s: Surface, ask: Ask | None, now: float, out: Out) -> Surface:
    """No end of it came, or no sign of it at all. To the caller that is silence: ask again."""
    out.events.append(on.ReplyFailed("no_answer"))
    if ask is None or ask.tries == 0:
        return again(s, ask, now)
    fail(ask, "no_answer", "a response was never finished", out)
    return s


def fail(ask: Ask | None, code: str, detail: str, out: Out) -> None:
    """Nothing came of it, and nothing will."""
    over(ask, SayEnd.FAILED, out)
    if ask is None or ask.ours:
        out.events.append(on.ModelFailed(code, detail))


def again(s: Surface, ask: Ask | None, not_before: float) -> Surface:
    """Ask once more, before all else that waits; for the cloud's own response in our name."""
    count = s.asks + 1
    ask = ask or Ask(ref=floor.AGAIN, number=count)
    retry = replace(ask, tries=ask.tries + 1, not_before=not_before)
    return replace(s, slot=s.slot.ask_first(retry), asks=count)


def _empty(s: Surface, ask: Ask | None, now: float, out: Out) -> Surface:
    """Completed, and nothing said: to the caller that is silence. Ask again, once."""
    if ask is None or ask.tries == 0:
        return again(s, ask, now)
    over(ask, SayEnd.FAILED, out)
    return s
