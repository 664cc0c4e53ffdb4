"""One call as one order of things: what happened, was said, was looked up, was transferred."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.core.end import IN_WORDS
from offhook.store.reading.parts import spoken, tool_calls
from offhook.store.reading.rows import of_call
from offhook.store.reading.values import Entry, Moment, Spoken, ToolCall, TransferTry
from offhook.store.schema import calls, moments, transfers


async def timeline(connection: AsyncConnection, call_id: str) -> tuple[Entry, ...]:
    """The timeline of a call, oldest first; empty for an unknown call.

    Words in which a model or a person has ended the call are with its end.
    """
    happened = await of_call(connection, Moment, moments, call_id, "n")
    return merge(
        tuple([await _in_words(connection, call_id, each) for each in happened]),
        await spoken(connection, call_id),
        await tool_calls(connection, call_id),
        await of_call(connection, TransferTry, transfers, call_id, "n"),
    )


async def _in_words(connection: AsyncConnection, call_id: str, moment: Moment) -> Moment:
    if moment.kind != "ended":
        return moment
    said = select(calls.c.detail).where(calls.c.call_id == call_id, calls.c.reason.in_(IN_WORDS))
    words = (await connection.execute(said)).scalar()
    return replace(moment, detail=f"{moment.detail}: {words}") if words else moment


def merge(
    happened: tuple[Moment, ...],
    said: tuple[Spoken, ...],
    asked: tuple[ToolCall, ...],
    tried: tuple[TransferTry, ...],
) -> tuple[Entry, ...]:
    """All in one order of time. At the same time, each kind keeps its own order."""
    entries = [
        *(Entry(at=m.at, kind="moment", moment=m) for m in happened),
        *(Entry(at=u.at, kind="utterance", utterance=u) for u in said),
        *(Entry(at=t.asked_at, kind="tool", tool=t) for t in asked),
        *(Entry(at=t.began_at, kind="transfer", transfer=t) for t in tried),
    ]
    return tuple(sorted(entries, key=lambda entry: entry.at))
