"""Whose a call is: one owner at a time, of any number of processes, by the database alone.

A replica shows that it is alive by one row that counts its beats, however many calls it has. Its
calls are leases that last as long as it beats. Nobody's clock decides: a replica is dead when
somebody else has watched its count stand still for long enough, on a clock that only goes
forward, and has put this on record before it counted on.

Each new owner of a call gets a greater `fence`. What was written or is to be done under a
smaller one is of the past: see `Ownership.holds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.database import Database
from offhook.store.schema import checkpoints, leases, replicas


class State(StrEnum):
    """What a replica says of itself, or what others say of it."""

    SERVING = "serving"
    LEAVING = "leaving"  # it still beats, but its calls may be taken over
    GONE = "gone"  # it beats no longer; its calls are anybody's


class Lease(Struct, frozen=True, gc=False):
    """The right to act for a call, until somebody has a greater `fence` for it."""

    call_id: str
    fence: int


class Replica(Struct, frozen=True, gc=False, kw_only=True):
    """One process that answers calls. `capacity` is how many at once, `live` how many now."""

    id: str
    state: State
    beats: int
    capacity: int
    live: int
    version: str
    host: str
    began_at: int
    told_to_leave: bool = False

    @property
    def free(self) -> int:
        """How many more calls it takes."""
        return max(self.capacity - self.live, 0) if self.state is State.SERVING else 0


class Ownership:
    """The view of one replica. Raises SQLAlchemy's `DBAPIError` while the database is away, or what
    its driver raises where something is asked all the time."""

    def __init__(self, database: Database, replica: str) -> None:
        self._db = database
        self.replica = replica
        self._beating = _beat(replica)

    # Being there

    async def announce(self, *, capacity: int, version: str, host: str, now_ms: int) -> None:
        """Begin to serve. Also after others have taken us for dead: what was ours is theirs."""
        row: dict[str, Any] = {
            "state": State.SERVING,
            "capacity": capacity,
            "live": 0,
            "version": version,
            "host": host,
            "told_to_leave": False,
        }
        insert = self._db.insert(replicas).values(id=self.replica, began_at=now_ms, **row)
        bump = {**row, "beats": replicas.c.beats + 1}
        async with self._db.write() as connection:
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=bump))

    async def beat(self, live: int, state: State = State.SERVING) -> bool:
        """Show that we are there. False: others have taken us for dead, and our calls may be
        theirs; `announce` again, then `mine` tells which are still ours."""
        return bool(await self._db.ask(self._beating, writes=True, now_live=live, now_is=state))

    async def survey(self) -> tuple[list[Replica], int]:
        """All replicas that are not gone, ourselves among them, and how many calls have an owner
        that is."""
        rows = await self._db.ask(_SURVEY)
        return [_replica(row) for row in rows], rows[0][-1] if rows else 0

    async def peers(self) -> list[Replica]:
        """All replicas that are not gone, ourselves among them."""
        async with self._db.read() as connection:
            return [_replica(row) for row in await connection.execute(_THERE)]

    async def declare_gone(self, stopped: Iterable[Replica]) -> list[str]:
        """Put on record that these beat no longer. One that has beaten meanwhile is spared."""
        gone = []
        async with self._db.write() as connection:
            for each in sorted(stopped, key=lambda r: r.id):
                still = and_(
                    replicas.c.id == each.id,
                    replicas.c.beats == each.beats,
                    replicas.c.state != State.GONE,
                )
                marked = await connection.execute(
                    update(replicas).where(still).values(state=State.GONE, live=0)
                )
                if marked.rowcount:
                    gone.append(each.id)
        return gone

    async def depart(self) -> None:
        """Leave for good. What is still ours is anybody's from now on."""
        async with self._db.write() as connection:
            mine = replicas.c.id == self.replica
            await connection.execute(update(replicas).where(mine).values(state=State.GONE, live=0))

    async def tell_to_leave(self, replica: str) -> bool:
        """Have another replica leave, as if its process had been told to. False: it is gone."""
        there = and_(replicas.c.id == replica, replicas.c.state != State.GONE)
        async with self._db.write() as connection:
            told = update(replicas).where(there).values(told_to_leave=True)
            return (await connection.execute(told)).rowcount == 1

    # Having calls

    async def claim(self, rang: Mapping[str, int]) -> list[Lease]:
        """Be the first to answer these calls, which rang at these times (ms since 1970).

        Returns those that are ours now. Of the others somebody else was first, or we were already.
        """
        if not rang:
            return []
        rows = [  # all ask in the same order: nobody waits for somebody who waits for him
            {"call_id": call_id, "owner": self.replica, "fence": 1, "rang_at": rang[call_id]}
            for call_id in sorted(rang)
        ]
        insert = self._db.insert(leases).values(rows).on_conflict_do_nothing()
        async with self._db.write() as connection:
            claimed = await connection.execute(insert.returning(leases.c.call_id, leases.c.fence))
            return [Lease(*row) for row in claimed]

    async def holds(self, lease: Lease, connection: AsyncConnection | None = None) -> bool:
        """Whether the call is still ours. Within a transaction of ours it stays so to its end."""
        held = select(leases.c.call_id).where(self._is(lease)).with_for_update(key_share=True)
        if connection is not None:
            return (await connection.execute(held)).first() is not None
        async with self._db.read() as own:
            return (await own.execute(held)).first() is not None

    async def mine(self) -> list[Lease]:
        """The calls that are ours, as the database knows."""
        mine = select(leases.c.call_id, leases.c.fence).where(leases.c.owner == self.replica)
        async with self._db.read() as connection:
            rows = await connection.execute(mine.where(leases.c.ended_at.is_(None)))
            return [Lease(*row) for row in rows]

    async def expected(self) -> set[str]:
        """The calls whose heir we are."""
        heirs = select(leases.c.call_id).where(leases.c.heir == self.replica)
        async with self._db.read() as connection:
            rows = await connection.execute(heirs.where(leases.c.ended_at.is_(None)))
            return set(rows.scalars())

    async def known(self, since_ms: int) -> list[str]:
        """The calls that rang since, whoever had them, the newest last."""
        rang = select(leases.c.call_id).where(leases.c.rang_at >= since_ms)
        async with self._db.read() as connection:
            return list((await connection.execute(rang.order_by(leases.c.rang_at))).scalars())

    async def end(self, ended: Iterable[Lease], now_ms: int) -> None:
        """These calls are over: nobody needs to take them. Another owner's are left alone."""
        over = [
            {"the_call": lease.call_id, "the_fence": lease.fence}
            for lease in sorted(ended, key=lambda e: e.call_id)
        ]
        if not over:
            return
        change = update(leases).values(ended_at=now_ms, heir=None)
        change = change.where(
            leases.c.call_id == bindparam("the_call"), leases.c.fence == bindparam("the_fence")
        )
        async with self._db.write() as connection:
            await connection.execute(change, over)

    async def forget(self, before_ms: int) -> int:
        """Delete leases of calls that ended, and replicas that began, before this time."""
        async with self._db.write() as connection:
            done = and_(checkpoints.c.state.is_(None), checkpoints.c.at < before_ms)
            await connection.execute(delete(checkpoints).where(done))
            old = await connection.execute(delete(leases).where(leases.c.ended_at < before_ms))
            gone = and_(replicas.c.state == State.GONE, replicas.c.began_at < before_ms)
            owners = select(leases.c.owner).where(leases.c.ended_at.is_(None))
            await connection.execute(delete(replicas).where(gone, replicas.c.id.not_in(owners)))
            return old.rowcount

    # Taking over from the dead

    async def take_orphans(self, most: int) -> list[Lease]:
        """Take up to `most` calls whose owners are gone, in one statement. Others take others."""
        if most <= 0:
            return []
        orphans = select(leases.c.call_id).where(leases.c.ended_at.is_(None), _OWNERLESS)
        orphans = orphans.order_by(leases.c.rang_at).limit(most)
        take = (
            update(leases)
            .where(leases.c.call_id.in_(_unlocked(orphans)))
            .values(owner=self.replica, fence=leases.c.fence + 1, heir=None, heir_ready=False)
            .returning(leases.c.call_id, leases.c.fence)
        )
        async with self._db.write() as connection:
            return [Lease(*row) for row in await connection.execute(take)]

    async def orphans(self) -> int:
        """How many calls have an owner that is gone."""
        async with self._db.read() as connection:
            return int((await connection.execute(select(_ORPHANS))).scalar_one())

    # Taking over from those that leave

    async def inherit(self, most: int) -> list[Lease]:
        """Become the heir of up to `most` calls whose owners are leaving.

        The lease is the owner's, not ours: attach, say `ready`, and wait until `given`.
        """
        if most <= 0:
            return []
        leaving = select(replicas.c.id).where(replicas.c.state == State.LEAVING)
        open_ = select(leases.c.call_id).where(
            leases.c.ended_at.is_(None),
            leases.c.owner.in_(leaving),
            leases.c.owner != self.replica,
            or_(leases.c.heir.is_(None), leases.c.heir.in_(_gone())),
        )
        open_ = open_.order_by(leases.c.rang_at).limit(most)
        become = (
            update(leases)
            .where(leases.c.call_id.in_(_unlocked(open_)))
            .values(heir=self.replica, heir_ready=False)
            .returning(leases.c.call_id, leases.c.fence)
        )
        async with self._db.write() as connection:
            return [Lease(*row) for row in await connection.execute(become)]

    async def ready(self, call_ids: Iterable[str]) -> None:
        """We hear these calls: their owner may let go."""
        await self._as_heir(call_ids, heir_ready=True)

    async def decline(self, call_ids: Iterable[str]) -> None:
        """We cannot take these calls after all."""
        await self._as_heir(call_ids, heir=None, heir_ready=False)

    async def _as_heir(self, call_ids: Iterable[str], **values: object) -> None:
        mine = and_(leases.c.call_id.in_(list(call_ids)), leases.c.heir == self.replica)
        async with self._db.write() as connection:
            await connection.execute(update(leases).where(mine).values(values))

    async def awaited(self) -> set[str]:
        """Those of our calls whose heirs are ready."""
        ready = select(leases.c.call_id).where(
            leases.c.owner == self.replica, leases.c.heir_ready, leases.c.ended_at.is_(None)
        )
        async with self._db.read() as connection:
            return set((await connection.execute(ready)).scalars())

    async def hand_over(self, lease: Lease) -> bool:
        """Give the call to its heir. From now on nothing may be done for it here."""
        give = (
            update(leases)
            .where(self._is(lease), leases.c.heir.is_not(None), leases.c.heir_ready)
            .values(owner=leases.c.heir, fence=leases.c.fence + 1, heir=None, heir_ready=False)
        )
        async with self._db.write() as connection:
            return (await connection.execute(give)).rowcount == 1

    async def given(self, call_ids: Iterable[str]) -> list[Lease]:
        """Those of the calls that we were the heir of that are ours now."""
        if not (wanted := list(call_ids)):
            return []
        ours = select(leases.c.call_id, leases.c.fence).where(
            leases.c.call_id.in_(wanted),
            leases.c.owner == self.replica,
            leases.c.ended_at.is_(None),
        )
        async with self._db.read() as connection:
            return [Lease(*row) for row in await connection.execute(ours)]

    def _is(self, lease: Lease) -> ColumnElement[bool]:
        return and_(
            leases.c.call_id == lease.call_id,
            leases.c.owner == self.replica,
            leases.c.fence == lease.fence,
        )


