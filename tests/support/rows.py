"""Rows of calls for tests of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from offhook.store.database import Database
from offhook.store.schema import (
    calls,
    checkpoints,
    consents,
    deliveries,
    leases,
    moments,
    outbox,
    tool_calls,
    transfers,
    turns,
    usage,
    utterances,
)

DAY = 86_400_000
NOW = 1_790_000_000_000  # Unix ms


async def add(database: Database, table: Table, **values: Any) -> None:
    """Add one row."""
    async with database.write() as connection:
        await connection.execute(table.insert(), [values])


async def add_call(
    database: Database, call_id: str, at: int = NOW, *, text: str = "Hello.", **values: Any
) -> None:
    """Add a call that is over, with one row or more in every table; `text` is all that was said."""
    row = {"rang_at": at, "phase": "ended", "provider": "openai", "model": "gpt-realtime"}
    row |= {"bot": "shop", "language": "en", "ended_at": at + 60_000, "reason": "caller_hung_up"}
    rows: list[tuple[Table, dict[str, Any]]] = [
        (calls, row | values),
        (utterances, {"item": "item_1", "place": 0, "who": "caller", "at": at, "text": text}),
        (utterances, {"item": "item_2", "place": 1, "who": "bot", "at": at, "text": text}),
        (
            tool_calls,
            {"ref": "fc_1", "name": "lookup", "asked_at": at, "outcome": "answered"}
            | {"arguments": text, "output": text},
        ),
        (transfers, {"n": 1, "target": "desk", "began_at": at, "reason": text, "detail": text}),
        (leases, {"owner": "replica_1", "fence": 1, "rang_at": at, "ended_at": at + 60_000}),
        (checkpoints, {"at": at}),
        (turns, {"item": "item_1", "n": 1, "stopped_at": at}),
        (usage, {"ref": "resp_1", "at": at, "model": "gpt-realtime", "kind": "response"}),
        (moments, {"n": 1, "at": at, "kind": "rang", "detail": text}),
        (
            consents,
            {"n": 1, "at": at, "policy": "notice", "language": "en", "version": "1"}
            | {"text": "This call is handled by an AI.", "answer": "noticed"},
        ),
    ]
    async with database.write() as connection:
        for table, each in rows:
            await connection.execute(table.insert(), [{"call_id": call_id} | each])
        await connection.execute(
            deliveries.insert(),
            [{"call_id": call_id, "at": at, "result": "taken", "status": 200, "took_us": 900}],
        )
        body = {"id": f"msg_{call_id}", "kind": "call.ended", "url": "https://example.com"}
        await connection.execute(
            outbox.insert(),
            [body | {"call_id": call_id, "body": text, "made_at": at, "state": "sent"}],
        )


async def count(database: Database, table: Table, **where: Any) -> int:
    """How many rows a table has, all or those with these values."""
    query = select(func.count()).select_from(table)
    for name, value in where.items():
        query = query.where(table.c[name] == value)
    async with database.read() as connection:
        return (await connection.execute(query)).scalar_one()


async def column(database: Database, table: Table, name: str, **where: Any) -> list[Any]:
    """One column of the rows with these values."""
    query = select(table.c[name])
    for other, value in where.items():
        query = query.where(table.c[other] == value)
    async with database.read() as connection:
        return list((await connection.execute(query)).scalars())


def files_with(word: str, folder: Path) -> list[str]:
    """The names of all files in the folder, or below, in which the word can be read."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.name for path in files if word.encode() in path.read_bytes()]
