"""The audit log: appended by many at once, provable, and closed to every other change."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import asdict, replace
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.audit import GENESIS, PRUNED, Audit, AuditEntry, digest
from offhook.store.database import Database
from offhook.store.schema import audit


@pytest.fixture
async def log(database: Database) -> Audit:
    """A log of five entries."""
    log = Audit(database)
    for n in range(1, 6):
        await log.note("token:ann", "number.revealed", subject=f"call_{n}", detail='{"n":1}')
    return log


async def unguarded(database: Database) -> None:
    """Take the triggers away, as somebody with all rights could."""
    names = (
        ["audit_update", "audit_delete", "audit_insert"]
        if database.dialect == "sqlite"
        else ["audit_rows ON audit", "audit_all ON audit"]
    )
    async with database.write() as connection:
        for name in names:
            await connection.execute(text(f"DROP TRIGGER {name}"))


async def test_an_empty_log_holds(database: Database) -> None:
    verdict = await Audit(database).verify()
    assert verdict.holds
    assert (verdict.entries, verdict.head) == (0, None)


async def test_each_entry_is_chained_to_the_one_before(log: Audit) -> None:
    newest, *older = await log.entries()
    assert [newest.n, *(e.n for e in older)] == [5, 4, 3, 2, 1]
    assert newest.previous == older[0].hash
    assert older[-1].previous == GENESIS
    verdict = await log.verify()
    assert verdict.holds
    assert (verdict.entries, verdict.first, verdict.head) == (5, 1, newest.hash)


async def test_the_hash_is_over_canonical_json() -> None:
    entry = AuditEntry(1, 0, "ä", "b", None, None, None, None, GENESIS)
    assert digest(entry) == digest(replace(entry, hash="anything"))
    text = (
        '{"action":"b","actor":"ä","address":null,"at":0,"detail":null,"n":1,'
        f'"previous":"{GENESIS}","reason":null,"subject":null}}'
    )
    assert digest(entry) == hashlib.sha256(text.encode()).hexdigest()


async def test_any_text_is_verified_as_it_was_noted(database: Database) -> None:
    log = Audit(database)
    await log.note("a\0b" * 100, "\ud800", subject="x" * 300, reason="😀\r\n", detail="'\"\\")
    assert (await log.verify()).holds


async def test_many_replicas_write_one_chain(database_url: str) -> None:
    replicas = [Database(database_url) for _ in range(3)]
    for each in replicas:
        await each.open()
    logs = [Audit(each) for each in replicas]
    await asyncio.gather(*(log.note("a", "b", detail=str(n)) for n in range(10) for log in logs))
    verdict = await logs[0].verify()
    assert verdict.holds
    assert verdict.entries == 30
    for each in replicas:
        await each.close()


async def test_an_entry_goes_with_the_transaction_that_it_tells_of(
    database: Database, log: Audit
) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await log.append(connection, "a", "b")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert (await log.verify()).entries == 5


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE n = 2",
        "DELETE FROM audit WHERE n = 2",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE n = 5",
    ],
)
async def test_the_database_refuses_changes(database: Database, log: Audit, statement: str) -> None:
    async def change() -> None:
        async with database.write() as connection:
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="append-only"):
        await change()
    assert (await log.verify()).entries == 5


async def test_the_database_refuses_to_empty_or_replace(database: Database, log: Audit) -> None:
    statement = (
        "INSERT OR REPLACE INTO audit (n, at, actor, action, previous, hash) "
        "VALUES (2, 0, '', '', '', '')"
        if database.dialect == "sqlite"
        else "TRUNCATE audit"
    )

    async def change() -> None:
        async with database.write() as connection:
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="append-only"):
        await change()
    assert (await log.verify()).holds


Tampering = Callable[[AsyncConnection], Awaitable[None]]


async def _changed(connection: AsyncConnection) -> None:
    await connection.execute(update(audit).where(audit.c.n == 3).values(actor="token:eve"))


async def _changed_with_its_hash(connection: AsyncConnection) -> None:
    row = (await connection.execute(select(audit).where(audit.c.n == 3))).one()
    entry = AuditEntry(**{**row._mapping, "actor": "token:eve"})
    values = asdict(replace(entry, hash=digest(entry)))
    await connection.execute(update(audit).where(audit.c.n == 3).values(**values))


async def _deleted(connection: AsyncConnection) -> None:
    await connection.execute(delete(audit).where(audit.c.n == 3))


async def _deleted_at_the_beginning(connection: AsyncConnection) -> None:
    await connection.execute(delete(audit).where(audit.c.n <= 2))


async def _swapped(connection: AsyncConnection) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        await connection.execute(update(audit).where(audit.c.n == old).values(n=new))


async def _inserted(connection: AsyncConnection) -> None:
    await connection.execute(delete(audit).where(audit.c.n == 3))
    entry = AuditEntry(3, 1, "token:eve", "b", None, None, None, None, GENESIS)
    await connection.execute(insert(audit).values(**asdict(replace(entry, hash=digest(entry)))))


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        (_changed, 3),
        (_changed_with_its_hash, 4),
        (_deleted, 4),
        (_deleted_at_the_beginning, 3),
        (_swapped, 3),
        (_inserted, 3),
    ],
)
async def test_the_first_broken_entry_is_named(
    database: Database, log: Audit, tamper: Tampering, broken: int
) -> None:
    await unguarded(database)
    async with database.write() as connection:
        await tamper(connection)
    verdict = await log.verify()
    assert not verdict.holds
    assert verdict.broken == broken


async def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(
    database: Database, log: Audit
) -> None:
    noted = (await log.verify()).head
    await unguarded(database)
    async with database.write() as connection:
        await connection.execute(delete(audit).where(audit.c.n > 3))
    assert (await log.verify()).holds  # by itself the rest is a chain
    verdict = await log.verify(noted)
    assert not verdict.holds
    assert verdict.broken is None


async def test_a_head_that_was_noted_holds_while_the_log_grows(log: Audit) -> None:
    noted = (await log.verify()).head
    await log.note("a", "b")
    assert (await log.verify(noted)).holds


async def later(log: Audit) -> int:
    """A time after the last entry, and before the next."""
    (last,) = await log.entries(limit=1)
    while (await log.note("a", "b")).at == last.at:
        pass
    return last.at + 1


async def test_what_is_pruned_leaves_a_chain_with_an_anchor(log: Audit) -> None:
    before = (await log.entries(limit=1))[0]
    cutoff = await later(log)
    old = len([e for e in await log.entries() if e.at < cutoff])
    assert await log.prune(cutoff, "offhook") == old
    kept = await log.entries()
    assert kept[0].action == PRUNED
    assert kept[-1].n == old + 1
    verdict = await log.verify()
    assert verdict.holds, verdict
    assert (await log.verify(before.hash)).holds == (before.n == old)
    assert await log.prune(cutoff, "offhook") == 0


async def test_pruning_goes_in_steps_and_never_empties_the_log(log: Audit) -> None:
    never = 2**53
    assert [await log.prune(never, "offhook", limit=2) for _ in range(3)] == [2, 2, 2]
    assert await log.prune(never, "offhook") == 0
    assert {e.action for e in await log.entries()} == {PRUNED}
    assert (await log.verify()).holds


async def test_an_anchor_alone_opens_nothing(database: Database, log: Audit) -> None:
    """Once another entry follows it, what it covers can no more be deleted."""
    await log.note("eve", PRUNED, subject="3", detail="sha256:" + "0" * 64)
    await log.note("token:ann", "number.revealed")

    async def change() -> None:
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM audit WHERE n <= 3"))

    with pytest.raises(DBAPIError, match="append-only"):
        await change()


async def test_entries_are_found_by_time_actor_and_action(log: Audit) -> None:
    await log.note("shell:bob", "privacy.delete", subject="h", reason="asked by letter")
    (one,) = await log.entries(action="privacy.")
    assert (one.actor, one.subject, one.reason) == ("shell:bob", "h", "asked by letter")
    assert len(await log.entries(actor="token:ann")) == 5
    assert await log.entries(since=one.at + 1) == []
    assert await log.entries(action="privacy%") == []
