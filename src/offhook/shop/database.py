"""The shop's SQLite file: created and filled by whoever needs it first."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec import Struct

from offhook.shop.seed import add_keys, fill

_VERSION = 2
_BUSY = 10.0  # seconds to wait for another writer


class Database(Struct, frozen=True):
    """Where the data is, and what day the first rows are dated from.

    Each use opens a connection of its own, so any thread and any process may.
    """

    path: Path
    now: Callable[[], dt.datetime]

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read from. Rows can be read by column name."""
        with closing(self._open()) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection within a transaction, which an exception takes back."""
        with closing(self._open()) as connection, _transaction(connection):
            yield connection

    def _open(self) -> sqlite3.Connection:
        # Autocommit: the transactions are begun by us, and at once as writers, since one that
        # starts by reading fails when another has written meanwhile.
        connection = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            if _version(connection) != _VERSION:
                self._create(connection)
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self, connection: sqlite3.Connection) -> None:
        with _transaction(connection):
            match _version(connection):
                case 0:
                    fill(connection, self.now().date())
                case 1:
                    add_keys(connection)
                case 2:  # another one was faster
                    return
                case other:
                    raise sqlite3.DatabaseError(f"{self.path} is of another version: {other}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
