"""The leases of this process: asked for, held, given back. The database may lag behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from itertools import islice

from msgspec import Struct

from offhook.runtime.hold import Hold
from offhook.runtime.pulse import Away, Pulse
from offhook.runtime.together import MOST, Together
from offhook.store.ownership import Lease, Ownership

CLAIM_S = 3.0  # a caller rather hears it ring once more than two replicas accept the call


class Differences(Struct, frozen=True):
    """What the database says otherwise: calls that are not ours, and some that nobody serves."""

    lost: tuple[str, ...] = ()
    strays: tuple[Lease, ...] = ()


class Claims:
    """Who asks first has the call. `first`: the database is asked before a call is accepted.

    On one machine it need not be: nobody else gets the webhook.
    """

    def __init__(self, ownership: Ownership, pulse: Pulse, *, first: bool) -> None:
        self._own = ownership
        self._pulse = pulse
        self.first = first
        self.open = False  # others know of us: before that, what is ours looks like nobody's
        self._holds: dict[str, Hold] = {}
        self._owed: dict[str, int] = {}  # calls that the database does not know of, and since when
        self._asking: set[str] = set()
        self._questions = Together(self._ask)
        self._settling = asyncio.Lock()
        self.owing = asyncio.Event()  # there is something to tell the database
        self._over: dict[str, Lease] = {}

    async def claim(self, call_id: str) -> Hold | None:
        """Have a call that has just rung. `None`: another process has it.

        Those that ring at the same time are claimed together. If the database does not answer,
        the cloud decides: it accepts a call once.
        """
        rang_at = _now_ms()
        if not self.open or self._pulse.away:
            return self.claim_behind(call_id, rang_at)
        self._asking.add(call_id)
        try:
            lease = await self._questions.answer(call_id, rang_at)
        except Away:
            return self.claim_behind(call_id, rang_at)
        finally:
            self._asking.discard(call_id)
        return None if lease is None else self.take(lease)

    async def _ask(self, rang: Mapping[str, int]) -> Mapping[str, Lease]:
        if self._pulse.away:  # who has waited for the last question need not wait for another
            raise Away
        claimed = await self._pulse.ask(self._own.claim(rang), CLAIM_S)
        return {lease.call_id: lease for lease in claimed}

    def claim_behind(self, call_id: str, rang_at: int | None = None) -> Hold:
        """Have a call now, and tell the database later."""
        self._owed[call_id] = _now_ms() if rang_at is None else rang_at
        self.owing.set()
        return self._hold(Hold(self._own, self._pulse, Lease(call_id, 1), claimed=False))

    def take(self, lease: Lease) -> Hold:
        """Hold a call that the database has given to us."""
        return self._hold(Hold(self._own, self._pulse, lease))

    def _hold(self, hold: Hold) -> Hold:
        self._holds[hold.lease.call_id] = hold
        return hold

    def release(self, hold: Hold, *, over: bool) -> None:
        """We have nothing more to do with a call, because it is over or another's."""
        call_id = hold.lease.call_id
        if self._holds.get(call_id) is hold:
            del self._holds[call_id]
        if over:
            self._over[call_id] = hold.lease

    async def settle(self) -> None:
        """Tell the database what it does not know yet. Raises `Away`."""
        async with self._settling:
            self.owing.clear()
            await self._settle()

    async def _settle(self) -> None:
        while owed := dict(islice(self._owed.items(), MOST)):
            claimed = await self._pulse.ask(self._own.claim(owed), CLAIM_S)
            ours = {lease.call_id: lease for lease in claimed}
            # Others may be our own, from a try whose answer was lost.
            rest = await self._pulse.ask(self._own.given(owed.keys() - ours.keys()))
            self._settled(owed, {**ours, **{lease.call_id: lease for lease in rest}})
        if over := dict(self._over):
            await self._pulse.ask(self._own.end(over.values(), _now_ms()))
            for call_id in over:
                del self._over[call_id]

    def _settled(self, owed: Mapping[str, int], ours: Mapping[str, Lease]) -> None:
        for call_id in owed:
            del self._owed[call_id]
            hold, lease = self._holds.get(call_id), ours.get(call_id)
            if lease is not None and hold is not None:
                hold.lease, hold.claimed = lease, True

    async def compare(self) -> Differences:
        """What has become of our calls without our knowing. Raises `Away`."""
        before = dict(self._holds)
        ours = {lease.call_id: lease for lease in await self._pulse.ask(self._own.mine())}
        lost = tuple(
            call_id
            for call_id, hold in before.items()
            if hold.claimed and self._holds.get(call_id) is hold and ours.get(call_id) != hold.lease
        )
        busy = {*self._holds, *before, *self._asking, *self._over}
        return Differences(lost, tuple(lease for c, lease in ours.items() if c not in busy))


def _now_ms() -> int:
    return round(time.time() * 1000)
