"""Passes: what opens the door for a while. A link for one use, a sign-in under way, a session.

They are in the database and not in the memory of one process, so that a browser may come to any
replica, and `offhook token link` can make a link for a server that runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from msgspec import Struct, convert
from sqlalchemy import Row, delete, select
from sqlalchemy.sql.elements import ColumnElement

from offhook.store.database import Database
from offhook.store.schema import passes
from offhook.store.secrets import digest, make, same
from offhook.store.tokens import Role


class Kind(StrEnum):
    """What a pass is for."""

    LINK = "link"  # shown where the server was started; opens a session, once
    LOGIN = "login"  # somebody is away at the provider, and will come back once
    SESSION = "session"  # a browser that is signed in


class Pass(Struct, frozen=True):
    """One pass. `detail` is what its kind needs to know; times are Unix milliseconds."""

    kind: Kind
    who: str
    role: Role | None
    detail: str | None
    made_at: int
    expires_at: int


_SHOWN = tuple(passes.c[name] for name in Pass.__struct_fields__)


class Passes:
    """All passes. Raises what SQLAlchemy raises while the database is away."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def issue(
        self,
        kind: Kind,
        *,
        who: str,
        lasts_s: float,
        role: Role | None = None,
        detail: str | None = None,
    ) -> str:
        """A new pass; returns its secret. Those that have expired are swept out."""
        secret, now = make(), self._ms()
        row = {
            "hash": digest(secret),
            "kind": kind.value,
            "who": who[:128],
            "role": role.value if role else None,
            "detail": detail,
            "made_at": now,
            "expires_at": now + round(lasts_s * 1000),
        }
        async with self._database.write() as connection:
            await connection.execute(delete(passes).where(passes.c.expires_at <= now))
            await connection.execute(passes.insert(), [row])
        return secret

    async def find(self, kind: Kind, secret: str) -> Pass | None:
        """The pass with this secret, if it is valid now."""
        query = select(*_SHOWN, passes.c.hash).where(*self._valid(kind, secret))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _made(row, secret)

    async def redeem(self, kind: Kind, secret: str) -> Pass | None:
        """The same, and it is used up: of two who come with it at once, one gets it."""
        query = delete(passes).where(*self._valid(kind, secret)).returning(*_SHOWN, passes.c.hash)
        async with self._database.write() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _made(row, secret)

    def _valid(self, kind: Kind, secret: str) -> tuple[ColumnElement[bool], ...]:
        return (
            passes.c.hash == digest(secret),
            passes.c.kind == kind.value,
            passes.c.expires_at > self._ms(),
        )

    def _ms(self) -> int:
        return round(self._now() * 1000)


def _made(row: Row[*tuple[Any, ...]] | None, secret: str) -> Pass | None:
    if row is None or not same(row.hash, digest(secret)):
        return None
    return convert(row, Pass, from_attributes=True)
