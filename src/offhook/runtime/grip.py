"""What one session may do for its call, and when: it may be another process's any moment.

Nothing at all may be done while others may have taken us for dead, or while the call is being
given away. What cannot be undone is done only once the record of what led to it is safe and the
lease has been found to be ours still.
"""

from __future__ import annotations

import asyncio

from offhook.core.call import Call
from offhook.runtime.checkpoint import Upto
from offhook.runtime.hold import Hold
from offhook.runtime.scribe import Scribe

HAND_OVER_S = 3.0  # for the record of a call that is handed over


class Grip:
    """Without a `hold` nobody else can have the call; without a `scribe` there is no record."""

    def __init__(self, hold: Hold | None, scribe: Scribe | None) -> None:
        self.hold = hold
        self._scribe = scribe
        self._giving: asyncio.Event | None = None

    @property
    def loose(self) -> bool:
        """Whether nothing may be done just now."""
        return self._giving is not None or (self.hold is not None and self.hold.stale)

    async def firm(self) -> None:
        """Wait until something may be done, or the call is gone."""
        while self.loose:
            if self._giving is not None:
                await self._giving.wait()
            elif self.hold is not None:
                await self.hold.fresh()

    async def confirmed(self) -> bool:
        """Whether what cannot be undone may be done now. Waits for the record, but not for long."""
        loop = asyncio.get_running_loop()
        writing = None if self._scribe is None else loop.create_task(self._scribe.settled())
        try:
            held = self.hold is None or await self.hold.holds()
            if writing is not None:
                await writing
        finally:
            if writing is not None:
                writing.cancel()
        if held and self.hold is not None and self.hold.stale:  # the record took long: who knows
            held = await self.hold.holds()
        return held

    async def give(self, call: Call, seen: Upto) -> bool:
        """Write down where the call stands and give it to its heir. Whether that is done.

        Raises `Away` if nobody knows. `seen` is how far we have got.
        """
        if self.hold is None or self._scribe is None or self.loose:
            return False
        self._giving = asyncio.Event()
        try:
            written = await self._scribe.hand_over(call, seen, HAND_OVER_S)
            return written and await self.hold.hand_over()
        finally:
            self._giving.set()
            self._giving = None
