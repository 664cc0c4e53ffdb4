"""The shell around one call: steps it, starts what it orders, brings every result back.

The reader of the sideband steps the call itself; no frame goes through a queue or a second task.
An event that is raised while another is being stepped waits its turn.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from offhook.bot import Reaction
from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.alarms import Alarms
from offhook.core.call import Call, Phase
from offhook.core.directives import Directive
from offhook.core.end import End, EndReason
from offhook.core.step import step
from offhook.realtime import conversation, frames, hearing, surface
from offhook.realtime.floor import earliest
from offhook.realtime.surface import Out, Surface
from offhook.runtime.cloud import Cloud, Refused, Socket
from offhook.runtime.errands import Errands
from offhook.runtime.line import Line
from offhook.runtime.narrator import Narrator
from offhook.runtime.patience import patient
from offhook.runtime.scribe import Scribe
from offhook.runtime.sideband import Frames, Sideband
from offhook.runtime.toolrunner import ToolRunner

Ended: TypeAlias = Callable[["Session"], None]

SAID = (do.Say, do.AnswerTool, do.SetFloor, do.CutOff, do.Whisper, do.Transcribe)


class Session:
    """One call from its ring to its end. `ended` is called exactly once."""

    def __init__(
        self,
        line: Line,
        cloud: Cloud,
        narrator: Narrator,
        ended: Ended,
        scribe: Scribe | None = None,
    ) -> None:
        self.call: Call
        self._errands = Errands(cloud, self.post, self.report, self._confirmed)
        self._line = line
        self._cloud = cloud
        self._narrator = narrator
        self._scribe = scribe
        self._ended = ended
        self._decide = step  # where a journal listens in
        self._loop = asyncio.get_running_loop()
        epoch = time.time() - self._loop.time()
        self._surface = surface.begin(line.config, line.response_limit, epoch)
        self._inbox: deque[on.Event] = deque()
        self._stepping = self._hearing = False
        self._left = False  # nothing more is done here: the call is another process's, or over
        self._second_hand = False  # it was another's before
        self._sideband = Sideband(self._hear, self._lost, coalescer=cloud.coalescer)
        self._tools = ToolRunner(line, self._spawn, self.report, self._confirmed)
        self._request: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Handle | None = None  # of a time gone by, uvloop's tells no time
        self._timer_at = 0.0
        self._timed: tuple[Alarms | None, Surface | None] = (None, None)  # what it was set for
        self._now: float | None = None  # when the frame came that is being stepped
        self.latest = b""  # the last frame with an id that was stepped,
        self.keys = 0  # and how many without one came behind it
        self._watch: asyncio.TimerHandle | None = None

    def begin(self, call: Call, commands: list[do.Command]) -> None:
        """Start a call that has just rung."""
        self.call = call
        self._stepping = True
        self._start_all(commands)
        self._stepping = False
        scribe = self._scribe
        if scribe is not None:  # right after the accept is sent: that is what callers wait for
            self._loop.call_soon(lambda: scribe.began(self.call))
        self._work()

    # Events in

    def post(self, event: on.Event) -> None:
        """Step the call by one event, at once or, from within a step, right after it."""
        if self._left:
            return
        if not self._stepping:
            self._sideband.catch_up()
        self._inbox.append(event)
        if not self._stepping:
            self._work()

    async def report(self, event: on.Event) -> None:
        """`post`, and see to it that what it made us send is sent."""
        self.post(event)
        await self._sideband.flush()

    def _work(self) -> None:
        if self._left or (not self._hearing and self._pauses()):
            return
        self._stepping = True
        try:
            while self._inbox:
                self._step(self._inbox.popleft())
        finally:
            self._stepping = False
        if not self._hearing:
            self._rest()

    def _rest(self) -> None:
        """All that has happened is worked out, for now."""
        self._set_timer()
        self._sideband.patient = patient(self.call, self._surface, words=self._scribe is None)

    def _step(self, event: on.Event) -> None:
        before = self.call
        try:
            self.call, commands = self._decide(before, event, self._moment())
            if self._scribe is not None:
                self._scribe.stepped(before, event, self.call)
            self._narrator.stepped(before, event, self.call)
            if commands:
                self._start_all(commands)
        except Exception as error:
            self._broke(event, error)

    def _broke(self, event: on.Event, error: Exception) -> None:
        """A bug of ours: it ends this call only."""
        self._narrator.broke(traceback.format_exc())
        if isinstance(event, on.Broke):  # not even the way out works: leave by the window
            end = End(EndReason.BUG, type(error).__name__)
            before = self.call
            self.call = before.with_(phase=Phase.ENDED, end=end, ended_at=self._loop.time())
            if self._scribe is not None:
                self._scribe.stepped(before, event, self.call)
            self._inbox.clear()
            self._spawn(self._last_hang_up())
            self._finish(end)
        else:
            self._inbox.append(on.Broke(type(error).__name__))

    def _pauses(self) -> bool:
        """Whether nothing may be done just now."""
        return False

    async def _confirmed(self) -> bool:
        """Wait for the record of what led here. Whether what cannot be undone may be done now."""
        if self._scribe is not None:
            await self._scribe.settled()
        return True

    def _hear(self, heard: Frames) -> None:
        """Take frames of the sideband in their order, as many as may be stepped now."""
        self._hearing = True
        try:
            while heard and not self._pauses():
                raw, self._now = heard.popleft()
                self.frame(raw)
        finally:
            self._hearing, self._now = False, None
        self._rest()

    def frame(self, raw: bytes) -> None:
        """Take one frame of the sideband."""
        if frames.is_key(raw):
            self.keys += 1
        else:
            self.latest, self.keys = raw, 0
        frame = frames.decode(raw)
        if frame is None:
            return
        if isinstance(frame, frames.Frame):
            self._converse(hearing.receive, frame)
        else:
            self._narrator.odd_frame(frame)

    def _moment(self) -> float:
        return self._loop.time() if self._now is None else self._now

    def _converse(self, change: Callable[..., surface.Surface], *what: object) -> None:
        """Step the surface, then step the call by what that has told."""
        out = Out()
        try:
            self._surface = change(self._surface, *what, self._moment(), out)
        except Exception as error:
            self._broke(on.TimeUp(), error)
        if out.frames:
            self._sideband.send(out.frames)
        self._inbox += out.events
        if not self._stepping and (self._inbox or not self._hearing):
            self._work()

    # Commands out

    def _start_all(self, commands: list[do.Command]) -> None:
        for command in commands:
            self._start(command)

    def _start(self, command: do.Command) -> None:
        match command:
            case _ if isinstance(command, SAID):
                self._converse(conversation.perform, command)
            case do.RunTool(ref, name, arguments):
                self._tools.start(self.call, ref, name, arguments)
            case do.Accept(variant, within):
                self._ask_cloud(self._accept(variant, within))
            case do.Attach(within):
                self._ask_cloud(self._attach(within))
            case do.Reject(code):
                self._ask_cloud(self._errands.reject(self.call.id, code))
            case do.Refer(target):
                uri = self._line.target_uri(target)
                self._spawn(self._errands.refer(self.call.id, uri))
            case do.HangUp():
                self._ask_cloud(self._errands.hang_up(self.call.id))
            case do.Detach():
                self._detach()
            case do.TellDigit(key):
                self._react(self._line.bot.key_pressed(self.call, key))
            case do.TellDigits(digits):
                self._react(self._line.bot.digits_entered(self.call, digits))
            case do.CancelTools(refs):
                self._tools.abandon(self.call, refs)
            case do.Ignore(event):
                self._narrator.ignored(event)
            case do.Finish(end):
                self._finish(end)

    def _react(self, reaction: Awaitable[Reaction]) -> None:
        self._tools.react(reaction, self._narrator.broke)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._narrator.broke("".join(traceback.format_exception(error)))
            self.post(on.Broke(type(error).__name__))

    def _ask_cloud(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a request; one that is still under way has been given up by the call."""
        last = self._request
        if last is not None and last is not asyncio.current_task() and not self._sideband.open:
            last.cancel()
        self._request = self._spawn(work)

    def _accept(self, variant: int, within: float) -> Coroutine[Any, Any, None]:
        request = self._line.accepts[variant]
        return self._errands.accept(self.call.id, request, within, again=self._second_hand)

    async def _last_hang_up(self) -> None:
        failed = await self._errands.hang_up_blindly(self.call.id)
        if failed is not None:
            self._narrator.broke(f"the hang-up failed as well: {failed}")

    # The sideband

    async def _attach(self, within: float) -> None:
        try:
            socket, frames = await self._open(within)
        except Refused as r:
            self.post(on.AttachFailed(r.refusal, r.detail))
            return
        if self._left or self.call.phase is Phase.ENDED:
            await socket.close()
            return
        self._sideband.adopt(socket)
        self._watch_silence()
        self.post(on.Attached())
        self._converse(conversation.opened, self.call.variant)
        for raw in frames:
            self._sideband.take(raw)
        await self._sideband.flush()
        await self._sideband.read(socket)

    async def _open(self, within: float) -> tuple[Socket, list[bytes]]:
        """A sideband, and what has been heard on it already. Raises `Refused`."""
        return await self._cloud.attach(self.call.id, within), []

    def _lost(self, detail: str) -> None:
        self.post(on.SidebandLost(detail))
        self._converse(conversation.lost)

    def _detach(self) -> None:
        """Leave the sideband by our own wish; the call is not told of a loss."""
        socket = self._sideband.detach()
        if socket is not None:
            self._converse(conversation.lost)
            self._spawn(_close(socket))

    # Time

    def _set_timer(self) -> None:
        """Wake at the earliest deadline of the call and its surface, or a little before it.

        A deadline that moves away leaves the timer alone: waking once too early costs less than
        a new timer for every sentence.
        """
        alarms, wire = self.call.alarms, self._surface
        known, as_of = self._timed
        if alarms is known and wire.wakes_as(as_of):
            return
        self._timed = (alarms, wire)
        at = earliest(alarms.next, wire.wake_at)
        if at is None or self.call.phase is Phase.ENDED:
            return
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(at, self._time_up), at

    def _time_up(self) -> None:
        self._timer, self._timed = None, (None, None)
        if self._left or self._pauses():
            return
        self._sideband.catch_up()
        due = earliest(self.call.alarms.next, self._surface.wake_at)
        if due is None or due > self._moment():  # it has moved away since
            self._set_timer()
            return
        self._converse(conversation.tick)
        self.post(on.TimeUp())
        self._send_soon()

    def _watch_silence(self) -> None:
        """Look once in a while whether anything at all has come."""
        if self._watch is not None:
            self._watch.cancel()
        if not self._sideband.open:
            return
        now, since = self._loop.time(), self._sideband.heard_at
        if now - since >= self._line.no_event:
            self.post(on.NothingHeard(now - since))
            self._send_soon()
            since = now
        self._watch = self._loop.call_at(since + self._line.no_event, self._watch_silence)

    def _send_soon(self) -> None:
        if self._sideband.owes:
            self._spawn(self._sideband.flush())

    def direct(self, directive: Directive, by: str) -> None:
        """Have the call carry out what `by` wants; `call.instructions` tells what came of it."""
        self.post(on.Directed(directive, by))
        self._send_soon()

    # The end

    def shut_down(self) -> None:
        """This process must leave: end the call in the best way that is left."""
        self.post(on.ShutDown())
        self._send_soon()

    def _let_go(self) -> None:
        for handle in (self._timer, self._watch):
            if handle is not None:
                handle.cancel()
        socket = self._sideband.detach()
        if socket is not None:
            self._spawn(_close(socket))

    def _finish(self, end: End) -> None:
        self._let_go()
        self._narrator.ended(self.call, end)
        self._ended(self)

    async def settled(self) -> None:
        """Wait until nothing of this call runs any more, tools that may finish included."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._dissolve()

    def _dissolve(self) -> None:
        """Let go of the parts that refer back to the session, so that it is freed at once.

        What refers to itself waits for the collector of cycles, which on a busy line comes to
        what is hours old once in a day.
        """
        self._left = True
        del self._sideband, self._tools, self._errands, self._decide, self._ended


async def _close(socket: Socket) -> None:
    await socket.close()
