"""A session whose call may pass from process to process: taken over, handed over, or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.outcomes import Transfer
from offhook.core.resume import resume
from offhook.realtime import conversation, surface
from offhook.runtime.checkpoint import Upto
from offhook.runtime.cloud import Cloud, Socket
from offhook.runtime.grip import Grip
from offhook.runtime.hold import Hold
from offhook.runtime.line import Line
from offhook.runtime.narrator import Narrator
from offhook.runtime.overheard import Overheard, event_id
from offhook.runtime.pulse import Away
from offhook.runtime.revival import Revived
from offhook.runtime.scribe import Scribe
from offhook.runtime.session import Session

Ended: TypeAlias = Callable[["OwnedSession"], None]

HEAR_S = 1.0  # for a ping to come back
ASKS = 10_000  # more than one process asks for; each has numbers of its own


class OwnedSession(Session):
    """Acts for its call as long as `hold` says so; without one, nobody else can have the call."""

    def __init__(
        self,
        line: Line,
        cloud: Cloud,
        narrator: Narrator,
        ended: Ended,
        scribe: Scribe | None = None,
        hold: Hold | None = None,
    ) -> None:
        super().__init__(line, cloud, narrator, lambda _: ended(self), scribe)
        self.hold = hold
        self._grip = Grip(hold, scribe)
        self._waiting = False
        self._parting = False
        self._heard: Overheard | None = None
        self._last: Revived | None = None  # the call as another process has left it
        self._since = 0.0

    def take_over(self, revived: Revived, heard: Overheard | None, since: float) -> None:
        """Go on with a call that another process has begun.

        `heard` is a sideband of it; `since` is when its last owner last showed itself.
        """
        self._second_hand = True
        self._heard, self._last, self._since = heard, revived, since
        asks = (revived.lease.fence - 1) * ASKS
        self._surface = surface.revive(
            self._line.config,
            self._line.response_limit,
            revived.call,
            asks=asks,
            overheard=heard is not None,
            epoch=self._surface.epoch,
        )
        self.call, commands = resume(revived.call, self._loop.time())
        if self._scribe is not None:
            self._scribe.took_over(self.call, revived.places, revived.by or "")
        self._stepping = True
        self._start_all(commands)
        self._stepping = False
        self._work()

    async def _open(self, within: float) -> tuple[Socket, list[bytes]]:
        heard, self._heard = self._heard, None
        seen = self._last.seen if self._last is not None else None
        line = await (super()._open(within) if heard is None else heard.taken(seen))
        if self._last is not None:
            gap = self._loop.time() - self._since
            self._narrator.took_over(self.call, self._last.by, gap)
            self._last = None
        return line

    # What may be done, and when

    def _pauses(self) -> bool:
        """Whether nothing may be done just now; then it is done later."""
        if not self._grip.loose:
            return False
        if not self._waiting:
            self._waiting = True
            self._spawn(self._go_on())
        return True

    async def _go_on(self) -> None:
        """When it may be, do what had to wait."""
        await self._grip.firm()
        self._waiting = False
        if not self._left:
            self._sideband.catch_up()
            self._time_up()
            self._work()
            self._send_soon()

    async def _confirmed(self) -> bool:
        """Whether what cannot be undone may be done now. If the call is another's, we stop."""
        if not self._left and not await self._grip.confirmed():
            self.fenced()
        return not self._left

    def _start(self, command: do.Command) -> None:
        match command:
            case do.Say("greeting") if self._scribe is not None:
                self._spawn(self._greet(command))
            case _:
                super()._start(command)

    async def _greet(self, command: do.Say) -> None:
        """Nobody is greeted twice: that it was done is on record before it is."""
        if await self._confirmed() and self.call.phase in (Phase.LIVE, Phase.REJOINING):
            self._sideband.catch_up()
            self._converse(conversation.perform, command)
            await self._sideband.flush()

    # To let go

    def transfer(self, reason: str) -> None:
        """This process must leave: send the caller to the first target, if there is one."""
        target = next(iter(self.call.targets), None)
        if target is not None:
            self.post(on.HookAnswered(Transfer(target, reason)))
            self._send_soon()

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way that another process would have to guess at."""
        call = self.call
        quiet = not call.tools.owed and not call.transfer.active
        return call.phase is Phase.LIVE and call.opened and quiet

    async def hand_over(self, *, at_once: bool) -> None:
        """Give the call to its heir, and let go; unless `at_once`, only if it is at rest.

        What the cloud sent before the heir began to listen may still be on its way to us alone,
        so first we hear that. Frames that come afterwards wait; the heir has heard them, too.
        """
        if self._left or self._parting:
            return
        self._parting = True
        try:
            await self._sideband.heard_all(HEAR_S)
            if at_once or self.at_rest:
                await self._give()
        finally:
            self._parting = False

    async def _give(self) -> None:
        try:
            given = await self._grip.give(self.call, Upto(event_id(self.latest), self.keys))
        except Away:  # it will turn out
            self._narrator.unsure()
            return
        if given and not self._left:
            self._narrator.handed_over()
            self.leave()

    def fenced(self) -> None:
        """The call is another process's by now: stop at once, without a word."""
        self._narrator.fenced_off()
        self.leave()

    def leave(self) -> None:
        """Do nothing more for this call, and write nothing more down: others go on with it."""
        if self._left:
            return
        self._left = True
        self._inbox.clear()
        self._tools.abandon(self.call, tuple(t.ref for t in self.call.tools.owed))
        for task in self._tasks - self._tools.tasks - {asyncio.current_task()}:
            task.cancel()
        if self._heard is not None:
            self._spawn(self._heard.close())
        self._let_go()
        self._ended(self)
