"""The queue of webhooks that we owe to others: filled with the call's record, sent at least once.

Several replicas may take from it: a letter that one has claimed is hidden from the others for a
while, and comes back if its sender dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct, convert
from sqlalchemy import delete, func, select, update

from offhook.store.database import Database
from offhook.store.facts import AnyFact
from offhook.store.letters import Owed, owed
from offhook.store.schema import outbox

CLAIMED_MS: Final = 60_000  # longer than any attempt takes


class State(StrEnum):
    """How far a letter is."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"  # nobody tries any more, until somebody says so


class Letter(Struct, frozen=True):
    """One webhook to one address. `id` is its `webhook-id`, the same in every attempt."""

    id: str
    kind: str
    call_id: str | None
    url: str
    body: str
    made_at: int
    state: State
    tries: int
    next_at: int | None = None
    sent_at: int | None = None
    error: str | None = None


_COLUMNS = tuple(outbox.c[name] for name in Letter.__struct_fields__)


class Outbox:
    """The queue. Raises what SQLAlchemy raises while the database is away."""

    def __init__(
        self, database: Database, urls: Sequence[str] = (), now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._urls = tuple(urls)
        self._now = now

    def owe(self, facts: Iterable[AnyFact]) -> list[Owed]:
        """What follows from facts, to be queued in the transaction that writes them.

        Facts that were seen before change nothing.
        """
        return owed(facts, self._urls, self._ms())

    async def claim(self, most: int = 20) -> list[Letter]:
        """Take letters that are due. Each is ours for a minute, and this counts as a try."""
        now = self._ms()
        due = (outbox.c.state == State.WAITING, outbox.c.next_at <= now)
        async with self._database.read() as connection:  # mostly there is none: no lock for that
            if (await connection.execute(select(outbox.c.id).where(*due).limit(1))).first() is None:
                return []
        query = select(*_COLUMNS).where(*due).order_by(outbox.c.next_at).limit(most)
        async with self._database.write() as connection:
            found = (await connection.execute(query.with_for_update(skip_locked=True))).all()
            ours = outbox.c.id.in_([row.id for row in found])
            change = {"next_at": now + CLAIMED_MS, "tries": outbox.c.tries + 1}
            await connection.execute(update(outbox).where(ours).values(change))
        return [convert(row, Letter, from_attributes=True) for row in found]

    async def sent(self, letter: Letter) -> None:
        """It has arrived."""
        await self._set(letter.id, state=State.SENT, sent_at=self._ms(), next_at=None, error=None)

    async def failed(self, letter: Letter, error: str, again_in_s: float | None) -> None:
        """It has not arrived; it is tried again in so many seconds, or never."""
        state = State.DEAD if again_in_s is None else State.WAITING
        next_at = None if again_in_s is None else self._ms() + round(again_in_s * 1000)
        await self._set(letter.id, state=state, next_at=next_at, error=error[:500])

    async def retry(self, letter_id: str) -> bool:
        """Try a dead letter again, from the beginning; False if there is no such one."""
        change = {"state": State.WAITING.value, "tries": 0, "next_at": self._ms(), "error": None}
        dead = (outbox.c.id == letter_id, outbox.c.state == State.DEAD)
        async with self._database.write() as connection:
            done = await connection.execute(update(outbox).where(*dead).values(change))
        return bool(done.rowcount)

    async def letters(
        self, state: State | None = None, *, most: int = 50, before: tuple[int, str] | None = None
    ) -> list[Letter]:
        """Letters, the newest first; `before` is `made_at` and `id` of the last one seen."""
        query = select(*_COLUMNS).order_by(outbox.c.made_at.desc(), outbox.c.id.desc()).limit(most)
        if state is not None:
            query = query.where(outbox.c.state == state)
        if before is not None:
            at, last = before
            older = (outbox.c.made_at < at) | ((outbox.c.made_at == at) & (outbox.c.id < last))
            query = query.where(older)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return [convert(row, Letter, from_attributes=True) for row in found]

    async def counts(self) -> dict[State, int]:
        """How many letters are in each state."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return {State(state): count for state, count in found}

    async def forget(self, older_than_s: float) -> int:
        """Delete letters that arrived so long ago; how many there were."""
        before = self._ms() - round(older_than_s * 1000)
        old = (outbox.c.state == State.SENT, outbox.c.sent_at < before)
        async with self._database.write() as connection:
            return (await connection.execute(delete(outbox).where(*old))).rowcount

    async def _set(self, letter_id: str, **values: object) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(outbox).where(outbox.c.id == letter_id).values(**values)
            )

    def _ms(self) -> int:
        return round(self._now() * 1000)