_OWNERLESS = leases.c.owner.not_in(select(replicas.c.id).where(replicas.c.state != State.GONE))
_ORPHANS = (
    select(func.count())
    .select_from(leases)
    .where(leases.c.ended_at.is_(None), _OWNERLESS)
    .scalar_subquery()
)
_THERE = (
    select(*(replicas.c[name] for name in Replica.__struct_fields__))
    .where(replicas.c.state != State.GONE)
    .order_by(replicas.c.id)
)
_SURVEY = _THERE.add_columns(_ORPHANS)


def _beat(replica: str) -> Any:
    """One more beat of a replica, unless it is gone."""
    alive = and_(replicas.c.id == replica, replicas.c.state != State.GONE)
    now: dict[str, Any] = {"live": bindparam("now_live"), "state": bindparam("now_is")}
    beaten = update(replicas).where(alive).values(beats=replicas.c.beats + 1, **now)
    return beaten.returning(replicas.c.id)


def _gone() -> Any:
    return select(replicas.c.id).where(replicas.c.state == State.GONE)


def _unlocked(calls: Any) -> Any:
    """Only rows that nobody else is taking at this moment. SQLite has one writer anyway."""
    return calls.with_for_update(skip_locked=True).scalar_subquery()


def _replica(row: Sequence[Any]) -> Replica:
    """From its columns, in order; more may follow."""
    fields = dict(zip(Replica.__struct_fields__, row, strict=False))
    return Replica(**{**fields, "state": State(fields["state"])})
