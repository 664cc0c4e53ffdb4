"""Writes facts to the database, in batches, behind the backs of the calls.

A fact is in the spool before `take` returns, those that are announced `later` are 20 ms later, and
a task carries the spool into the database. So memory stays small however long the database is
away, nothing is lost with the process, and what comes back, here or in the next process, is
written in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import TypeAlias

from sqlalchemy.exc import DBAPIError

from offhook.observe.logs import get_logger
from offhook.store.database import Database
from offhook.store.facts import AnyFact, CheckpointFact
from offhook.store.spool import Batch, Segment, Spool
from offhook.store.upserts import Owing, Upserts, is_of_the_value

GATHER_S = 0.02  # facts that are announced are asked for together: warm, half as dear
PACE_S = 0.04  # between batches that others need to go on with a call; each is dear by itself
LEEWAY_S = 0.005  # timers are seldom exact
BATCH = 500  # facts
BATCH_S = 0.2  # how long the first fact of a batch waits for others
BACKLOG = 1000  # facts; more than this are not waited for
WITHIN_S = 1.0  # how long a caller waits for the record at most
WRITE_S = 15.0  # one batch; a network that swallows everything says nothing for minutes
START_S = 5.0  # how long the first call waits for the tables
FLUSH_S = 3.0  # the last batches
ADOPT_S = 60.0  # between two looks for what others have left behind
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # after failures; the last one repeats

Make: TypeAlias = Callable[[], Sequence[AnyFact]]


class Writer:
    """The one way of facts into the database; an async context manager.

    Entering raises `OSError` if the spool's folder cannot be used. A database that is away is
    told in the log, once, and waited for.
    """

    def __init__(self, database: Database, spool: Spool, owing: Owing | None = None) -> None:
        self._database = database
        self._spool = spool
        self._upserts = Upserts(database, owing)
        self.queued = asyncio.Event()  # something is owed to others by now
        self._log = get_logger("server")
        self._due = asyncio.Event()  # what is in the spool has waited for long enough
        self._progress = asyncio.Event()  # a pulse: something was stored
        self._orphans_wanted = asyncio.Event()
        self._adopted = asyncio.Event()  # a pulse: what others have left behind is written
        self._announced: list[Make] = []
        self._gathering = False  # timers that run to their end cost less than new ones
        self._batching = False
        self._urgent = False  # others need what was taken
        self._carried_at = float("-inf")
        self._tried = asyncio.Event()  # the tables were opened, or could not be
        self._turn = asyncio.Lock()
        self._stuck: int | None = None  # how much was stored when somebody waited in vain
        self._failures = 0
        self._told = False  # that the database is away
        self._disk_told = False
        self._opening: asyncio.Task[None]
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def away(self) -> bool:
        """Whether the database takes nothing at the moment."""
        return self._failures > 0

    @property
    def waiting(self) -> int:
        """How many facts of this process are not in the database yet."""
        return self._spool.taken - self._spool.stored

    async def __aenter__(self) -> Writer:
        self._spool.open()
        start = asyncio.get_running_loop().create_task
        self._opening = start(self._open())
        self._tasks = [self._opening, start(self._carry()), start(self._adopt())]
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await self._tried.wait()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(0 if self.away else FLUSH_S):
                await self._reached(self._spool.taken)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.waiting:
            folder = str(self._spool.folder)
            self._log.warning("records wait for the next start", records=self.waiting, spool=folder)
        self._spool.close()
        with suppress(TimeoutError, DBAPIError, OSError):
            async with asyncio.timeout(FLUSH_S):
                await self._database.close()

    # Facts in

    def take(self, facts: Sequence[AnyFact]) -> None:
        """Have facts written. Never waits, and whatever disk and database do, never fails."""
        if not facts:
            return
        self._spool.append(facts)
        if (self._spool.failure is not None) is not self._disk_told:
            self._tell_of_disk(self._spool.failure)
        if not self._urgent and any(type(fact) is CheckpointFact for fact in facts):
            self._urgent = True
            self._gather()
        if not self._batching:
            self._batching = True
            asyncio.get_running_loop().call_later(BATCH_S, self._batched)

    def later(self, make: Make) -> None:
        """Announce facts: `make` is called for them soon, once, and must not fail."""
        self._announced.append(make)
        self._gather()

    def ask(self) -> None:
        """Take what was announced."""
        if self._announced:
            announced, self._announced = self._announced, []
            self.take([fact for make in announced for fact in make()])

    def _gather(self) -> None:
        if not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_later(GATHER_S, self._gathered)

    def _gathered(self) -> None:
        self.ask()
        self._gathering = False
        if self._urgent:
            if asyncio.get_running_loop().time() < self._carried_at + PACE_S - LEEWAY_S:
                self._gather()
            else:
                self._due.set()

    def _batched(self) -> None:
        self._batching = False
        if self.waiting:
            self._due.set()

    async def settled(self, within: float = WITHIN_S) -> bool:
        """Wait until all that was taken so far is safe, but no longer than `within` seconds.

        Safe is in the database or, while that is away or behind, on the spool's disk, so that
        not even a power cut loses it. Returns whether it is.
        """
        self.ask()
        target = self._spool.taken
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(within):
                if not await self._stored_soon(target, within / 2):
                    await self._spool.sync()
                return True
        return False

    async def stored(self, within: float) -> bool:
        """Wait until the database has all that was taken so far. Whether it has, in time."""
        self.ask()
        target = self._spool.taken
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._reached(target)
        return self._spool.stored >= target

    async def adopted(self, within: float) -> bool:
        """Have what killed processes left in our folder written now. Whether it is, in time."""
        self._orphans_wanted.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._adopted.wait()
                return True
        return False

    async def _stored_soon(self, target: int, within: float) -> bool:
        """Whether it was worth waiting for the database."""
        stored = self._spool.stored
        if self.away or self._stuck == stored or target - stored > BACKLOG:
            return stored >= target
        try:
            async with asyncio.timeout(within):
                await self._reached(target)
        except TimeoutError:
            self._stuck = self._spool.stored
            return False
        return True

    async def _reached(self, target: int) -> None:
        while self._spool.stored < target:
            self._due.set()
            await self._progress.wait()

    # Facts out

    async def _open(self) -> None:
        """Bring the tables up to date, sooner or later."""
        while True:
            try:
                await self._database.open()
            except Exception as error:
                self._tell_of_absence(error)
                self._tried.set()
                await self._pause()
            else:
                self._worked()
                self._tried.set()
                return

    async def _carry(self) -> None:
        await asyncio.wait({self._opening})
        while True:
            await self._due.wait()
            self._due.clear()
            self._urgent, self._carried_at = False, asyncio.get_running_loop().time()
            try:
                await self._carry_over()
            except OSError as error:  # a disk that cannot be read now may be later
                self._log.error("the spool cannot be read", detail=error.strerror)
                self._due.set()
                await asyncio.sleep(PAUSES_S[-1])

    async def _carry_over(self) -> None:
        """Write all that is there by now; what comes meanwhile waits for others in its turn."""
        until = self._spool.taken
        while self._spool.stored < until and (batch := self._spool.peek(BATCH)).lines:
            await self._store(batch.facts)
            self._spool.advance(batch)
            self._count_unreadable(batch)
            self._progress.set()
            self._progress.clear()

    def _count_unreadable(self, batch: Batch) -> None:
        if batch.unreadable:
            self._log.error("records could not be read again", records=batch.unreadable)

    async def _store(self, facts: list[AnyFact]) -> None:
        """Return when they are in the database, however long that takes."""
        async with self._turn:
            while (error := await self._try(facts)) is not None:
                if is_of_the_value(error):
                    break
                if self.away:  # the first failure may be a connection gone stale
                    self._tell_of_absence(error)
                await self._pause()
        if error is None:
            return
        if len(facts) > 1:  # one of them fits into no column: it must not keep back the others
            for fact in facts:
                await self._store([fact])
        else:  # its values may be personal, and so may the error's text
            table, cause = facts[0].__struct_config__.tag, type(error).__name__
            self._log.error("a record could not be written", table=table, detail=cause)

    async def _try(self, facts: list[AnyFact]) -> Exception | None:
        try:
            if self._told:  # what comes back may be empty, or of yesterday
                await self._database.open()
            async with asyncio.timeout(WRITE_S):
                queued = await self._upserts.write(facts)
        except Exception as error:
            return error
        if queued:
            self.queued.set()
        self._worked()
        return None

    async def _pause(self) -> None:
        self._failures += 1
        await asyncio.sleep(PAUSES_S[min(self._failures, len(PAUSES_S)) - 1])

    def _tell_of_absence(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            self._log.error(
                "the database is away; calls go on, and records wait",
                detail=_why(error),
                spool=str(self._spool.folder),
            )

    def _worked(self) -> None:
        self._failures = 0
        if self._told:
            self._told = False
            self._log.info("the database is back", records=self.waiting)

    def _tell_of_disk(self, failure: OSError | None) -> None:
        self._disk_told = failure is not None
        folder = str(self._spool.folder)
        if failure is None:
            self._log.info("the spool can be written again", spool=folder, lost=self._spool.lost)
        else:
            self._log.error(
                "the spool cannot be written; records are only in memory until the database "
                "has them",
                detail=failure.strerror,
                spool=folder,
            )

    # What others have left behind

    async def _adopt(self) -> None:
        await asyncio.wait({self._opening})
        while True:
            self._orphans_wanted.clear()
            for orphan in self._spool.orphans():
                await self._bring_in(orphan)
            self._adopted.set()
            self._adopted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(ADOPT_S):
                    await self._orphans_wanted.wait()

    async def _bring_in(self, orphan: Segment) -> None:
        """Write what a process that has ended did not get to write."""
        done, written = False, 0
        try:
            while (batch := orphan.peek(BATCH)).end is not None and batch.lines:
                await self._store(batch.facts)
                orphan.advance(batch.end)
                written += len(batch.facts)
                self._count_unreadable(batch)
            done = True
        finally:
            orphan.close(remove=done)
        if written:
            self._log.info("records of a process that has ended are written", records=written)
        if orphan.rest:
            self._log.warning("a record was half written when its process was killed; dropped")


def _why(error: Exception) -> str:
    """What went wrong, in one line and without values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return f"{type(cause).__name__}: {str(cause).partition(chr(10))[0]}".rstrip(": ")
