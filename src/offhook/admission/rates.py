"""How often one number has called: a window that slides, with a bound on what it remembers."""

from __future__ import annotations

from collections import deque

HOUR = 3600.0
MOST = 100_000  # callers, so that a flood of made-up numbers cannot fill the memory


class Rates:
    """The calls of the last hour by line and caller. `now` only ever goes forward."""

    def __init__(self, window: float = HOUR, most: int = MOST) -> None:
        self._window = window
        self._most = most
        self._rang: dict[tuple[str, str], deque[float]] = {}

    def __len__(self) -> int:
        return len(self._rang)

    def count(self, line: str, caller: str, now: float) -> int:
        """How many calls were let in within the window."""
        times = self._rang.get((line, caller))
        if times is None:
            return 0
        while times and times[0] <= now - self._window:
            times.popleft()
        return len(times)

    def add(self, line: str, caller: str, now: float) -> None:
        """One more was let in. Who called the longest time ago is forgotten first."""
        key = (line, caller)
        times = self._rang.pop(key, None)
        if times is None:
            times = deque()
            self._forget(now)
        times.append(now)
        self._rang[key] = times

    def _forget(self, now: float) -> None:
        """At most two go for one that comes, so that none pays for many."""
        for _ in range(2):
            oldest = next(iter(self._rang), None)
            if oldest is None:
                return
            if len(self._rang) < self._most and self._rang[oldest][-1] > now - self._window:
                return
            del self._rang[oldest]
