"""Takes what the webhook brings: one session for each call, once, however often it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import StrEnum

from offhook.core.call import Call, Phase
from offhook.core.directives import Directive
from offhook.core.end import Refused, Verdict
from offhook.core.party import Party
from offhook.core.step import ring
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.realtime import requests
from offhook.runtime.admission import Admission, Ring
from offhook.runtime.cloud import Cloud
from offhook.runtime.cloud import Refused as CloudRefused
from offhook.runtime.directory import Directory
from offhook.runtime.journal import Archive
from offhook.runtime.journaled import JournaledSession
from offhook.runtime.line import Line
from offhook.runtime.meter import Meter
from offhook.runtime.narrator import Narrator
from offhook.runtime.scribe import Desk, Scribe
from offhook.runtime.session import Session
from offhook.runtime.watch import Watch

REMEMBER_S = 24 * 3600.0  # how long a delivery or a call is known as a repeat
REMEMBER_MOST = 200_000  # of each, so that a flood cannot fill the memory
TURN_AWAY_S = 5.0


class Taken(StrEnum):
    """What became of a delivery. The webhook answers 200 to all of them."""

    STARTED = "started"
    DUPLICATE = "duplicate"
    REFUSED = "refused"  # by a rule of admission
    FORWARDED = "forwarded"  # by a rule of admission: accepted, to be transferred at once
    TURNED_AWAY = "turned_away"  # we are leaving: the trunk must try somebody else


class Memory:
    """The ids of a day, the oldest forgotten first."""

    def __init__(self, most: int = REMEMBER_MOST) -> None:
        self._most = most
        self._seen: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def is_new(self, key: str, now: float) -> bool:
        """Whether this id is seen for the first time; it is known from now on."""
        if key in self._seen:
            return False
        self._forget_one(now)
        self._seen[key] = now
        return True

    def _forget_one(self, now: float) -> None:
        """One goes for one that comes: memory is bounded, and none pays for many."""
        oldest = next(iter(self._seen), None)
        if oldest is None:
            return
        if len(self._seen) >= self._most or self._seen[oldest] <= now - REMEMBER_S:
            del self._seen[oldest]


class Switchboard:
    """All live calls of this process."""

    def __init__(
        self,
        directory: Directory,
        cloud: Cloud,
        metrics: Metrics,
        admission: Admission,
        *,
        words: bool = False,
        desk: Desk | None = None,
        meter: Meter | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._directory = directory
        self._cloud = cloud
        self._metrics = metrics
        self._words = words
        self._desk = desk  # without one, calls are not written down
        self._admission = admission
        self._meter = meter or Meter(metrics)
        self._watch = watch
        self._archive: Archive | None = None  # from the first call on that keeps a journal
        self._log = get_logger("call")
        self._sessions: dict[str, Session] = {}
        self._deliveries = Memory()
        self._calls = Memory()
        self._idle = asyncio.Event()
        self._idle.set()
        self._chores: set[asyncio.Task[None]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def incoming(self, delivery_id: str, call_id: str, caller: Party, called: str | None) -> Taken:
        """Take one signed delivery of `realtime.call.incoming`. Never blocks."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        fresh = self._deliveries.is_new(delivery_id, now)
        if not self._calls.is_new(call_id, now) or not fresh:
            return Taken.DUPLICATE
        if self.draining:
            self._chore(self._turn_away(call_id))
            return Taken.TURNED_AWAY
        found = self._directory.find(called)
        verdict = self._admission.check(Ring(call_id, caller, called, found))
        line = found or self._directory.first
        call, commands = ring(
            call_id,
            line.rules,
            now,
            caller=caller,
            called=called,
            language=line.language,
            line=line.plan.name if found else "",
            verdict=verdict,
        )
        session = self._session(call, line)
        self._sessions[call_id] = session
        self._idle.clear()
        self._metrics.live_calls(len(self._sessions))
        session.begin(call, commands)
        return Taken.STARTED if verdict is None else self._judged(call, verdict)

    def _judged(self, call: Call, verdict: Verdict) -> Taken:
        """Tell what a rule of admission has decided."""
        told = {"call_id": call.id, "line": call.line, "reason": verdict.reason}
        if isinstance(verdict, Refused):
            self._metrics.refused(verdict.reason)
            self._log.warning("refused", **told, code=verdict.code, detail=verdict.why)
            return Taken.REFUSED
        self._metrics.forwarded(verdict.reason)
        self._log.warning("forwarded", **told, target=verdict.target, detail=verdict.why)
        return Taken.FORWARDED

    def direct(self, call_id: str, directive: Directive, by: str) -> bool:
        """Tell a live call what to do, in the name of `by`. False: there is no such live call.

        Never blocks. What came of it is in the call's `instructions`, and in its record.
        """
        session = self._sessions.get(call_id)
        if session is None:
            return False
        session.direct(directive, by)
        return True

    def _session(self, call: Call, line: Line) -> Session:
        narrator = Narrator(
            call.id, self._metrics, words=self._words, meter=self._meter, watch=self._watch
        )
        clock = asyncio.get_running_loop().time
        scribe = None if self._desk is None else Scribe(self._desk, call, clock)
        talks = call.phase is not Phase.REJECTING and call.forward is None
        if line.journals is None or not talks or not call.consent.keeping:
            return Session(line, self._cloud, narrator, self._ended, scribe)
        if self._archive is None:
            self._archive = Archive(line.journals)
        journal = self._archive.open(call.id, call.rang_at)
        return JournaledSession(line, self._cloud, narrator, self._ended, scribe, journal)

    def _ended(self, session: Session) -> None:
        self._sessions.pop(session.call.id, None)
        self._metrics.live_calls(len(self._sessions))
        self._admission.ended(session.call)
        self._chore(session.settled())
        if not self._sessions:
            self._idle.set()

    async def _turn_away(self, call_id: str) -> None:
        request = requests.reject(self._directory.first.rules.reject_code)
        try:
            await self._cloud.post(call_id, request, TURN_AWAY_S)
        except CloudRefused as r:
            self._log.warning("reject failed", call_id=call_id, detail=r.detail)

    def _chore(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def idle(self) -> None:
        """Wait until no call is live."""
        await self._idle.wait()

    def hang_up(self) -> None:
        """End every call at once."""
        for session in self:
            session.shut_down()
            session.shut_down()  # told twice, a call ends without its goodbye

    async def drain(self, patience: float) -> None:
        """Take no more calls; wait `patience` seconds, then end politely those that are left."""
        self.draining = True
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            self._log.info("ending live calls", calls=len(self._sessions))
            for session in self:
                session.shut_down()
            limits = self._directory.first.rules.limits
            with_grace = limits.goodbye + limits.hang_up
            try:
                async with asyncio.timeout(with_grace):
                    await self._idle.wait()
            except TimeoutError:
                self._log.error("calls are left behind", calls=len(self._sessions))
        if self._chores:
            await asyncio.wait(self._chores, timeout=TURN_AWAY_S)
        if self._archive is not None:
            self._archive.close()
