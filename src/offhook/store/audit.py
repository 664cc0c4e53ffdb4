"""The audit log: who saw or changed what, append-only, each entry chained to the one before.

An entry's hash is SHA-256 over its canonical JSON, in which the hash of the entry before stands.
So no entry can be changed, taken out, put in or moved without a break that `verify` finds. What a
chain cannot tell by itself is that its end was cut off: for that, note its head elsewhere (each
run of retention logs it) and compare.

Old entries go by `prune` alone, which first appends an anchor: the number and the hash of the last
entry that goes. Triggers in the database refuse every other change.
"""

from __future__ import annotations

import getpass
import hashlib
import time
from collections.abc import AsyncIterator
from typing import TypedDict, Unpack, overload

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace
from sqlalchemy import Row, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.database import Database
from offhook.store.schema import audit

GENESIS = "0" * 64  # what the first entry of all is chained to
PRUNED = "audit.pruned"  # the action of an anchor; the triggers know it, too
CHAINING = 0x0FF400D  # the advisory lock of the one writer that may append

_SHA256 = "sha256:"
_PAGE = 1000


class AuditEntry(Struct, frozen=True, gc=False):
    """One entry. `at` is in Unix milliseconds and never before that of the entry before.

    `actor` is who did it (`token:NAME`, `shell:USER`, `offhook`), `action` what it was
    (`number.revealed`), `subject` to what (the id of a call, the hash of a number), `address` from
    where.
    """

    n: int
    at: int
    actor: str
    action: str
    subject: str | None
    address: str | None
    reason: str | None
    detail: str | None
    previous: str
    hash: str = ""


class About(TypedDict, total=False):
    """What else an entry may tell."""

    subject: str | None
    address: str | None
    reason: str | None
    detail: str | None


class Verdict(Struct, frozen=True):
    """Whether the chain holds. `broken` is the first entry that is wrong, `why` says how."""

    entries: int
    first: int | None = None
    head: str | None = None
    broken: int | None = None
    why: str | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found wrong."""
        return self.why is None


def digest(entry: AuditEntry) -> str:
    """SHA-256 of the entry as JSON: keys sorted, no spaces, UTF-8, without the hash itself."""
    fields = asdict(entry)
    del fields["hash"]
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


class Audit:
    """The audit log of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, actor: str, action: str, **about: Unpack[About]) -> AuditEntry:
        """Append an entry, committed when this returns. No text may hold personal data."""
        async with self._database.write() as connection:
            return await self.append(connection, actor, action, **about)

    async def append(
        self, connection: AsyncConnection, actor: str, action: str, **about: Unpack[About]
    ) -> AuditEntry:
        """As `note`, within a transaction of `Database.write()`: both what it tells of, or neither.

        Other writers of the log wait until that transaction ends, so do this last.
        """
        last = await self._last(connection)
        entry = AuditEntry(
            n=last.n + 1 if last else 1,
            at=max(int(time.time() * 1000), last.at if last else 0),
            actor=_fit(actor, 128),
            action=_fit(action, 64),
            subject=_fit(about.get("subject"), 200),
            address=_fit(about.get("address"), 64),
            reason=_fit(about.get("reason")),
            detail=_fit(about.get("detail")),
            previous=last.hash if last else GENESIS,
        )
        sealed = replace(entry, hash=digest(entry))
        await connection.execute(audit.insert(), [asdict(sealed)])
        return sealed

    async def _last(self, connection: AsyncConnection) -> AuditEntry | None:
        """The head of the chain, which stays the head until the transaction ends.

        SQLite has one writer at a time anyway.
        """
        if self._database.dialect == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({CHAINING})"))
        newest = select(audit).order_by(audit.c.n.desc()).limit(1)
        row = (await connection.execute(newest)).first()
        return None if row is None else _entry(row)

    async def entries(
        self,
        *,
        since: int | None = None,
        actor: str | None = None,
        action: str | None = None,
        limit: int | None = None,
    ) -> list[AuditEntry]:
        """Entries, the newest first; `action` may be a beginning such as `privacy.`."""
        query = select(audit).order_by(audit.c.n.desc()).limit(limit)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if actor is not None:
            query = query.where(audit.c.actor == actor)
        if action is not None:
            query = query.where(audit.c.action.startswith(action, autoescape=True))
        async with self._database.read() as connection:
            return [_entry(row) for row in await connection.execute(query)]

    async def prune(self, before: int, actor: str, *, limit: int = 1000) -> int:
        """Let up to `limit` of the entries older than `before` (Unix ms) go. Returns how many.

        An anchor takes their place at the end of the chain, so a log never becomes empty.
        """
        async with self._database.write() as connection:
            await self._last(connection)
            old = select(audit.c.n, audit.c.hash, audit.c.action).where(audit.c.at < before)
            going = (await connection.execute(old.order_by(audit.c.n).limit(limit))).all()
            if all(row.action == PRUNED for row in going):  # or anchors replaced anchors for ever
                return 0
            edge = going[-1]
            await self.append(
                connection, actor, PRUNED, subject=str(edge.n), detail=f"{_SHA256}{edge.hash}"
            )
            await connection.execute(delete(audit).where(audit.c.n <= edge.n))
            return len(going)

    async def verify(self, head: str | None = None) -> Verdict:
        """Whether every entry is what was once written, in its place.

        With `head`, a hash that was the last one at some time: whether the chain still holds it.
        """
        async with self._database.read() as connection:
            if self._database.dialect == "postgresql":  # one snapshot for all pages
                await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return await _verified(_pages(connection), head)


