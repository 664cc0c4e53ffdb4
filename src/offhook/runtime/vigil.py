"""Who of the other replicas beats no longer. No clock is compared with anybody else's."""

from __future__ import annotations

from collections.abc import Iterable

from offhook.store.ownership import Replica


class Vigil:
    """Watches the counts of beats, as one replica sees them in the database.

    A count that stands still for `patience` seconds of watching belongs to a dead replica. Time
    in which we ourselves could not look does not count: when the database has been away, nobody
    could beat.
    """

    def __init__(self, me: str, patience: float) -> None:
        self._me = me
        self._patience = patience
        self._since: dict[str, tuple[int, float]] = {}  # the count, and when we first saw it
        self._looked_at = float("-inf")

    def look(self, replicas: Iterable[Replica], now: float) -> list[Replica]:
        """Those that have stopped. `now` only ever goes forward; look several times a patience."""
        if now - self._looked_at > self._patience / 2:
            self._since.clear()
        self._looked_at = now
        others = {r.id: r for r in replicas if r.id != self._me}
        self._since = {
            r.id: self._since[r.id]
            if self._since.get(r.id, (-1, now))[0] == r.beats
            else (r.beats, now)
            for r in others.values()
        }
        return [r for r in others.values() if now - self._since[r.id][1] >= self._patience]

    def seen(self, replica: str, now: float) -> float:
        """When we last saw it beat; now if we never did."""
        return self._since.get(replica, (0, now))[1]


def share(orphans: int, mine: Replica, peers: Iterable[Replica]) -> int:
    """How many orphans are ours to take, by free capacity; never fewer than one if we have any.

    All of them if nobody has room: a crowded replica is better than a caller without one.
    """
    free = sum(r.free for r in peers)
    if orphans <= 0:
        return 0
    if free == 0:
        return orphans
    return min(orphans, -(-orphans * mine.free // free))
