"""Failed attempts to get in, counted by address, in a memory that does not grow."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

MOST: Final = 10  # failures within a window before an address has to wait
WINDOW_S: Final = 60.0
ADDRESSES: Final = 4096


class _Streak(Struct):
    began: float
    failures: int = 0


class Attempts:
    """Which addresses have failed `most` times. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float], most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._streaks: OrderedDict[str, _Streak] = OrderedDict()

    def __len__(self) -> int:
        return len(self._streaks)

    def wait_s(self, address: str) -> float:
        """How long this address has to wait before its next attempt; 0: it may try."""
        streak = self._current(_network(address))
        if streak is None or streak.failures < self._most:
            return 0.0
        return streak.began + WINDOW_S - self._clock()

    def failed(self, address: str) -> bool:
        """Count a failure; whether it is the one with which the waiting begins."""
        network = _network(address)
        streak = self._current(network)
        if streak is None:
            streak = self._streaks[network] = _Streak(self._clock())
            if len(self._streaks) > ADDRESSES:
                self._streaks.popitem(last=False)
        streak.failures += 1
        return streak.failures == self._most

    def _current(self, network: str) -> _Streak | None:
        streak = self._streaks.get(network)
        if streak is not None and self._clock() - streak.began >= WINDOW_S:
            del self._streaks[network]
            return None
        return streak


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the /64, all of which one person has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))
