"""Takes what the webhook brings: one session for each call, once, however often it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Literal

from offhook.core.call import Call, Phase
from offhook.core.directives import Directive
from offhook.core.end import Refused, Verdict
from offhook.core.party import Party
from offhook.core.rules import Rules
from offhook.core.step import Stepped, ring
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.realtime import requests
from offhook.runtime.admission import Admission, Ring
from offhook.runtime.claims import Claims
from offhook.runtime.cloud import Cloud
from offhook.runtime.cloud import Refused as CloudRefused
from offhook.runtime.desk import Desk
from offhook.runtime.directory import Directory
from offhook.runtime.hold import Hold
from offhook.runtime.journal import Archive
from offhook.runtime.journaled import JournaledSession
from offhook.runtime.line import Line
from offhook.runtime.memory import Memory
from offhook.runtime.meter import Meter
from offhook.runtime.narrator import Narrator
from offhook.runtime.overheard import Overheard
from offhook.runtime.owned import OwnedSession
from offhook.runtime.revival import Revived
from offhook.runtime.scribe import Scribe
from offhook.runtime.tenure import Tenure
from offhook.runtime.watch import Watch

TURN_AWAY_S = 5.0


class Taken(StrEnum):
    """What became of a delivery. The webhook answers 200 to all of them."""

    STARTED = "started"
    DUPLICATE = "duplicate"
    REFUSED = "refused"  # by a rule of admission
    FORWARDED = "forwarded"  # accepted only to be transferred at once
    TURNED_AWAY = "turned_away"  # we are leaving: the trunk must try somebody else


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
        tenure: Tenure | None = None,
        then: Literal["goodbye", "transfer"] = "goodbye",
    ) -> None:
        self._directory = directory
        self._cloud = cloud
        self._metrics = metrics
        self._words = words
        self._desk = desk  # without one, calls are not written down
        self._admission = admission
        self._meter = meter or Meter(metrics)
        self._tenure = tenure  # without one, they are nobody else's either
        self._then = then
        self._watch = watch
        self._archive: Archive | None = None  # from the first call on that keeps a journal
        self._log = get_logger("call")
        self._sessions: dict[str, OwnedSession] = {}
        self._claiming: set[str] = set()
        self._deliveries = Memory()
        self._calls = Memory()
        self._idle = asyncio.Event()
        self._idle.set()
        self._chores: set[asyncio.Task[None]] = set()
        self.draining = False
        if tenure is not None:
            tenure.serve(self)

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[OwnedSession]:
        return iter(tuple(self._sessions.values()))

    def rules_of(self, line: str) -> Rules:
        """What the calls of a line, by its name, have in common."""
        return self._directory.named(line).rules

    # Calls that ring

    def incoming(self, delivery_id: str, call_id: str, caller: Party, called: str | None) -> Taken:
        """Take one signed delivery of `realtime.call.incoming`. Never blocks."""
        now = asyncio.get_running_loop().time()
        fresh = self._deliveries.is_new(delivery_id, now)
        if not self._calls.is_new(call_id, now) or not fresh:
            return Taken.DUPLICATE
        if self.draining and not (self._tenure and self._tenure.others):
            self._chore(self._turn_away(call_id))
            return Taken.TURNED_AWAY
        found = self._directory.find(called)
        verdict = self._admission.check(Ring(call_id, caller, called, found))
        line = found or self._directory.first
        rung = ring(
            call_id,
            line.rules,
            now,
            caller=caller,
            called=called,
            language=line.language,
            line=line.plan.name if found else "",
            verdict=verdict,
        )
        match self._tenure:
            case None:
                self._begin(rung, line, None)
            case Tenure(claims=claims) if claims.first:
                self._claiming.add(call_id)
                self._idle.clear()
                self._chore(self._claim(rung, line, claims))
            case Tenure(claims=claims):
                self._begin(rung, line, claims.claim_behind(call_id))
        return Taken.STARTED if verdict is None else self._judged(rung[0], verdict)

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

    async def _claim(self, rung: Stepped, line: Line, claims: Claims) -> None:
        """Ask whether another process has this call already; the webhook does not wait for it."""
        call_id = rung[0].id
        hold = await claims.claim(call_id)
        self._claiming.discard(call_id)
        if hold is None:
            self._admission.ended(rung[0])
            self._metrics.claim_lost()
            self._log.info("another replica has it", call_id=call_id)
            self._rest()
            return
        self._begin(rung, line, hold)

    def _begin(self, rung: Stepped, line: Line, hold: Hold | None) -> None:
        call, commands = rung
        session = self._session(call, line, hold)
        self._put_through(session, call.id)
        session.begin(call, commands)

    def _session(self, call: Call, line: Line, hold: Hold | None) -> OwnedSession:
        narrator = self._narrator(call.id)
        scribe = self._scribe(call, hold)
        talks = call.phase is not Phase.REJECTING and call.forward is None
        if line.journals is None or not talks or not call.consent.keeping:
            return OwnedSession(line, self._cloud, narrator, self._ended, scribe, hold)
        if self._archive is None:
            self._archive = Archive(line.journals)
        journal = self._archive.open(call.id, call.rang_at)
        return JournaledSession(line, self._cloud, narrator, self._ended, scribe, hold, journal)

    def _narrator(self, call_id: str) -> Narrator:
        return Narrator(
            call_id, self._metrics, words=self._words, meter=self._meter, watch=self._watch
        )

    def _scribe(self, call: Call, hold: Hold | None) -> Scribe | None:
        if self._desk is None:
            return None
        clock = asyncio.get_running_loop().time
        return Scribe(self._desk, call, clock, 1 if hold is None else hold.lease.fence)

    def _put_through(self, session: OwnedSession, call_id: str) -> None:
        self._sessions[call_id] = session
        self._idle.clear()
        self._metrics.live_calls(len(self._sessions))

    def direct(self, call_id: str, directive: Directive, by: str) -> bool:
        """Tell a live call what to do, in the name of `by`. False: there is no such live call.

        Never blocks. What came of it is in the call's `instructions`, and in its record.
        """
        session = self._sessions.get(call_id)
        if session is None:
            return False
        session.direct(directive, by)
        return True

    def _ended(self, session: OwnedSession) -> None:
        call_id, hold = session.call.id, session.hold
        if self._sessions.get(call_id) is session:
            del self._sessions[call_id]
        if self._tenure is not None and hold is not None:
            self._tenure.claims.release(hold, over=session.call.phase is Phase.ENDED)
        self._metrics.live_calls(len(self._sessions))
        self._admission.ended(session.call)
        self._chore(session.settled())
        self._rest()

    def _rest(self) -> None:
        if not self._sessions and not self._claiming:
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

    # Calls of other processes

    def take_over(
        self, revived: Revived, hold: Hold, heard: Overheard | None, since: float
    ) -> None:
        """Go on with a call that another process has begun. It is never journaled."""
        call = revived.call
        self.fence(call.id)
        self.remember([call.id])
        narrator = self._narrator(call.id)
        scribe = self._scribe(call, hold)
        line = self._directory.named(call.line)
        session = OwnedSession(line, self._cloud, narrator, self._ended, scribe, hold)
        self._admission.began(call.id, line.plan.name)
        self._put_through(session, call.id)
        session.take_over(revived, heard, since)

    def hand_over(self, call_ids: Iterable[str], *, at_once: bool) -> None:
        """Give these calls to their heirs; unless `at_once`, only those that are at rest."""
        for call_id in call_ids:
            session = self._sessions.get(call_id)
            if session is not None and (at_once or session.at_rest):
                self._chore(session.hand_over(at_once=at_once))

    def fence(self, call_id: str) -> None:
        """Stop acting for a call that is another's."""
        session = self._sessions.get(call_id)
        if session is not None:
            session.fenced()

    def abandon(self) -> None:
        """Stop acting for all calls: others will take them."""
        for session in self:
            session.leave()

    def remember(self, call_ids: Iterable[str]) -> None:
        """Webhooks of these calls are repeats."""
        now = asyncio.get_running_loop().time()
        for call_id in call_ids:
            self._calls.is_new(call_id, now)

    # The end

    async def idle(self) -> None:
        """Wait until no call is live."""
        await self._idle.wait()

    def hang_up(self) -> None:
        """Leave every call at once: to the other processes or, where there is none, for good."""
        if self._tenure is not None and self._tenure.others:
            self.abandon()
            return
        for session in self:
            session.shut_down()
            session.shut_down()  # told twice, a call ends without its goodbye

    async def drain(self, patience: float) -> None:
        """Take no more calls. Give those that are live to other processes.

        Where there is none, wait `patience` seconds, then end politely those that are left.
        """
        self.draining = True
        if self._tenure is not None:
            await self._tenure.hand_over(self.idle)
        if not await self._idle_within(patience):
            self._log.info("ending live calls", calls=len(self._sessions), then=self._then)
            await self._end_all()
        if self._chores:
            await asyncio.wait(self._chores, timeout=TURN_AWAY_S)
        if self._archive is not None:
            self._archive.close()

    async def _end_all(self) -> None:
        limits = self._directory.first.rules.limits
        if self._then == "transfer":
            for session in self:
                session.transfer("this process must leave")
            if await self._idle_within(limits.announce + limits.refer_watch):
                return
        for session in self:
            session.shut_down()
        if not await self._idle_within(limits.goodbye + limits.hang_up):
            self._log.error("calls are left behind", calls=len(self._sessions))

    async def _idle_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True
