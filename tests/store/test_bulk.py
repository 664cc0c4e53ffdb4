"""Many rows of many tables at once: all of them or none, by drivers that recover."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from offhook.store import schema
from offhook.store.database import Database
from offhook.store.facts import AnyFact, MomentFact, UtteranceFact
from offhook.store.sqlite import Pen
from offhook.store.upserts import Upserts, is_of_the_value
from support.records import CALL, call_fact, everything, rows, the_call


async def test_rows_are_the_same_however_often_they_are_written(
    database: Database, one_of_each: Sequence[AnyFact]
) -> None:
    await Upserts(database).write(one_of_each)
    once = await everything(database)
    await Upserts(database).write(one_of_each)
    assert await everything(database) == once


async def test_any_number_of_rows_is_written(database: Database) -> None:
    for count in (1, 3, 31, 100):
        facts = [MomentFact(call_id=CALL, rev=count, n=n, at=n, kind="k") for n in range(count)]
        await Upserts(database).write(facts)
        found = await rows(database, schema.moments, rev=count)
        assert [row["at"] for row in found] == list(range(count))


async def test_what_a_fact_leaves_out_becomes_its_default(database: Database) -> None:
    await Upserts(database).write([call_fact(2, greeted=True, tools=3, target="desk")])
    await Upserts(database).write([call_fact(3)])
    row = await the_call(database, CALL)
    assert (row["rev"], row["greeted"], row["tools"], row["target"]) == (3, False, 0, None)


async def test_of_a_batch_all_is_written_or_nothing(database: Database) -> None:
    impossible = MomentFact(call_id=CALL, rev=2, n=1, at=1 << 70, kind="rang")
    with pytest.raises(Exception) as raised:  # noqa: PT011  # each driver has its own
        await Upserts(database).write([call_fact(), impossible])
    assert is_of_the_value(raised.value)
    assert await rows(database, schema.calls) == []
    await Upserts(database).write([call_fact()])
    assert (await the_call(database, CALL))["rev"] == 1


async def test_keys_that_are_one_when_cut_to_fit_are_a_matter_of_the_value(
    database: Database, database_kind: str
) -> None:
    long = "i" * 128
    said = [
        UtteranceFact(call_id=CALL, rev=n, item=long + str(n), place=n, who="bot", at=n, text="x")
        for n in (1, 2)
    ]
    if database_kind == "postgresql":
        with pytest.raises(Exception) as raised:  # noqa: PT011
            await Upserts(database).write(said)
        assert is_of_the_value(raised.value)
    for fact in said:
        await Upserts(database).write([fact])
    (row,) = await rows(database, schema.utterances)
    assert (row["item"], row["rev"]) == (long, 2)


async def test_a_connection_that_is_lost_is_replaced(
    database: Database, database_kind: str
) -> None:
    if database_kind == "sqlite":
        pytest.skip("a file loses no connections")
    await Upserts(database).write([call_fact()])
    with pytest.raises(Exception, match="terminating connection"):
        await database.carry("SELECT pg_terminate_backend(pg_backend_pid())")
    await Upserts(database).write([call_fact(2)])
    assert (await the_call(database, CALL))["rev"] == 2


# SQLite's one writer


def test_a_transaction_that_failed_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    file = tmp_path / "x.sqlite3"

    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (1)")
        raise ValueError

    async def run() -> None:
        pen = Pen(lambda: sqlite3.connect(file, isolation_level=None, check_same_thread=False))
        await pen.write(lambda c: c.execute("CREATE TABLE t (n)"))
        with pytest.raises(ValueError):  # noqa: PT011
            await pen.write(fail)
        await pen.write(lambda c: c.execute("INSERT INTO t VALUES (2)"))
        await pen.close()
        await pen.write(lambda c: c.execute("INSERT INTO t VALUES (3)"))
        await pen.close()

    asyncio.run(run())
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT n FROM t").fetchall() == [(2,), (3,)]
    connection.close()


async def test_who_writes_seldom_has_a_turn_while_others_always_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a process nobody is turned away because the database is locked."""
    monkeypatch.setattr("offhook.store.database.BUSY_S", 0.0)
    upserts, done = Upserts(database), asyncio.Event()

    async def always() -> int:
        batches = 0
        while not done.is_set():
            batch = [call_fact(call_id=f"rtc_{n}") for n in range(50)]
            await upserts.write(batch)
            batches += 1
        return batches

    writing = asyncio.create_task(always())
    for _ in range(20):
        async with database.write() as connection:
            await connection.execute(schema.switches.delete())
    done.set()
    assert await writing
