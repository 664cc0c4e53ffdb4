"""The facts of what was measured in a call: turns with their latencies, and usage with its cost.

Pure: what steps have changed goes in, facts come out; `rev` is asked for the number of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.turns import Turn
from offhook.core.usage import NOTHING
from offhook.store.facts import TurnFact, UsageFact
from offhook.store.prices import Tariff

At = Callable[[float], int]
Rev = Callable[[], int]


def turn_facts(before: Call, after: Call, at: At, rev: Rev, first: int = 0) -> Iterator[TurnFact]:
    """The turns of which something new was told. `at` makes Unix ms of a call's time.

    They are numbered from `first`.

    A turn is told once its answer is heard, and again if a tool of it ends later; one that was
    never answered is told when the call ends.
    """
    over = after.phase is Phase.ENDED and before.phase is not Phase.ENDED
    if after.turns is before.turns and after.tools is before.tools and not over:
        return
    ended = _ended(before, after) if after.tools is not before.tools else ()
    if not over and not ended:
        for n, turn in after.turns.since(before.turns):
            if turn.audio_at is not None:
                yield _turn(after, first + n, turn, at, rev)
        return
    for n, (item, turn) in enumerate(after.turns.log.items()):
        if turn.audio_at is None:
            news = over
        else:
            news = before.turns.log.get(item) is not turn or item in ended
        if news:
            yield _turn(after, first + n, turn, at, rev)


def _ended(before: Call, after: Call) -> set[str]:
    """The turns of which a tool has ended."""
    known = before.tools.calls
    ended = (t for r, t in after.tools.calls.items() if known.get(r) is not t and not t.running)
    turns = (after.turns.of(tool.response) for tool in ended)
    return {turn.item for turn in turns if turn is not None}


def _turn(call: Call, n: int, turn: Turn, at: At, rev: Rev) -> TurnFact:
    tools = turn.tool_time(call.tools)
    return TurnFact(
        call_id=call.id,
        rev=rev(),
        item=turn.item,
        n=n,
        stopped_at=at(turn.stopped_at),
        speech_ended_at=_if(turn.speech_ended_at, at),
        response_at=_if(turn.response_at, at),
        audio_at=_if(turn.audio_at, at),
        latency_ms=_if(turn.latency, _ms),
        tool_ms=_if(tools, _ms),
        own_ms=_ms(turn.own),
    )


def usage_fact(
    call_id: str, event: on.Event, at: int, tariff: Tariff, rev: Rev
) -> UsageFact | None:
    """What this event tells that was used, if it does. `at`: now, in Unix ms."""
    match event:
        case on.Used(ref, tokens):
            model, kind, seconds = tariff.model, "response", None
        case on.TranscriptionUsed(ref, tokens, seconds):
            model, kind = tariff.transcriber or "", "transcription"
        case _:
            return None
    return UsageFact(
        call_id=call_id,
        rev=rev(),
        ref=ref,
        at=at,
        model=model,
        kind=kind,
        seconds=seconds,
        known=tokens is not None or seconds is not None,
        **structs.asdict(tokens or NOTHING),
    )


def _if(value: float | None, make: Callable[[float], int]) -> int | None:
    return None if value is None else make(value)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
