"""Goes on with the calls of other processes: of those that have died, and of those that leave."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from offhook.config import Replicas
from offhook.core.call import Phase
from offhook.core.events import Refusal
from offhook.core.rules import Rules
from offhook.runtime.claims import Claims
from offhook.runtime.cloud import Cloud, Refused
from offhook.runtime.hold import Hold
from offhook.runtime.overheard import Overheard
from offhook.runtime.pulse import Away, Pulse
from offhook.runtime.revival import Revival, Revived
from offhook.runtime.vigil import share
from offhook.store.ownership import Lease, Ownership, Replica, State
from offhook.store.writer import Writer

SWEEP_S = 2.0  # how long what the dead have left on our disk is waited for
ATTACH_S = 3.0
QUIET_S = 1.0  # where nothing is heard for so long, nothing can have been missed
READ_S = 5.0  # for all calls of a process that has died


class Board(Protocol):
    """Where the calls are."""

    def rules_of(self, line: str) -> Rules:
        """What the calls of a line, by its name, have in common."""
        ...

    def __len__(self) -> int: ...

    def take_over(
        self, revived: Revived, hold: Hold, heard: Overheard | None, since: float
    ) -> None:
        """Go on with a call; `since` is when its last owner last showed itself."""

    def hand_over(self, call_ids: Iterable[str], *, at_once: bool) -> None:
        """Give these calls to their heirs; unless `at_once`, only those that are at rest."""

    def fence(self, call_id: str) -> None:
        """Stop acting for a call that is another's."""

    def abandon(self) -> None:
        """Stop acting for all calls: others will take them."""

    def remember(self, call_ids: Iterable[str]) -> None:
        """Webhooks of these calls are repeats."""


class Succession:
    """What becomes ours, and how far we are with it."""

    board: Board

    def __init__(
        self,
        ownership: Ownership,
        pulse: Pulse,
        claims: Claims,
        revival: Revival,
        cloud: Cloud,
        writer: Writer,
        settings: Replicas,
    ) -> None:
        self._own = ownership
        self._pulse = pulse
        self._claims = claims
        self._revival = revival
        self._cloud = cloud
        self._writer = writer
        self._listens = settings.handover == "attach_first"
        self._last_seen: dict[str, float] = {}  # the dead, on our clock
        self._taken: dict[str, Lease] = {}  # ours, but nobody acts for them yet
        self._heirlooms: dict[str, Overheard | None] = {}  # not ours yet
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether calls are being handed over to us."""
        return bool(self._heirlooms)

    def died(self, replicas: dict[str, float]) -> None:
        """These were last seen at these times."""
        self._last_seen |= replicas

    def taken(self, leases: Iterable[Lease]) -> None:
        """These calls are ours, and nobody acts for them."""
        self._taken |= {lease.call_id: lease for lease in leases}

    async def look(self, peers: Sequence[Replica], orphans: int) -> None:
        """Take what is to be taken now; so many calls are `orphans`. Raises `Away`."""
        me = next((p for p in peers if p.id == self._own.replica), None)
        if me is None:
            return
        if orphans:
            await self._writer.adopted(SWEEP_S)  # what one on this machine had still in its spool
            most = share(orphans, me, peers)
            self.taken(await self._pulse.ask(self._own.take_orphans(most)))
        await self._inherit(me, peers)
        if self._taken:
            await self._go_on()

    async def _go_on(self) -> None:
        taken = dict(self._taken)
        revived = await self._pulse.ask(
            self._revival.read(taken.values(), self.board.rules_of), READ_S
        )
        now = asyncio.get_running_loop().time()
        for each in revived:
            call_id = each.lease.call_id
            self._taken.pop(call_id, None)
            hold = self._claims.take(each.lease)
            heard = self._heirlooms.pop(call_id, None)
            if each.call.phase is Phase.ENDED:
                self._claims.release(hold, over=True)
                self._close(heard)
            else:
                since = self._last_seen.get(each.by or "", now)
                self.board.take_over(each, hold, heard, since)

    # From those that leave

    async def _inherit(self, me: Replica, peers: Sequence[Replica]) -> None:
        leaving = [p for p in peers if p.state is State.LEAVING and p.id != me.id]
        if leaving:
            offered = sum(p.live for p in leaving)
            most = share(offered, me, peers) - len(self._heirlooms)
            await self._pulse.ask(self._own.inherit(most))
        if not leaving and not self._heirlooms:
            return
        # In this order: what is given in between is no longer expected, and is not yet over.
        expected = await self._pulse.ask(self._own.expected())
        self.taken(await self._pulse.ask(self._own.given(self._heirlooms)))
        for call_id in expected - self._heirlooms.keys():
            self._heirlooms[call_id] = None
            self._spawn(self._get_ready(call_id))
        for call_id in self._heirlooms.keys() - expected - self._taken.keys():
            self._close(self._heirlooms.pop(call_id))  # over, or another's

    async def _get_ready(self, call_id: str) -> None:
        """Listen to the call before its owner lets go, or else be ready without."""
        heard = None
        try:
            if self._listens:
                heard = Overheard(await self._cloud.attach(call_id, ATTACH_S))
                await heard.hears(QUIET_S)
        except Refused as r:
            if r.refusal is Refusal.GONE:
                await self._decline(call_id)
                return
        if call_id not in self._heirlooms:
            self._close(heard)
            return
        self._heirlooms[call_id] = heard
        try:
            await self._pulse.ask(self._own.ready([call_id]))
        except Away:
            await self._decline(call_id)

    async def _decline(self, call_id: str) -> None:
        self._close(self._heirlooms.pop(call_id, None))
        with suppress(Away):  # then its owner keeps it, or it becomes anybody's
            await self._pulse.ask(self._own.decline([call_id]))

    def _close(self, heard: Overheard | None) -> None:
        if heard is not None:
            self._spawn(heard.close())

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Listen to nothing any more."""
        for heard in self._heirlooms.values():
            self._close(heard)
        self._heirlooms.clear()
        while self._tasks:
            await asyncio.wait(self._tasks)
