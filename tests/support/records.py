"""Reading back what was written down of calls, row by row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, select

from offhook.store import schema
from offhook.store.database import Database

Row = dict[str, Any]


async def rows(database: Database, table: Table, **where: object) -> list[Row]:
    """The rows of a table in the order of its key."""
    wanted = select(table).order_by(*table.primary_key)
    for name, value in where.items():
        wanted = wanted.where(table.c[name] == value)
    async with database.read() as connection:
        return [dict(row._mapping) for row in await connection.execute(wanted)]


async def the_call(database: Database, call_id: str) -> Row:
    """The one row of a call."""
    (row,) = await rows(database, schema.calls, call_id=call_id)
    return row


async def script_of(database: Database, call_id: str) -> list[tuple[str, str | None]]:
    """Who said what, in spoken order."""
    said = await rows(database, schema.utterances, call_id=call_id)
    return [(row["who"], row["text"]) for row in sorted(said, key=lambda row: row["place"])]


async def timeline_of(database: Database, call_id: str) -> list[str]:
    """The kinds of the moments of a call."""
    return [row["kind"] for row in await rows(database, schema.moments, call_id=call_id)]


async def everything(database: Database) -> dict[str, list[Row]]:
    """All tables of calls."""
    return {name: await rows(database, table) for name, table in schema.metadata.tables.items()}
