"""The database: opened, brought to the newest tables, and ready to be read and written.

SQLite and PostgreSQL are told apart here and in few other places: `Database.dialect`.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal

from sqlalchemy import URL, Connection, Executable, Table, event, inspect, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from offhook.store.direct import Direct
from offhook.store.sqlite import Pen, Work

MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = "0003"  # of the migrations
MIGRATING = 0x0FF400C  # the advisory lock of the one replica that migrates
BUSY_S = 10.0  # SQLite has one writer; another process waits this long for its turn

for _name in ("aiosqlite", "alembic", "sqlalchemy"):  # at debug they would tell what is written
    logging.getLogger(_name).setLevel(logging.WARNING)

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


class Database:
    """One database and its pool of connections.

    `read()` and `write()` give a connection with a transaction that ends with the block: committed
    if it ends well, else taken back. Raises what SQLAlchemy raises, `DBAPIError` above all.
    """

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = driven(url)
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        self.engine = _engine(self.url, pool)
        # SQLite lets one write, and the others try again after pauses that grow: without turns
        # within this process, who writes seldom (a heartbeat) would wait for who always does.
        self._turn = asyncio.Lock()
        self._pen = Pen(lambda: _sqlite(self.url))
        # Two, so that who asks whether we are alive waits for no large batch.
        self._carrier, self._asker = Direct(self.engine), Direct(self.engine)

    async def open(self) -> None:
        """Bring the tables up to date. Several replicas may do so at once."""
        async with self.write() as connection:
            if self.dialect == "postgresql":
                await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATING})"))
            if not await connection.run_sync(_is_newest):
                # It takes a fifth of a second, in which calls may be live, and seldom any need.
                await asyncio.to_thread(import_module, "alembic.command")
                await connection.run_sync(migrate)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read with: one snapshot on SQLite, as committed on PostgreSQL."""
        async with self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection to write with. On SQLite it is the only one, from the beginning."""
        async with (
            self._turn if self.dialect == "sqlite" else nullcontext(),
            self.engine.connect() as connection,
        ):
            await connection.execution_options(writes=True)
            async with connection.begin():
                yield connection

    async def carry(self, statement: str, *values: object) -> None:
        """Have PostgreSQL write, in one statement and in one way there and back; PostgreSQL only.

        Raises what the driver raises, or SQLAlchemy when it connects.
        """
        await self._carrier.execute(statement, *values)

    async def ask(
        self, statement: Executable, *, writes: bool = False, **values: object
    ) -> list[Any]:
        """The rows of one statement that is asked often; it is its own transaction.

        The same object each time, its parameters by name. Raises what `carry` raises, too.
        """
        if self.dialect == "postgresql":
            return await self._asker.fetch(statement, **values)
        async with self.write() if writes else self.read() as connection:
            return list(await connection.execute(statement, values))

    async def scribble(self, work: Work) -> None:
        """Have SQLite's own connection write, in one transaction; SQLite only."""
        async with self._turn:
            await self._pen.write(work)

    async def close(self) -> None:
        """Close all connections."""
        await self._pen.close()
        await asyncio.gather(self._carrier.close(), self._asker.close())
        await self.engine.dispose()

    def insert(self, table: Table) -> Any:
        """An INSERT that knows `on_conflict_do_update`, spelled alike in both dialects."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)


def driven(url: str) -> URL:
    """The address with the driver that we use, whatever scheme it was written with."""
    parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    return parsed.set(drivername=_DRIVERS[parsed.get_backend_name()])


def _engine(url: URL, pool: int) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        # A ping before each use costs a third of a small batch; a look at the socket, nothing.
        # All are kept: what is opened for each rush costs logins, and memory in pieces.
        engine = create_async_engine(url, pool_size=pool, max_overflow=0, hide_parameters=True)
        event.listen(engine.sync_engine, "checkout", _on_checkout)
        return engine
    engine = create_async_engine(url, connect_args={"timeout": BUSY_S}, hide_parameters=True)
    event.listen(engine.sync_engine, "do_connect", lambda *_: _make_private(_file(url)))
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


def _on_checkout(connection: Any, *_: object) -> None:
    """A server that has ended or gone has closed its connections: take others."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _make_private(file: Path) -> None:
    """Only its owner reads what callers said; SQLite makes the files beside it alike."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with suppress(OSError):  # whoever connects is told why
            file.touch(mode=0o600)


def _sqlite(url: URL) -> sqlite3.Connection:
    """A connection without SQLAlchemy, otherwise alike."""
    _make_private(_file(url))
    connection = sqlite3.connect(_file(url), timeout=BUSY_S, check_same_thread=False)
    _on_connect(connection, None)
    return connection


def _file(url: URL) -> Path:
    return Path(url.database or "")


def _on_connect(connection: Any, _: object) -> None:
    """WAL lets readers and the writer work side by side; NORMAL survives a killed process.

    What is deleted is overwritten, so that no free page still holds it.
    """
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    cursor = connection.cursor()
    _use_wal(cursor)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    """The one statement for which SQLite does not wait: two that start at once may both want it."""
    until = monotonic() + 2 * BUSY_S  # once more, where it has waited by itself
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if monotonic() > until:
                raise
            sleep(0.005)  # the other needs no more than that, once
        else:
            return


def _on_begin(connection: Connection) -> None:
    """A writer asks for its turn at once: one that asks later fails if another was faster."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_newest(connection: Connection) -> bool:
    """Whether the tables of this connection's database are up to date."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version"))
    return found.scalars().all() == [NEWEST]


def migrate(connection: Connection) -> None:
    """Bring the tables of this connection's database up to date."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
