"""The webhooks that came in, newest first."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.cursors import Position, decode, encode
from offhook.store.reading.rows import columns, fetch
from offhook.store.reading.values import Delivery, Page
from offhook.store.schema import deliveries as _deliveries


async def deliveries(
    connection: AsyncConnection,
    *,
    since: int | None = None,
    until: int | None = None,
    call_id: str | None = None,
    result: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Delivery]:
    """A page of deliveries. Times are Unix milliseconds. Raises `CursorError`."""
    table = _deliveries.c
    wanted = {table.call_id: call_id, table.result: result}
    statement = select(*columns(Delivery, _deliveries)).where(
        *(column == value for column, value in wanted.items() if value is not None)
    )
    if since is not None:
        statement = statement.where(table.at >= since)
    if until is not None:
        statement = statement.where(table.at < until)
    if cursor is not None:
        after = decode(cursor, int)
        statement = statement.where(tuple_(table.at, table.id) < tuple_(after.at, after.key))
    statement = statement.order_by(table.at.desc(), table.id.desc()).limit(limit + 1)
    found = await fetch(connection, Delivery, statement)
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return Page(found[:limit], encode(Position(last.at, last.id)) if last else None)
