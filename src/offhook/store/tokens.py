"""API tokens: shown once, stored as a hash, each with a role, an end, and when it was last used."""

from __future__ import annotations

import secrets as dice
import time
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from msgspec import Struct, convert
from sqlalchemy import or_, select, update

from offhook.store.database import Database
from offhook.store.schema import tokens
from offhook.store.secrets import digest, make, same

PREFIX: Final = "offhook_"  # by which secret scanners know one that has leaked
NOTED_EVERY_MS: Final = 60_000


class Role(StrEnum):
    """What somebody may do; each may do all that those before it may."""

    VIEWER = "viewer"  # calls, figures and live calls, without what was said
    SUPERVISOR = "supervisor"  # transcripts, and commands to live calls
    ADMIN = "admin"  # full numbers, tokens, the audit log, webhooks

    def may(self, needed: Role) -> bool:
        """Whether this role is enough."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Token(Struct, frozen=True):
    """An API token, as far as it may be shown. Times are Unix milliseconds."""

    id: str
    name: str
    role: Role
    made_at: int
    made_by: str
    expires_at: int | None = None
    used_at: int | None = None
    revoked_at: int | None = None


_SHOWN = tuple(tokens.c[name] for name in Token.__struct_fields__)


class Tokens:
    """All tokens. Raises what SQLAlchemy raises while the database is away."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    async def create(
        self, name: str, role: Role, *, by: str, lasts_s: float | None
    ) -> tuple[Token, str]:
        """A new token and its secret, which nobody can ever read again."""
        secret, now = make(PREFIX), self._ms()
        ends = None if lasts_s is None else now + round(lasts_s * 1000)
        token = Token(f"tok_{dice.token_hex(6)}", name, role, now, by, ends)
        row = {field: getattr(token, field) for field in Token.__struct_fields__}
        async with self._database.write() as connection:
            row |= {"role": role.value, "hash": digest(secret)}
            await connection.execute(tokens.insert(), [row])
        return token, secret

    async def all(self) -> list[Token]:
        """Every token, also those that have ended, the newest first."""
        query = select(*_SHOWN).order_by(tokens.c.made_at.desc(), tokens.c.id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [convert(row, Token, from_attributes=True) for row in rows]

    async def revoke(self, token_id: str) -> bool:
        """End a token at once; False if there is none of this id that is still valid."""
        still = tokens.c.revoked_at.is_(None)
        change = update(tokens).where(tokens.c.id == token_id, still)
        async with self._database.write() as connection:
            done = await connection.execute(change.values(revoked_at=self._ms()))
        return bool(done.rowcount)

    async def find(self, secret: str) -> Token | None:
        """The token with this secret, if it is valid now."""
        known = digest(secret)
        query = select(*_SHOWN, tokens.c.hash).where(tokens.c.hash == known)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or not same(row.hash, known):
            return None
        token = convert(row, Token, from_attributes=True)
        expired = token.expires_at is not None and token.expires_at <= self._ms()
        return None if expired or token.revoked_at is not None else token

    async def used(self, token: Token) -> None:
        """Note that a token was used, at most once a minute."""
        now = self._ms()
        if token.used_at is not None and now - token.used_at < NOTED_EVERY_MS:
            return
        stale = or_(tokens.c.used_at.is_(None), tokens.c.used_at <= now - NOTED_EVERY_MS)
        change = update(tokens).where(tokens.c.id == token.id, stale).values(used_at=now)
        async with self._database.write() as connection:
            await connection.execute(change)

    def _ms(self) -> int:
        return round(self._now() * 1000)
