"""Simulated time: one ordered queue of timers that runs as fast as the simulation asks for."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Predicate: TypeAlias = Callable[[], bool]
Pause: TypeAlias = float | Predicate

SETTLE_S = 0.01
"""Real seconds that a client gets to react where simulated time would jump."""


class Timer:
    """One thing to be done later. Cancelling it twice or too late does no harm."""

    __slots__ = ("args", "callback", "due", "number")

    def __init__(
        self, due: float, number: int, callback: Callable[..., object], args: tuple[Any, ...]
    ) -> None:
        self.due = due
        self.number = number
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def __lt__(self, other: Timer) -> bool:
        return (self.due, self.number) < (other.due, other.number)

    def cancel(self) -> None:
        """See to it that the callback is never called."""
        self.callback = None
        self.args = ()


class Clock:
    """Seconds of the simulated world: `speed` of them pass in one real second.

    With an infinite speed time jumps to the next timer. All timers share one heap, so that two
    things happen in the order of their simulated times however coarse the event loop's are.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError("speed must be above zero")
        self.speed = speed
        self._jumps = math.isinf(speed)
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()
        self._heap: list[Timer] = []
        self._count = 0
        self._now = 0.0
        self._running = False
        self._wakes_at = math.inf
        self._wake: asyncio.Handle | None = None

    def now(self) -> float:
        """Simulated seconds since the clock was made; within a timer exactly its due time."""
        if not self._jumps and not self._running:
            self._now = max(self._now, (self._loop.time() - self._origin) * self.speed)
        return self._now

    def later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call back after `delay` simulated seconds."""
        return self.at(self.now() + max(delay, 0.0), callback, *args)

    def at(self, due: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call back at a simulated time; those for the same time in the order of their asking."""
        self._count += 1
        timer = Timer(due, self._count, callback, args)
        heapq.heappush(self._heap, timer)
        if not self._running:
            self._plan()
        return timer

    def guard(self, delay: float, callback: Callable[[], object]) -> Timer | asyncio.TimerHandle:
        """As `later`, for what happens only if nothing else does: time never jumps over it."""
        if self._jumps:
            return self._loop.call_later(delay, callback)
        return self.later(delay, callback)

    def real(self, delay: float) -> float:
        """The seconds of the client's time until a `guard` with this delay."""
        return delay if self._jumps else delay / self.speed

    def patience(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call back after `delay` seconds of the client's time: real ones, at any speed."""
        return self._loop.call_later(delay, callback)

    def settle(self, delay: float, callback: Callable[[], object]) -> Timer | asyncio.TimerHandle:
        """As `later`, but leave the client a moment to act where time jumps."""
        if self._jumps:
            return self._loop.call_later(SETTLE_S, callback)
        return self.later(delay, callback)

    async def sleep(self, delay: float) -> None:
        """Wait for simulated seconds."""
        if delay <= 0:
            return
        done = self._loop.create_future()
        timer = self.later(delay, _resolve, done)
        try:
            await done
        finally:
            timer.cancel()

    def stop(self) -> None:
        """Forget every timer."""
        self._heap.clear()
        if self._wake is not None:
            self._wake.cancel()

    def _plan(self) -> None:
        if not self._heap:
            return
        due = self._heap[0].due
        if self._wake is not None:
            if self._wakes_at <= due:
                return
            self._wake.cancel()
        self._wakes_at = due
        if self._jumps:
            self._wake = self._loop.call_soon(self._run)
        else:
            self._wake = self._loop.call_at(self._origin + due / self.speed, self._run)

    def _run(self) -> None:
        self._wake = None
        limit = math.inf if self._jumps else (self._loop.time() - self._origin) * self.speed
        self._running = True
        try:
            while self._heap and self._heap[0].due <= limit:
                timer = heapq.heappop(self._heap)
                if timer.callback is None:
                    continue
                self._now = max(self._now, timer.due)
                timer.callback(*timer.args)
                if self._jumps:  # one at a time, so that the sockets are read in between
                    break
        finally:
            self._running = False
            self._plan()


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


class Performance:
    """Plays a generator that yields how long to wait: seconds, or a condition to become true.

    Conditions are looked at when they are yielded and at each `poke`.
    """

    def __init__(self, clock: Clock, play: Iterator[Pause]) -> None:
        self._clock = clock
        self._play = play
        self._timer: Timer | None = None
        self._until: Predicate | None = None
        self.over = False

    def start(self) -> None:
        """Play up to the first wait."""
        self._go_on()

    def poke(self) -> None:
        """Something has changed: look whether the wait is over."""
        if self._until is not None and self._until():
            self._until = None
            self._timer = self._clock.later(0.0, self._go_on)

    def stop(self) -> None:
        """Play no further."""
        self.over = True
        self._until = None
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self) -> None:
        self._timer = None
        while not self.over:
            try:
                pause = next(self._play)
            except StopIteration:
                self.over = True
                return
            if callable(pause):
                if pause():
                    continue
                self._until = pause
                return
            self._timer = self._clock.later(pause, self._go_on)
            return
