"""Tables come to be by migrations alone, at every start, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import IntegrityError

from offhook.store import facts
from offhook.store.database import MIGRATIONS, NEWEST, Database, driven
from offhook.store.schema import metadata, outbox, tokens
from support.postgres import Cluster


async def test_the_migrations_lead_to_the_tables_as_they_are_declared(database: Database) -> None:
    def declared(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or not str(name).startswith("search")  # of triggers, not of us

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "include_name": declared}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_again_changes_nothing(database: Database) -> None:
    await database.open()


def test_the_newest_migration_is_the_one_that_is_named() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert scripts.get_current_head() == NEWEST


LOOKS = """
import asyncio, sys
import offhook.serving
from offhook.store.database import Database

async def opened(url):
    database = Database(url)
    await database.open()
    await database.close()

asyncio.run(opened(sys.argv[1]))
print("alembic" in sys.modules)
"""


def test_what_migrates_is_imported_only_where_there_is_something_to_migrate(
    sqlite_pattern: Path, tmp_path: Path
) -> None:
    def imported(path: Path) -> str:
        order = [sys.executable, "-c", LOOKS, f"sqlite:///{path}"]
        return subprocess.run(order, check=True, capture_output=True, text=True).stdout.strip()

    old = tmp_path / "old.sqlite3"
    assert [imported(path) for path in (old, old, sqlite_pattern)] == ["True", "False", "False"]


async def test_a_database_of_an_older_version_is_brought_up_to_date(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(_to_the_second)
    await database.open()
    async with database.read() as connection:
        found = await connection.execute(text("SELECT version_num FROM alembic_version"))
        assert found.scalars().all() == [NEWEST]
    await database.close()


def _to_the_second(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "0002")


async def test_two_replicas_may_start_at_once(empty_database_url: str) -> None:
    two = [Database(empty_database_url), Database(empty_database_url)]
    await asyncio.gather(*(each.open() for each in two))
    for each in two:
        await each.close()


async def test_a_file_that_another_process_holds_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file is not in WAL mode yet, and SQLite does not wait for that by itself."""
    file, waits = tmp_path / "new.sqlite3", list[float]()
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE theirs (x)")

    def let_go(seconds: float) -> None:
        waits.append(seconds)
        other.rollback()

    monkeypatch.setattr("offhook.store.database.BUSY_S", 0.1)  # SQLite's own patience
    monkeypatch.setattr("offhook.store.database.sleep", let_go)
    database = Database(f"sqlite:///{file}")
    await database.open()
    await database.close()
    other.close()
    assert waits


async def test_what_ends_in_an_error_is_not_written(database: Database) -> None:
    row = {"id": "1", "kind": "k", "url": "u", "body": "b", "made_at": 1, "state": "waiting"}

    async def write_twice() -> None:
        async with database.write() as connection:
            await connection.execute(outbox.insert(), [row])
            await connection.execute(outbox.insert(), [row])

    with pytest.raises(IntegrityError):
        await write_twice()
    async with database.read() as connection:
        assert (await connection.execute(select(outbox))).all() == []


async def test_writers_wait_for_each_other(database: Database) -> None:
    async def write(n: int) -> None:
        async with database.write() as connection:
            await connection.execute(select(tokens))
            await asyncio.sleep(0)
            row = {"id": f"{n}", "name": "n", "role": "r", "hash": f"{n}", "made_at": 1}
            await connection.execute(tokens.insert(), [row | {"made_by": "test"}])

    await asyncio.gather(*(write(n) for n in range(10)))
    async with database.read() as connection:
        assert len((await connection.execute(select(tokens))).all()) == 10


@pytest.mark.parametrize("fact", facts.AnyFact.__args__, ids=lambda f: f.__name__)
def test_every_field_of_a_fact_is_a_column_of_its_table(fact: type[facts.Fact]) -> None:
    table = metadata.tables[str(fact.__struct_config__.tag)]
    assert set(fact.__struct_fields__) <= set(table.c.keys())


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_either_name_of_postgresql_leads_to_its_driver(scheme: str) -> None:
    assert driven(f"{scheme}://a@b/c").drivername == "postgresql+asyncpg"


def modes(folder: Path) -> dict[str, int]:
    """Who may do what with each file."""
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_only_the_owner_reads_a_new_file(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/calls.sqlite3")
    await database.open()
    found = modes(tmp_path)
    await database.close()
    assert "calls.sqlite3" in found
    assert set(found.values()) == {0o600}


async def test_a_rush_opens_connections_that_are_kept(postgres: Cluster) -> None:
    """To open one costs more than ten questions."""
    database, opened = Database(postgres.create(), pool=4), []
    event.listen(database.engine.sync_engine, "connect", lambda *_: opened.append(1))

    async def ask() -> None:
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))

    for _ in range(5):
        await asyncio.gather(*(ask() for _ in range(8)))
    await database.close()
    assert len(opened) == 4
