"""Lists of calls, and one call with everything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store import schema
from offhook.store.reading.conditions import NEWEST_FIRST
from offhook.store.reading.cursors import Position, decode, encode
from offhook.store.reading.filters import EVERYTHING, Filter
from offhook.store.reading.live import live
from offhook.store.reading.parts import spoken, tool_calls
from offhook.store.reading.plans import ended
from offhook.store.reading.rows import columns, fetch, of_call
from offhook.store.reading.values import (
    CallRecord,
    CallSummary,
    Consent,
    Delivery,
    Moment,
    Page,
    TransferTry,
    Turn,
    Use,
)

_SUMMARY = columns(CallSummary, schema.calls)


async def page(
    connection: AsyncConnection,
    wanted: Filter = EVERYTHING,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[CallSummary]:
    """A page of the calls that fit, the last to ring first. Raises `CursorError`.

    The cursor is where the last page ended: a call that comes in later is in no further page,
    and every call that was there is in exactly one.
    """
    after = None if cursor is None else decode(cursor, str)
    going_on = await live(connection, wanted, after, limit + 1)
    over = await ended(connection, wanted, after, limit + 1)
    chosen = select(*_SUMMARY).where(schema.calls.c.call_id.in_((*going_on, *over)))
    found = await fetch(connection, CallSummary, chosen.order_by(*NEWEST_FIRST).limit(limit + 1))
    if len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], encode(Position(last.rang_at, last.call_id)))


async def batches(
    connection: AsyncConnection, wanted: Filter = EVERYTHING, *, size: int = 1000
) -> AsyncIterator[tuple[CallSummary, ...]]:
    """All calls that fit, the last to ring first, however many: only `size` are in memory."""
    cursor: str | None = None
    while True:
        found = await page(connection, wanted, cursor=cursor, limit=size)
        yield found.items
        cursor = found.next
        if cursor is None:
            return


async def call(connection: AsyncConnection, call_id: str) -> CallRecord | None:
    """One call with everything that is known of it, `None` if there is no such call."""
    table = schema.calls
    statement = select(*_SUMMARY).where(table.c.call_id == call_id)
    found = await fetch(connection, CallSummary, statement)
    if not found:
        return None
    name = select(table.c.caller_name).where(table.c.call_id == call_id)
    return CallRecord(
        call=found[0],
        caller_name=(await connection.execute(name)).scalar_one(),
        transcript=await spoken(connection, call_id),
        tool_calls=await tool_calls(connection, call_id),
        transfers=await of_call(connection, TransferTry, schema.transfers, call_id, "n"),
        turns=await of_call(connection, Turn, schema.turns, call_id, "n"),
        usage=await of_call(connection, Use, schema.usage, call_id, "at", "ref"),
        moments=await of_call(connection, Moment, schema.moments, call_id, "n"),
        consents=await of_call(connection, Consent, schema.consents, call_id, "n"),
        deliveries=await of_call(connection, Delivery, schema.deliveries, call_id, "at", "id"),
    )


async def numbers(connection: AsyncConnection, call_ids: Iterable[str]) -> dict[str, str]:
    """The callers' numbers as they are stored, for `Vault.unseal`. Reading them is audited."""
    table = schema.calls
    statement = select(table.c.call_id, table.c.caller_number).where(
        table.c.call_id.in_(list(call_ids)), table.c.caller_number.is_not(None)
    )
    rows = await connection.execute(statement)
    return {row[0]: row[1] for row in rows}
