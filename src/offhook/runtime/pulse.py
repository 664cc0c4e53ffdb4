"""The heartbeat of this process, and whether it may be sure to be taken for alive.

A process that is stopped, or a laptop that sleeps, does not notice. Others do: they take its calls
after `patience` seconds without a beat. So before anything is done for a call, the last beat must
be fresh by a clock that goes on meanwhile; else everything waits for the next one.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")

ASK_S = 1.0  # one question to the database
SILENT_S = 2.0  # it is away if it has been asked for so long and has answered nothing
BEAT = 1 / 3  # of the patience: how long one beat may take
AWAKE = 1 / 2  # of it: who needs longer to notice that a beat failed was stopped meanwhile
FRESH = 3 / 4  # of it: the rest is for what has been begun


def _awake_and_asleep() -> Callable[[], float]:
    """A clock that also counts while the machine sleeps, where there is one."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        return time.monotonic
    return partial(time.clock_gettime, boottime)


class Away(Exception):  # noqa: N818  # not an error of the program: an answer
    """The database does not answer."""


class Pulse:
    """Knows when this process was last known to be alive.

    While the database is away nobody can be taken for dead, and everybody goes on.
    """

    def __init__(self, patience: float, clock: Callable[[], float] | None = None) -> None:
        clock = clock or _awake_and_asleep()
        self._patience = patience
        self._clock = clock
        self._fresh_until = math.inf  # nobody knows of us yet, or can take us for dead
        self._beaten = asyncio.Event()  # a pulse
        self._unanswered_since: float | None = None
        self.away = False  # whether nobody can ask the database just now

    @property
    def stale(self) -> bool:
        """Whether others may have taken us for dead."""
        return self._clock() > self._fresh_until

    async def fresh(self) -> None:
        """Wait until we are known to be alive."""
        while self.stale:
            await self._beaten.wait()

    async def ask(self, question: Awaitable[T], within: float = ASK_S) -> T:
        """The database's answer. Raises `Away` if there is none in time, whatever the reason."""
        asked = self._clock()
        if self._unanswered_since is None:
            self._unanswered_since = asked
        try:
            async with asyncio.timeout(within):
                answer = await question
        except Exception as error:
            self.away = self.away or not isinstance(error, TimeoutError) or self._silent
            raise Away(type(error).__name__) from error
        self.away, self._unanswered_since = False, None
        return answer

    @property
    def _silent(self) -> bool:
        """One slow question is no absence, as long as others are answered."""
        since = self._unanswered_since
        return since is not None and self._clock() - since >= SILENT_S

    async def beat(self, question: Callable[[], Awaitable[bool]]) -> bool | None:
        """One beat. False: others have taken us for dead. `None`: nobody knows.

        Only an answer, or an absence that we were awake to see, makes us fresh.
        """
        began = self._clock()
        try:
            alive = await self.ask(question(), self._patience * BEAT)
        except Away:
            if self._clock() - began <= self._patience * AWAKE:
                self.confirm()
            return None
        if alive:
            self.confirm(began)
        return alive

    def confirm(self, at: float | None = None) -> None:
        """We were alive at this time, now without one."""
        until = (self._clock() if at is None else at) + self._patience * FRESH
        known = self._fresh_until < math.inf
        self._fresh_until = max(until, self._fresh_until) if known else until
        if not self.stale:
            self._beaten.set()
            self._beaten.clear()
