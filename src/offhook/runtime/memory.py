"""Remembers which ids have been seen within a day, in little room that never grows."""

from __future__ import annotations

from array import array

REMEMBER_S = 24 * 3600.0  # how long an id is known at least, unless too many come after it
REMEMBER_MOST = 190_000  # ids; of a flood at least the last half of them is known

_BITS = (1 << 64) - 1


class Memory:
    """The ids of a day, 8 bytes for each, in two tables that are there from the start.

    New ids go into the younger table. When that is full or a day old, it becomes the older one,
    and what was in that is forgotten: so no id costs the time or the memory that others have
    taken. Of an id its hash is kept; Python's has 64 bits and is keyed by a secret of the process,
    so two of a day are alike by one chance in 10^9, and nobody can look for such a pair.
    """

    def __init__(self, most: int = REMEMBER_MOST) -> None:
        self._each = max(most // 2, 1)
        self._younger, self._older = _Table(self._each), _Table(self._each)
        self._began = 0.0  # the first id of the younger one

    def __len__(self) -> int:
        return len(self._younger) + len(self._older)

    def is_new(self, key: str, now: float) -> bool:
        """Whether this id is seen for the first time; it is known from now on.

        `now` is in seconds on a clock that only goes forward.
        """
        mark = hash(key) & _BITS or 1  # 0 is a free place
        if mark in self._younger or mark in self._older:
            return False
        if len(self._younger) >= self._each or self._began <= now - REMEMBER_S:
            self._turn_over()
        if not len(self._younger):
            self._began = now
        self._younger.add(mark)
        return True

    def _turn_over(self) -> None:
        if len(self._younger):
            self._younger, self._older = _Table(self._each), self._younger


class _Table:
    """A set of numbers in an array (open addressing, at most three quarters full)."""

    def __init__(self, most: int) -> None:
        self._mask = (1 << (most * 4 // 3).bit_length()) - 1
        self._places = array("Q", bytes(8 * (self._mask + 1)))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, mark: int) -> bool:
        return self._places[self._find(mark)] == mark

    def add(self, mark: int) -> None:
        """Put it in; it must not be there yet."""
        self._places[self._find(mark)] = mark
        self._count += 1

    def _find(self, mark: int) -> int:
        """Where it is or, if it is not there, where it belongs."""
        places, mask = self._places, self._mask
        at = mark & mask
        while places[at] and places[at] != mark:
            at = (at + 1) & mask
        return at
