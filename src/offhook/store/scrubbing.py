"""After a deletion: leave nothing of rows that are gone in the files of SQLite.

Free pages are overwritten as they become free (`secure_delete`). What else still holds old rows is
the index of words, until its parts are merged, and the write-ahead log, until it is emptied.
"""

from __future__ import annotations

from typing import Any

from offhook.store.database import BUSY_S, Database

_WORDS = "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%USING fts5%'"
_PAGES = 200  # merged in one go
_EMPTYING_MS = 200  # how long writers may have to wait for it


async def scrub(database: Database) -> None:
    """Do so. A reader under way may keep the log from being emptied; the next run does it then.

    PostgreSQL takes old rows out of its files itself, by autovacuum.
    """
    if database.dialect == "postgresql":
        return
    async with database.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for (name,) in await driver.execute_fetchall(_WORDS):
            await _merge(driver, name)
        await driver.execute(f"PRAGMA busy_timeout={_EMPTYING_MS}")
        await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await driver.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")


async def _merge(driver: Any, table: str) -> None:
    """Merge an index until words of rows that are gone are in none of its parts.

    In small steps, so that writers need not wait: https://sqlite.org/fts5.html#the_merge_command
    """
    pages = -_PAGES  # negative: begin to make one part of all
    while True:
        before = driver.total_changes
        await driver.execute(
            f'INSERT INTO "{table}"("{table}", rank) VALUES(?, ?)', ("merge", pages)
        )
        if driver.total_changes - before < 2:
            return
        pages = _PAGES
