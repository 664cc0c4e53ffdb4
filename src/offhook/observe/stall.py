"""Finds what blocks the event loop. While it is blocked every caller waits, so its name is told.

A thread looks at a beat of the loop. When that stands still, the thread looks where the loop's
own thread is just now, and tells the innermost line that is not Python's own: most often a tool
that calls something slow without awaiting it.
"""

from __future__ import annotations

import asyncio
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from traceback import FrameSummary, extract_stack
from types import FrameType

from msgspec import Struct

_LIBRARIES = tuple(
    str(Path(place)) for name in ("stdlib", "purelib") if (place := sysconfig.get_path(name))
)


class Stall(Struct, frozen=True):
    """The loop stands still: since how many seconds, and where.

    `where` is the innermost line of somebody's own code, `inside` the innermost line of all.
    """

    seconds: float
    where: str
    inside: str


class StallWatch:
    """Watches the loop that it is started in. `tell` is called from another thread.

    It is called once for each stall longer than `limit` seconds, while that lasts; and for one
    longer than half of that which began when the beat was due.
    """

    def __init__(self, limit: float, tell: Callable[[Stall], None]) -> None:
        self._limit = limit
        self._tell = tell
        self._period = limit / 2  # the looks are most of what an idle server costs
        self._beat = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None
        self._over = threading.Event()

    def start(self) -> None:
        """Begin, in the loop that is to be watched."""
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._pulse()
        threading.Thread(target=self._watch, name="offhook-stall", daemon=True).start()

    def stop(self) -> None:
        """End; the thread is gone within a moment."""
        self._over.set()
        if self._timer is not None:
            self._timer.cancel()

    def _pulse(self) -> None:
        self._beat = time.monotonic()
        self._timer = self._loop.call_later(self._period, self._pulse)

    def _watch(self) -> None:
        told = 0.0
        looked = time.monotonic()
        while not self._over.wait(self._period):
            before, looked = looked, time.monotonic()
            if looked - before > self._limit:
                continue  # we were not let run ourselves: the whole process stood still
            still = looked - self._beat
            if still > self._limit and told != self._beat:
                told = self._beat
                frame = sys._current_frames().get(self._thread_id)
                if frame is not None:
                    self._tell(_stall(still, frame))


def _stall(seconds: float, frame: FrameType) -> Stall:
    stack = extract_stack(frame)
    own = [line for line in stack if not line.filename.startswith((*_LIBRARIES, "<"))]
    return Stall(seconds, _line(own[-1] if own else stack[-1]), _line(stack[-1]))


def _line(line: FrameSummary) -> str:
    return f"{Path(line.filename).name}:{line.lineno} in {line.name}: {line.line or ''}".strip()
