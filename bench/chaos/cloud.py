"""The simulator, with an eye on each call: who was attached when, and which sideband sent what."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from msgspec import Struct

from bench.chaos.bot import GREETING
from offhook.simulator import Call, Faults, Script, Simulator
from offhook.simulator.sideband import Sideband
from offhook.simulator.webhooks import Delivery
from offhook.simulator.wire import Json

CALLED = "+493023125100"


class Sent(Struct, frozen=True):
    """A client event: when it came (monotonic seconds), on the how-manieth sideband, and what."""

    at: float
    sideband: int
    body: Json


class Watched(Call):
    """A call that remembers more than its trace. Times are real and monotonic."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.sent: list[Sent] = []
        self.attached_at: list[float] = []
        self.rang_at = monotonic()
        self.ended_at: float | None = None
        self._numbers: dict[Sideband, int] = {}
        self._readers: dict[asyncio.Task[Any] | None, int] = {}
        self._alone_since: float | None = None
        self._gaps: list[float] = []

    def attach(self, sideband: Sideband) -> None:
        """As the cloud does, and look at the clock."""
        now = monotonic()
        number = self._numbers[sideband] = len(self.attached_at)
        self._readers[asyncio.current_task()] = number
        self.attached_at.append(now)
        if self._alone_since is not None:
            self._gaps.append(now - self._alone_since)
            self._alone_since = None
        super().attach(sideband)

    def detach(self, sideband: Sideband, code: int | None) -> None:
        """The same."""
        self._numbers.pop(sideband, None)
        if not self._numbers and not self.over:
            self._alone_since = monotonic()
        super().detach(sideband, code)

    def drop_sideband(self, for_s: float = 0.0) -> None:
        """The same."""
        self.mark("sideband_dropped")
        super().drop_sideband(for_s)

    def receive(self, body: Json) -> None:
        """The same."""
        number = self._readers.get(asyncio.current_task(), -1)
        self.sent.append(Sent(monotonic(), number, body))
        super().receive(body)

    def end(self, reason: str) -> None:
        """The same."""
        if not self.over:
            self.ended_at = monotonic()
        super().end(reason)

    # What is read afterwards

    @property
    def listened_to(self) -> bool:
        """Whether a sideband is attached now."""
        return bool(self._numbers)

    @property
    def gaps(self) -> list[float]:
        """Seconds without a sideband, after the first; one that goes on counts up to now."""
        if self._alone_since is None:
            return self._gaps
        return [*self._gaps, (self.ended_at or monotonic()) - self._alone_since]

    @property
    def accepts_taken(self) -> int:
        """How many accepts the cloud took."""
        return sum(m.detail["status"] == 200 for m in self.marks("accept"))

    @property
    def accepts_refused(self) -> int:
        """How many it did not."""
        return len(self.marks("accept")) - self.accepts_taken

    @property
    def greetings(self) -> int:
        """How often somebody ordered the greeting."""
        kind = "conversation.item.create"
        return sum(s.body.get("type") == kind and GREETING in str(s.body) for s in self.sent)

    @property
    def reason(self) -> str:
        """Why it ended, empty while it goes on."""
        ended = self.marks("call_ended")
        return str(ended[0].detail["reason"]) if ended else ""

    @property
    def answers(self) -> dict[str, int]:
        """How often each function call was answered, 0 where it was not.

        One that was made while no sideband was there to tell of it is not among them.
        """
        return self._count(told=True)

    @property
    def answers_unheard(self) -> dict[str, int]:
        """The same of those that were made while no sideband was there to tell of them."""
        return self._count(told=False)

    def _count(self, *, told: bool) -> dict[str, int]:
        counts: dict[str, int] = {}
        attached = True
        for mark in self.trace:
            match mark.kind:
                case "sideband_dropped" | "attach":
                    attached = mark.kind == "attach"
                case "tool_asked" if attached is told:
                    counts[str(mark.detail["call_id"])] = 0
                case "tool_answered" if mark.detail["call_id"] in counts:
                    counts[str(mark.detail["call_id"])] += 1
        return counts

    @property
    def relapses(self) -> int:
        """How often a sideband spoke after a younger one had: two owners acted."""
        youngest, found = 0, 0
        for each in self.sent:
            found += each.sideband < youngest
            youngest = max(youngest, each.sideband)
        return found

    @property
    def heard(self) -> list[tuple[str, str]]:
        """Who said what, as it was heard; without what was cut off."""
        who = {"caller_said": "caller", "bot_said": "bot"}
        return [
            (who[m.kind], str(m.detail["text"]))
            for m in self.trace
            if m.kind in who and not m.detail.get("interrupted")
        ]


class Cloud(Simulator):
    """A simulator whose calls are watched."""

    def place(self, script: Script, faults: Faults | None = None) -> Watched:
        """A call that begins to ring, before anybody is told."""
        call = Watched(
            script,
            clock=self._clock,
            profile=self.profile,
            timings=self._timings,
            faults=faults or self.faults,
            beliefs=self.beliefs,
        )
        self.calls[call.call_id] = call
        call.ring()
        return call

    async def phone(self, webhook: str, script: Script, faults: Faults | None = None) -> Watched:
        """`place` and `announce` to one replica."""
        call = self.place(script, faults)
        await self.announce(call, webhook, caller="+493023125001", caller_name=None, called=CALLED)
        return call

    async def post(self, delivery: Delivery, faults: Faults) -> int:
        """Send one signed delivery; the HTTP status of the answer, 0 for none."""
        return await self._courier.attempt(delivery, faults)
