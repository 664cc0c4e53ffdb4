"""One call as one order of things: what happened, was said, was looked up, was transferred."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.parts import spoken, tool_calls
from offhook.store.reading.rows import of_call
from offhook.store.reading.values import Entry, Moment, Spoken, ToolCall, TransferTry
from offhook.store.schema import moments, transfers


async def timeline(connection: AsyncConnection, call_id: str) -> tuple[Entry, ...]:
    """The timeline of a call, oldest first; empty for an unknown call."""
    return merge(
        await of_call(connection, Moment, moments, call_id, "n"),
        await spoken(connection, call_id),
        await tool_calls(connection, call_id),
        await of_call(connection, TransferTry, transfers, call_id, "n"),
    )


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
