"""Writes down each webhook that comes in, and what became of it."""

from __future__ import annotations

import secrets
import time

from offhook.store.facts import DeliveryFact
from offhook.store.writer import Writer

REFUSED_A_SECOND = 10  # anybody can send what is refused, and must not fill the disk with it
_RANDOM_BITS = 20


class Deliveries:
    """The book of deliveries. Those that are refused are only counted beyond a few a second."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._second = 0
        self._refused = 0

    def note(
        self,
        began: float,
        result: str,
        status: int = 200,
        *,
        delivery_id: str | None = None,
        event_type: str | None = None,
        call_id: str | None = None,
    ) -> None:
        """Note one that is answered now; `began` is when it came in, by `time.perf_counter()`."""
        now = time.time()
        if status != 200 and not self._has_room(int(now)):
            return
        at = round(now * 1000)
        fact = DeliveryFact(
            id=at << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS),
            at=at,
            result=result,
            status=status,
            took_us=round((time.perf_counter() - began) * 1e6),
            delivery_id=delivery_id or None,
            event_type=event_type,
            call_id=call_id,
        )
        self._writer.take([fact])

    def _has_room(self, second: int) -> bool:
        if second != self._second:
            self._second, self._refused = second, 0
        self._refused += 1
        return self._refused <= REFUSED_A_SECOND
