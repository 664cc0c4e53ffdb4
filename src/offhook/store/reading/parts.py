"""The parts of one call's record: what was said, and which tools were called."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.core.transcript import Utterance, Who
from offhook.store.reading.rows import columns, fetch, of_call
from offhook.store.reading.values import Spoken, ToolCall, Transcript
from offhook.store.schema import calls, utterances
from offhook.store.schema import tool_calls as _tool_calls


async def transcript(connection: AsyncConnection, call_id: str) -> Transcript | None:
    """What was said in a call, `None` if there is no such call."""
    began = func.coalesce(calls.c.accepted_at, calls.c.rang_at)
    statement = select(began, calls.c.language).where(calls.c.call_id == call_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        return None
    said = await spoken(connection, call_id)
    return Transcript(call_id=call_id, began_at=row[0], language=row[1], utterances=said)


async def spoken(connection: AsyncConnection, call_id: str) -> tuple[Spoken, ...]:
    """The utterances of a call in spoken order, empty for an unknown call."""
    rows = await of_call(connection, Spoken, utterances, call_id, "place", "at", "item")
    return tuple(_heard(each) for each in rows)


def _heard(said: Spoken) -> Spoken:
    """Split the text where the caller cut in, by the rule that the call itself has."""
    if said.text is None:
        return said
    core = Utterance(said.item, Who(said.who), 0, said.text, said.spoken_ms, said.heard_ms)
    return msgspec.structs.replace(said, heard=core.heard, unheard=core.unheard)


async def tool_calls(connection: AsyncConnection, call_id: str) -> tuple[ToolCall, ...]:
    """The function calls of a call in the order in which they were asked for."""
    took = (_tool_calls.c.ended_at - _tool_calls.c.asked_at).label("took_ms")
    statement = (
        select(*columns(ToolCall, _tool_calls), took)
        .where(_tool_calls.c.call_id == call_id)
        .order_by(_tool_calls.c.asked_at, _tool_calls.c.ref)
    )
    return await fetch(connection, ToolCall, statement)
