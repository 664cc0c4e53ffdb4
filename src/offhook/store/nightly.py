"""Retention once a day, at a quiet hour, by whichever replica comes first."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.observe.logs import get_logger
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.retention import Terms, old_journals, remove, retain
from offhook.store.schema import audit

ACTOR = "offhook"
BEGAN = "retention.began"
LOOK_S = 900.0  # how often each replica looks whether it is time

_CLAIMING = 0x0FF400F  # the advisory lock of the replica that looks whether it is its turn
_QUIET = range(2, 5)  # o'clock, local time
_HOUR_MS = 3_600_000


def due(now: int, hour: int, last: int | None) -> bool:
    """Whether it is time, at `now` (Unix ms) and `hour` o'clock, if it last began at `last`.

    At a quiet hour once a day; at any hour if none of the last 36 had a process that could.
    """
    age = now - (last or 0)
    return age >= 36 * _HOUR_MS or (age >= 20 * _HOUR_MS and hour in _QUIET)


async def nightly(
    database: Database | None, terms: Terms, folder: Path, *, look_s: float = LOOK_S
) -> None:
    """Keep to the terms until cancelled; what goes wrong is logged and tried again next time.

    `folder` holds the journals. Without a database they alone are seen to.
    """
    while True:
        await asyncio.sleep(look_s)
        await look(database, terms, folder)


async def look(database: Database | None, terms: Terms, folder: Path) -> None:
    """Have old records go if it is time, and this replica comes first."""
    log, now = get_logger("server"), int(time.time() * 1000)
    try:
        if database is None:
            await asyncio.to_thread(_journals_alone, terms, folder, now)
        elif await claimed(database, now, datetime.now().hour):  # noqa: DTZ005  # local, on purpose
            gone = await retain(database, terms, folder, now=now, actor=ACTOR)
            log.info("old records have gone", **msgspec.structs.asdict(gone))
    except (DBAPIError, OSError) as error:
        log.warning("old records could not be let go", detail=type(error).__name__)


def _journals_alone(terms: Terms, folder: Path, now: int) -> None:
    remove([journal.path for journal in old_journals(folder, terms.ends(now).journals)])


async def claimed(database: Database, now: int, hour: int) -> bool:
    """Whether it is time, and nobody else has begun; then it is noted that we have."""
    async with database.read() as connection:
        if not due(now, hour, await _last(connection)):
            return False
    async with database.write() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_CLAIMING})"))
        if not due(now, hour, await _last(connection)):
            return False
        await Audit(database).append(connection, ACTOR, BEGAN)
    return True


async def _last(connection: AsyncConnection) -> int | None:
    newest = select(func.max(audit.c.at)).where(audit.c.action == BEGAN)
    last: int | None = (await connection.execute(newest)).scalar()
    return last
