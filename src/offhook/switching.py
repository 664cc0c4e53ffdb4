"""`offhook outage`: send all calls to people, on all replicas, until told otherwise."""

from __future__ import annotations

import getpass
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from offhook.config import load
from offhook.errors import UserError
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.switches import Switch, read_switch, write_switch

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"(?:\d+[smhd])+")
NO_DATABASE = (
    "There is no database to keep the switch in: OFFHOOK_DATABASE_URL is off. A server without "
    "one enters outage mode only by itself; to stop it taking calls, stop the server."
)


def seconds(text: str) -> int:
    """How long `30m`, `2h` or `1h30m` is. Raises `UserError`."""
    dense = text.replace(" ", "").lower()
    if not _LENGTH.fullmatch(dense):
        raise UserError(f"--for {text!r} is no length of time; write one such as 30m or 1h30m")
    return sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhd])", dense))


async def switch(env_file: Path, *, on: bool, lasting: str | None = None, reason: str = "") -> str:
    """Put the switch, and say how it stands. Raises `UserError`."""
    now = round(time.time() * 1000)
    until = None if lasting is None else now + seconds(lasting) * 1000
    put = Switch(on=on, since=now, until=until, by=_who(), reason=reason)
    database = _database(env_file)
    try:
        await database.open()
        await write_switch(database, put)
        action = "outage.on" if on else "outage.off"
        await Audit(database).note(put.by, action, reason=reason or None)
    except (SQLAlchemyError, OSError) as error:
        raise UserError(_away(error)) from None
    finally:
        await database.close()
    return describe(put, now)


async def status(env_file: Path) -> str:
    """How the switch stands. Raises `UserError`."""
    database = _database(env_file)
    try:
        await database.open()
        return describe(await read_switch(database), round(time.time() * 1000))
    except (SQLAlchemyError, OSError) as error:
        raise UserError(_away(error)) from None
    finally:
        await database.close()


def describe(put: Switch, now: int) -> str:
    """The switch in words."""
    who = f" by {put.by}" if put.by else ""
    why = f": {put.reason}" if put.reason else ""
    if put.holds(now):
        end = "" if put.until is None else f", until {_at(put.until)}"
        return f"Outage mode is on since {_at(put.since)}{who}{end}{why}"
    if put.on and put.until is not None:
        return f"Outage mode is off since {_at(put.until)}, when its time was over."
    return (
        f"Outage mode is off since {_at(put.since)}{who}." if put.since else "Outage mode is off."
    )


def _at(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return "command line"


def _database(env_file: Path) -> Database:
    url = load(env_file, serving=False).records.database_url
    if url is None:
        raise UserError(NO_DATABASE)
    return Database(url.get_secret_value())


def _away(error: Exception) -> str:
    return f"The database cannot be used: {type(error).__name__}. Look at OFFHOOK_DATABASE_URL."
