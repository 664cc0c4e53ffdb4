"""Keeps what is ours and takes what is nobody's: one for each process, whatever calls it has.

It beats, looks whether the others do, has calls claimed and released, and goes on with those of
the dead. While the database is away all of that rests, and every call goes on where it is.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress

from offhook._version import __version__
from offhook.config import Replicas
from offhook.observe.logs import get_logger
from offhook.runtime.claims import Claims
from offhook.runtime.pulse import Away, Pulse
from offhook.runtime.succession import Board, Succession
from offhook.runtime.vigil import Vigil
from offhook.store.ownership import Ownership, Replica, State

LOOKS = 20  # after so many, what the database says is held against what we think
HOUR_MS = 3_600_000
KEPT_MS = 24 * HOUR_MS  # a lease of a call that is over tells a late webhook that it is
JOIN_S = 5.0  # so long the first call waits, as one that nobody knows of dies with its process
SETTLE_S = 0.05  # from one claim to the next; those that come in between are one
BUSY_S = 0.1  # between two looks while calls are handed over
HAND_OVER_S = 12.0  # for all calls, when this process leaves
REST_S = 8.0  # so long a call may finish what it is about, before it is handed over as it is


class Tenure:
    """An async context manager; `serve` must have been called before it is entered.

    Once it is entered the others know of us, unless the database is away.
    """

    def __init__(
        self,
        ownership: Ownership,
        pulse: Pulse,
        claims: Claims,
        succession: Succession,
        settings: Replicas,
    ) -> None:
        self.claims = claims
        self.state = State.SERVING
        self.others: list[Replica] = []  # those that serve, as last seen
        self.on_told_to_leave: Callable[[], None] = lambda: None
        self._own = ownership
        self._pulse = pulse
        self._succession = succession
        self._settings = settings
        self._vigil = Vigil(ownership.replica, settings.patience_s)
        self._doubt = False  # whether what we hold may be another's
        self._looks = 0
        self._told_to_leave = False
        self._tried = asyncio.Event()  # we have joined, or the database is away
        self._tasks: list[asyncio.Task[None]] = []
        self._log = get_logger("server")

    def serve(self, board: Board) -> None:
        """From now on the calls are there."""
        self._board = board
        self._succession.board = board

    async def __aenter__(self) -> Tenure:
        start = asyncio.get_running_loop().create_task
        self._tasks = [
            start(self._forever(self._beat, lambda: self._settings.beat_s)),
            start(self._forever(self._look, self._between_looks)),
            start(self._forever(self._settle, lambda: SETTLE_S)),
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_S):
                await self._tried.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._succession.close()
        if not self.claims.open:
            return
        with suppress(Away):  # then the others find out by themselves
            await self.claims.settle()
            await self._pulse.ask(self._own.depart())

    async def _forever(
        self, work: Callable[[], Awaitable[None]], pause: Callable[[], float]
    ) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                await work()
            except Away as away:
                if not self._doubt:
                    self._log.info("whose calls are is not known for now", why=str(away))
                self._doubt = True
            except Exception:
                self._log.error("bug", exception=traceback.format_exc())
            await asyncio.sleep(max(pause() - (clock() - began), 0.01))

    async def _settle(self) -> None:
        """Who dies with a call that the database does not know of leaves it to nobody."""
        await self.claims.owing.wait()
        self.claims.owing.clear()  # `_join` will set it again
        if self.claims.open:
            await self.claims.settle()

    def _between_looks(self) -> float:
        usual = self._settings.beat_s / 2
        busy = self._succession.busy or self.state is State.LEAVING
        return min(BUSY_S, usual) if busy else usual

    # To be alive

    async def _beat(self) -> None:
        if self.claims.open:
            beat = self._pulse.beat(lambda: self._own.beat(len(self._board), self.state))
            if await beat is not False:
                return
            self._log.warning("others have taken this process for dead")
            self.claims.open = False
        try:
            await self._join()
        finally:
            if self.claims.open or self._pulse.away:
                self._tried.set()

    async def _join(self) -> None:
        """Have others know of us, for the first time or after they have taken us for dead."""
        await self._announce()
        self._board.remember(await self._pulse.ask(self._own.known(_now_ms() - KEPT_MS)))
        await self._compare()
        self.claims.open = True
        self.claims.owing.set()
        self._pulse.confirm()
        self._doubt = True  # another may have been about to take a call just then
        self._log.info("replica", id=self._own.replica, capacity=self._settings.max_calls)

    async def _announce(self) -> None:
        capacity, host = self._settings.max_calls, self._own.replica.rpartition(":")[0]
        announced = self._own.announce(
            capacity=capacity, version=__version__, host=host, now_ms=_now_ms()
        )
        await self._pulse.ask(announced)

    async def _compare(self) -> None:
        """Drop what is not ours any more, and go on with what is and nobody serves."""
        self._doubt = False
        found = await self.claims.compare()
        for call_id in found.lost:
            self._board.fence(call_id)
        self._succession.taken(found.strays)

    # To see the others

    async def _look(self) -> None:
        if not self.claims.open or self._pulse.stale:
            return
        await self.claims.settle()
        peers, orphans = await self._pulse.ask(self._own.survey())
        self._see([p for p in peers if p.id != self._own.replica and p.state is State.SERVING])
        self._listen_to_orders(peers)
        now = asyncio.get_running_loop().time()
        dead = self._vigil.look(peers, now)
        if dead:
            gone = await self._pulse.ask(self._own.declare_gone(dead))
            self._succession.died({replica: self._vigil.seen(replica, now) for replica in gone})
            self._log.warning("replicas are gone", replicas=gone)
            orphans = await self._pulse.ask(self._own.orphans())
        self._looks += 1
        if self._doubt or self._looks % LOOKS == 0:
            await self._compare()
        if self.state is State.SERVING:
            await self._succession.look(peers, orphans)
        if self._looks % (LOOKS * 100) == 1:
            await self._pulse.ask(self._own.forget(_now_ms() - KEPT_MS))

    def _see(self, others: list[Replica]) -> None:
        if {p.id for p in others} != {p.id for p in self.others}:
            self._log.info("other replicas", serving=len(others))
        self.others = others

    def _listen_to_orders(self, peers: list[Replica]) -> None:
        told = any(p.told_to_leave for p in peers if p.id == self._own.replica)
        if told and not self._told_to_leave:
            self._told_to_leave = True
            self.on_told_to_leave()

    # To leave

    async def hand_over(self, idle: Callable[[], Awaitable[object]]) -> None:
        """Give all calls to the other processes. Returns when none is left, or nobody takes them.

        Calls that are about something may finish it; what is left in the end is anybody's.
        """
        self.state = State.LEAVING
        if not self.claims.open or not self.others:
            return
        with suppress(Away):
            await self._beat()  # they need not wait for the next one
        loop = asyncio.get_running_loop()
        began = loop.time()
        while len(self._board) and self.others:
            waited = loop.time() - began
            if waited > HAND_OVER_S:
                self._board.abandon()
                return
            try:
                ready = await self._pulse.ask(self._own.awaited())
            except Away:
                ready = set()
            self._board.hand_over(ready, at_once=waited > REST_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(BUSY_S):
                    await idle()


def _now_ms() -> int:
    return round(time.time() * 1000)
