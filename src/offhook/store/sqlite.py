"""SQLite without SQLAlchemy between: one thread and one connection, for what is written often.

All of a transaction takes one way to the thread and back, rather than one for each statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

Work = Callable[[sqlite3.Connection], object]


class Pen:
    """Writes by a connection that `connect` opens when it is needed, and anew after an error."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def write(self, work: Work) -> None:
        """Do this in one transaction, after what is under way. Raises `sqlite3.Error`.

        Whoever gives up waiting does not know whether it is done, as with any database.
        """
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "offhook-sqlite")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, work)

    def _write(self, work: Work) -> None:
        connection = self._connection or self._connect()
        self._connection = None
        try:
            connection.execute("BEGIN IMMEDIATE")
            work(connection)
            connection.execute("COMMIT")
        except BaseException:
            connection.close()  # which takes back what was not committed
            raise
        self._connection = connection

    async def close(self) -> None:
        """Let go of the file, after what is under way."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
