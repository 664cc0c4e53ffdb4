"""Reading back what was written down of calls, row by row."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Table, select

from offhook.store import schema
from offhook.store.database import Database
from offhook.store.facts import CallFact
from support.postgres import Cluster

Row = dict[str, Any]

CALL = "rtc_1"


def call_fact(rev: int = 1, **more: object) -> CallFact:
    """A call that has rung."""
    fields = {"rang_at": 1, "phase": "live", "provider": "openai", "model": "m", "bot": "b"}
    return CallFact(**{"call_id": CALL, "rev": rev, "language": "en", **fields, **more})  # type: ignore[arg-type]


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


class Blocked:
    """A connection that holds SQLite's lock, as another process might; to be used in a `with`."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("sqlite:///")

    def __enter__(self) -> None:
        self._connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


class Absence:
    """A database that can be taken away, and be brought back."""

    def __init__(self, url: str, cluster: Cluster | None) -> None:
        self._cluster = cluster
        self._blocked = None if cluster else Blocked(url)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Away for as long as the block lasts: stopped, or locked by somebody else."""
        if self._blocked is not None:
            # In a thread: whoever has the lock just now may need this loop to give it up.
            await asyncio.to_thread(self._blocked.__enter__)
            try:
                yield
            finally:
                self._blocked.__exit__()
            return
        assert self._cluster is not None
        self._cluster.stop("fast")
        try:
            yield
        finally:
            self._cluster.start()


def watched_syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes of files as they are brought safely to disk from now on."""
    synced: list[int] = []
    fsync = os.fsync

    def sync(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        fsync(fd)

    monkeypatch.setattr(os, "fsync", sync)
    return synced
