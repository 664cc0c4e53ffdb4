"""What one session knows of its right to act for its call, and how it makes sure of it."""

from __future__ import annotations

from offhook.runtime.pulse import Away, Pulse
from offhook.store.ownership import Lease, Ownership


class Hold:
    """One lease in the hands of one session.

    `claimed`: the database knows of it. Before that, as while the database is away, the cloud's
    word counts: it accepts a call once.
    """

    def __init__(
        self, ownership: Ownership, pulse: Pulse, lease: Lease, *, claimed: bool = True
    ) -> None:
        self._ownership = ownership
        self._pulse = pulse
        self.lease = lease
        self.claimed = claimed

    @property
    def stale(self) -> bool:
        """Whether others may have taken us for dead, so that nothing may be done just now."""
        return self._pulse.stale

    async def fresh(self) -> None:
        """Wait until we are known to be alive."""
        await self._pulse.fresh()

    async def holds(self) -> bool:
        """Whether the call is still ours. While nobody can tell, it is: nobody can take it."""
        while True:
            await self._pulse.fresh()
            if not self.claimed:
                return True
            try:
                held = await self._pulse.ask(self._ownership.holds(self.lease))
            except Away:
                held = True
            if not held or not self._pulse.stale:
                return held or not self.claimed

    async def hand_over(self) -> bool:
        """Give the call to its heir. Raises `Away` if nobody knows whether that has happened."""
        try:
            return await self._pulse.ask(self._ownership.hand_over(self.lease))
        except Away:  # it may have, and only its answer was late
            return not await self._pulse.ask(self._ownership.holds(self.lease))