async def _pages(connection: AsyncConnection) -> AsyncIterator[AuditEntry]:
    n = -(2**62)
    while True:
        page = select(audit).where(audit.c.n > n).order_by(audit.c.n).limit(_PAGE)
        rows = (await connection.execute(page)).all()
        for row in rows:
            yield _entry(row)
        if len(rows) < _PAGE:
            return
        n = rows[-1].n


async def _verified(entries: AsyncIterator[AuditEntry], head: str | None) -> Verdict:
    verdict, last, origin = Verdict(0), None, GENESIS
    known = {GENESIS: 0}  # what the first entry may be chained to, and the number that has the hash
    seen = head is None
    async for entry in entries:
        if why := _wrong(entry, last):
            return replace(verdict, broken=entry.n, why=why)
        if last is None:
            verdict, origin = replace(verdict, first=entry.n), entry.previous
        verdict = replace(verdict, entries=verdict.entries + 1, head=entry.hash)
        known |= _anchored(entry)
        seen = seen or entry.hash == head
        last = entry
    if verdict.first is not None and known.get(origin) != verdict.first - 1:
        why = "follows entries that are gone, and no anchor tells of it"
        return replace(verdict, broken=verdict.first, why=why)
    if not seen and head not in known:
        return replace(verdict, why="the head that you noted is gone: the end was cut off")
    return verdict


def _anchored(entry: AuditEntry) -> dict[str, int]:
    """What an anchor says of the last entry that went: its hash and number."""
    match entry:
        case AuditEntry(action="audit.pruned", subject=str(n), detail=str(hash)) if n.isdecimal():
            return {hash.removeprefix(_SHA256): int(n)}
    return {}


def _wrong(entry: AuditEntry, last: AuditEntry | None) -> str | None:
    if digest(entry) != entry.hash:
        return "was changed after it was written"
    if last and entry.n != last.n + 1:
        return f"follows entry {last.n}: those between are gone"
    if last and entry.previous != last.hash:
        return f"is not chained to entry {last.n}: one of both was replaced"
    return None


def _entry(row: Row[tuple[object, ...]]) -> AuditEntry:
    return AuditEntry(**row._mapping)


@overload
def _fit(text: str, limit: int = ...) -> str: ...
@overload
def _fit(text: str | None, limit: int = ...) -> str | None: ...
def _fit(text: str | None, limit: int = 4000) -> str | None:
    """A text as both databases give it back: PostgreSQL refuses NUL, neither takes surrogates."""
    if text is None:
        return None
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:limit]


def shell_actor() -> str:
    """The actor of a command: who is logged in on this machine."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return "shell"
