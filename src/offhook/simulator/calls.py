"""One call as the cloud knows it: from the ring to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from time import time

from offhook.simulator.answers import Answers
from offhook.simulator.beliefs import Beliefs
from offhook.simulator.caller import Caller
from offhook.simulator.clock import Clock, Timer
from offhook.simulator.commands import Commands
from offhook.simulator.faults import Faults
from offhook.simulator.model import Model
from offhook.simulator.models import family
from offhook.simulator.playback import Playback
from offhook.simulator.profile import Profile, Timings
from offhook.simulator.script import Script, Step
from offhook.simulator.session import Session
from offhook.simulator.sideband import ABNORMAL, Sideband
from offhook.simulator.stage import Stage
from offhook.simulator.trace import Mark
from offhook.simulator.turns import Turns
from offhook.simulator.wire import Json, Problem, new_call_id, new_session_id

EXPIRED = "Your session hit the maximum duration of 60 minutes."
GONE = "observer_writer_exit"
DEFAULT_MODEL = "gpt-realtime"
RING_S = 45.0


class State(StrEnum):
    """Where a call is. The last three are final."""

    RINGING = "ringing"
    ACCEPTED = "accepted"
    LIVE = "live"
    REJECTED = "rejected"
    TRANSFERRED = "transferred"
    ENDED = "ended"


FINAL = frozenset({State.REJECTED, State.TRANSFERRED, State.ENDED})


class Call:
    """A call that was rung, for tests to watch and to take part in."""

    def __init__(
        self,
        script: Script,
        *,
        clock: Clock,
        profile: Profile,
        timings: Timings,
        faults: Faults,
        beliefs: Beliefs,
    ) -> None:
        self.call_id = new_call_id()
        self.script = script
        self.faults = faults
        self.state = State.RINGING
        self.webhook_status = 0
        """The HTTP status of the first answered delivery; 0 where nobody answered."""
        self.webhook_statuses: list[int] = []
        self.unfindable = False
        self.deserted = False
        """The caller left while it rang, and the cloud has not noticed."""
        self.attachable_at = 0.0
        self.refers = 0
        self.accepts = 0
        self.attaches = 0
        self.hangups = 0
        self._clock = clock
        self._ended = asyncio.get_running_loop().create_future()
        self._sidebands: list[Sideband] = []
        self._timers: list[Timer | asyncio.TimerHandle] = []
        self._stage = Stage(
            clock=clock, profile=profile, timings=timings, faults=faults, beliefs=beliefs
        )
        self._playback = Playback(self._stage)
        improviser = script.improviser() if script.improviser is not None else None
        self._answers = Answers(self._stage, self._playback, Model(script.model, improviser))
        self._turns = Turns(self._stage, self._playback, self._answers)
        self._commands = Commands(self._stage, self._answers, self._playback)
        self._caller = Caller(
            self._stage,
            script,
            self._playback,
            self._answers,
            self._turns,
            hang_up=self.caller_hangs_up,
            lose_sideband=self.drop_sideband,
        )
        self._caller.waits_for_orders(lambda: self._commands.answer_ordered)
        self._stage.session = Session(DEFAULT_MODEL, 0)

    # what tests read

    @property
    def trace(self) -> list[Mark]:
        """What happened so far."""
        return self._stage.trace.marks

    @property
    def over(self) -> bool:
        """Whether the call has come to its end."""
        return self.state in FINAL

    @property
    def session(self) -> Json:
        """The session object as it is now."""
        return self._stage.session.config

    @property
    def items(self) -> list[Json]:
        """The conversation's items, oldest first."""
        return self._stage.items.items

    @property
    def audible(self) -> str:
        """The words that the caller hears right now, up to this moment; empty in silence."""
        return self._playback.audible

    @property
    def frames_sent(self) -> int:
        """How many frames went out, to all sidebands."""
        return self._stage.sent

    def transcript(self) -> str:
        """Who said and did what, a line each."""
        return self._stage.trace.transcript()

    def marks(self, kind: str) -> list[Mark]:
        """All marks of a kind."""
        return self._stage.trace.of(kind)

    async def finished(self, timeout: float = 30.0) -> State:
        """Wait for the end; the time-out is in real seconds and its error shows the trace."""
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._ended)
        except TimeoutError:
            raise TimeoutError(
                f"the call is still {self.state} after {timeout} s\n{self._stage.trace}"
            ) from None
        return self.state

    async def reached(
        self, kind: str, timeout: float = 10.0, *, count: int = 1, **detail: object
    ) -> Mark:
        """The `count`-th mark of a kind with these details, as soon as it exists."""
        seen = 0

        def matches(mark: Mark) -> bool:
            nonlocal seen
            found = mark.kind == kind and all(
                mark.detail.get(name) == value for name, value in detail.items()
            )
            seen += found
            return found and seen == count

        return await self._stage.trace.reached(matches, timeout, f"{kind} {detail or ''}".strip())

    async def follow(self) -> AsyncIterator[Mark]:
        """Each mark as it is made, from the first one to the end of the call."""
        async for mark in self._stage.trace.follow():
            yield mark
            if mark.kind == "call_ended":
                return

    # what the caller and the line do

    def do(self, step: Step) -> None:
        """Give the caller one more thing to do."""
        self._caller.do(step)

    def caller_hangs_up(self) -> None:
        """The caller leaves."""
        if self.over or self.deserted:
            return
        self.mark("caller_hung_up")
        if self.state is State.RINGING and self.faults.ghost_s > 0:
            self.deserted = True
            self._guard(self.faults.ghost_s, lambda: self.end("caller_hung_up"))
        else:
            self.end("caller_hung_up")

    def drop_sideband(self, for_s: float = 0.0) -> None:
        """Break the sideband's connection; the call goes on."""
        self.attachable_at = self._clock.now() + for_s
        self._stage.outlets.clear()
        for sideband in tuple(self._sidebands):
            self._drop(sideband)
        if self.faults.gone_after_drop:
            self.end("sideband_dropped")

    # what the cloud does

    @property
    def beliefs(self) -> Beliefs:
        """What is assumed of the cloud."""
        return self._stage.beliefs

    @property
    def profile(self) -> Profile:
        """The cloud's habits."""
        return self._stage.profile

    def mark(self, kind: str, **detail: object) -> None:
        """Write down that something happened."""
        self._stage.trace.mark(kind, **detail)

    def ring(self) -> None:
        """Start to ring."""
        self.mark("ring", call_id=self.call_id)
        if self.faults.ring_s is None:
            self._timers.append(self._clock.patience(RING_S, self._give_up_ringing))
        else:
            self._guard(self.faults.ring_s, self._give_up_ringing)
        if self.script.starts == "ringing":
            self._caller.start()

    def _give_up_ringing(self) -> None:
        if self.state is State.RINGING:
            self.end("no_answer")

    def accept(self, session: Json, *, behaves_as: str) -> Problem | None:
        """Build the session; a problem where the body cannot be merged into the defaults.

        `behaves_as` is the model behind the name that the session gives.
        """
        late = self.beliefs.late_first_defaults
        self._stage.session = Session(
            session.get("model") or DEFAULT_MODEL,
            int(time() + self._clock.real(self.faults.session_max_s)),
            session_id=new_session_id(sharded=self.profile.sharded),
            family=family(behaves_as, late_first_defaults=late),
        )
        problem = self._stage.session.update(session, assistant_spoke=False)
        if problem is not None:
            return problem
        self.state = State.ACCEPTED
        self.attachable_at = self._clock.now() + self.faults.attach_404_for_s
        self._stage.audio_begins()
        self._guard(self.faults.session_max_s, self._expire)
        if self.script.starts == "accepted":
            self._caller.start()
        return None

    def attach(self, sideband: Sideband) -> None:
        """A sideband is connected, perhaps to a call that has just ended."""
        self._sidebands.append(sideband)
        if self.over:
            self._close(sideband, "gone")
            return
        self.mark("attach")
        first = self.state is State.ACCEPTED
        self.state = State.LIVE
        if self.faults.attach_deaf_s and not first:
            self._clock.later(self.faults.attach_deaf_s, self._put_through, sideband)
        else:
            self._put_through(sideband)
        if self.faults.session_created:
            self._stage.emit("session.created", session=self.session)
        if first:
            if self.faults.drop_sideband_after is not None:
                self._stage.after_send = self._count_down
            if not self.deserted:
                self._caller.start()

    def _put_through(self, sideband: Sideband) -> None:
        """From now on it is told what happens."""
        if sideband in self._sidebands and not self.over:
            self._stage.outlets.append(sideband)

    def _count_down(self) -> None:
        after = self.faults.drop_sideband_after
        if after is not None and self._stage.sent >= after:
            self._stage.after_send = None
            self._clock.later(0.0, self.drop_sideband)

    def receive(self, body: Json) -> None:
        """A client event has come in."""
        if not self.over:
            self._commands.receive(body)

    def complain(self, problem: Problem) -> None:
        """Answer something that is no client event at all."""
        self._stage.error(problem, None)

    def detach(self, sideband: Sideband, code: int | None) -> None:
        """A sideband is gone."""
        self._sidebands.remove(sideband)
        if sideband in self._stage.outlets:
            self._stage.outlets.remove(sideband)
        self._stage.trace.mark("detach", code=None if code is None else int(code))

    def transfer_soon(self, after_s: float) -> None:
        """The caller is handed over; the cloud's leg ends a little later."""
        self._timers.append(self._clock.later(after_s, self.end, "transferred"))

    def end(self, reason: str) -> None:
        """The call is over: everything stops, every sideband is closed."""
        if self.over:
            return
        if reason == "caller_hung_up" and self.beliefs.last_words:
            self._answers.cancel("client_cancelled")
        self.state = {"rejected": State.REJECTED, "transferred": State.TRANSFERRED}.get(
            reason, State.ENDED
        )
        for timer in self._timers:
            timer.cancel()
        self._commands.end()
        self._answers.end()
        self._playback.end()
        self._turns.end()
        self._caller.end()
        self._stage.trace.mark("call_ended", reason=reason)
        self._stage.outlets.clear()
        for sideband in tuple(self._sidebands):
            self._close(sideband, reason)
        if not self._ended.done():
            self._ended.set_result(None)

    def _close(self, sideband: Sideband, reason: str) -> None:
        """A caller who leaves is not announced; only Azure sends a close frame (and its reason)."""
        beliefs = self.beliefs
        text = GONE if self.profile.says_goodbye else ""
        match reason:
            case "expired":
                code, text = 1001, EXPIRED
            case "hangup":
                code = beliefs.close_after_hangup
            case "transferred":
                code = beliefs.close_after_refer
            case _:
                code = 1000 if self.profile.says_goodbye else ABNORMAL
        if self.faults.close_code is not None:
            code = self.faults.close_code
        if code == ABNORMAL:
            self._drop(sideband)
        else:
            sideband.finish(code, text)

    def _drop(self, sideband: Sideband) -> None:
        if self.faults.frames_lost:
            sideband.abort()
        else:
            sideband.finish(ABNORMAL)

    def _expire(self) -> None:
        if self.over:
            return
        if self.beliefs.expiry_is_announced:
            self._stage.error(Problem(EXPIRED, "session_expired"), None)
        self.end("expired")

    def _guard(self, delay: float, callback: Callable[[], None]) -> None:
        self._timers.append(self._clock.guard(delay, callback))
