"""A connection kept for what is asked often, and replaced after any error."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import bindparam, func, select, text

from offhook.store.database import Database
from offhook.store.schema import replicas
from support.records import rows


@pytest.fixture(autouse=True)
def _only_postgresql(database_kind: str) -> None:
    if database_kind == "sqlite":
        pytest.skip("SQLite is asked by SQLAlchemy")


ASKED = select(bindparam("first", type_=replicas.c.beats.type), replicas.c.state).where(
    replicas.c.id == "nobody"
)
SLEEP = "SELECT pg_sleep(60)"


async def test_a_statement_is_asked_again_with_other_values(database: Database) -> None:
    one = select(bindparam("n", type_=replicas.c.beats.type))
    assert [row[0] for row in await database.ask(one, n=1)] == [1]
    assert [row[0] for row in await database.ask(one, n=2)] == [2]
    assert await database.ask(ASKED, first=3) == []


async def test_what_was_carried_is_there_for_everybody(database: Database) -> None:
    row = "('a', 'serving', 1, 'v', 'h', 5)"
    columns = "id, state, capacity, version, host, began_at"
    await database.carry(f"INSERT INTO replicas ({columns}) VALUES {row}")  # noqa: S608
    assert [found["id"] for found in await rows(database, replicas)] == ["a"]


async def test_who_gives_up_waiting_leaves_the_next_one_a_new_connection(
    database: Database,
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await database.carry(SLEEP)
    async with asyncio.timeout(5):
        await database.carry("SELECT 1")


async def test_closing_does_not_wait_for_what_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.store.direct.CLOSE_S", 0.05)
    hangs = asyncio.create_task(database.carry(SLEEP))
    watching = select(func.count()).select_from(text("pg_stat_activity"))
    watching = watching.where(text("query LIKE '%pg_sleep(60)%' AND pid != pg_backend_pid()"))
    async with asyncio.timeout(5):
        while not (await database.ask(watching))[0][0]:
            pass
        await database.close()
    hangs.cancel()
    await asyncio.wait({hangs})
