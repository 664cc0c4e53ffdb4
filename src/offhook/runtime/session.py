"""The shell around one call: steps it, starts what it orders, brings every result back.

The reader of the sideband steps the call itself; no frame goes through a queue or a second task.
An event that is raised while another is being stepped waits its turn.
"""

from __future__ import annotations

import asyncio
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
from offhook.core.events import Refusal
from offhook.core.step import step
from offhook.realtime import conversation, frames, requests, surface
from offhook.realtime.requests import Request
from offhook.realtime.surface import Out, Surface
from offhook.runtime.cloud import Cloud, Refused, Socket
from offhook.runtime.line import Line
from offhook.runtime.narrator import Narrator
from offhook.runtime.scribe import Scribe
from offhook.runtime.sideband import Sideband
from offhook.runtime.toolrunner import ToolRunner

Ended: TypeAlias = Callable[["Session"], None]

REQUEST_S = 10.0  # reject, refer and hang-up; none of them is in a hurry that a caller notices


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
        self._surface = surface.begin(line.config, line.response_limit)
        self._line = line
        self._cloud = cloud
        self._narrator = narrator
        self._scribe = scribe
        self._ended = ended
        self._decide = step  # where a journal listens in
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[on.Event] = deque()
        self._stepping = False
        self._sideband = Sideband(self.frame, self._lost)
        self._tools = ToolRunner(line, self._spawn, self.report, self._recorded)
        self._request: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Handle | None = None  # of a time gone by, uvloop's tells no time
        self._timer_at = 0.0
        self._timed: tuple[Alarms | None, Surface | None] = (None, None)  # what it was set for
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
        self._inbox.append(event)
        if not self._stepping:
            self._work()

    async def report(self, event: on.Event) -> None:
        """`post`, and see to it that what it made us send is sent."""
        self.post(event)
        await self._sideband.flush()

    def _work(self) -> None:
        self._stepping = True
        try:
            while self._inbox:
                self._step(self._inbox.popleft())
        finally:
            self._stepping = False
        self._set_timer()

    def _step(self, event: on.Event) -> None:
        before = self.call
        try:
            self.call, commands = self._decide(before, event, self._loop.time())
            self._record(before, event)
            self._narrator.stepped(before, event, self.call)
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
            self._record(before, event)
            self._inbox.clear()
            self._spawn(self._last_hang_up())
            self._finish(end)
        else:
            self._inbox.append(on.Broke(type(error).__name__))

    def _record(self, before: Call, event: on.Event) -> None:
        if self._scribe is not None:
            bug = self._scribe.stepped(before, event, self.call)
            if bug is not None:
                self._narrator.broke(bug)

    async def _recorded(self) -> None:
        """Wait for the record of what led here, before what cannot be undone."""
        if self._scribe is not None:
            await self._scribe.settled()

    def frame(self, raw: bytes) -> None:
        """Take one frame of the sideband."""
        frame = frames.decode(raw)
        if frame is None:
            return
        if isinstance(frame, frames.Frame):
            self._converse(conversation.receive, frame)
        else:
            self._narrator.odd_frame(frame)

    def _converse(self, change: Callable[..., surface.Surface], *what: object) -> None:
        """Step the surface, then step the call by what that has told."""
        out = Out()
        try:
            self._surface = change(self._surface, *what, self._loop.time(), out)
        except Exception as error:
            self._broke(on.TimeUp(), error)
        self._sideband.send(out.frames)
        self._inbox += out.events
        if not self._stepping:
            self._work()

    # Commands out

    def _start_all(self, commands: list[do.Command]) -> None:
        for command in commands:
            self._start(command)

    def _start(self, command: do.Command) -> None:
        match command:
            case do.Say() | do.AnswerTool() | do.SetFloor() | do.CutOff():
                self._converse(conversation.perform, command)
            case do.Whisper() | do.Transcribe():
                self._converse(conversation.perform, command)
            case do.RunTool(ref, name, arguments):
                self._tools.start(self.call, ref, name, arguments)
            case do.Accept(variant, within):
                self._ask_cloud(self._accept(self._line.accepts[variant], within))
            case do.Attach(within):
                self._ask_cloud(self._attach(within))
            case do.Reject(code):
                self._ask_cloud(self._reject(requests.reject(code)))
            case do.Refer(target):
                self._spawn(self._refer(target))
            case do.HangUp():
                self._ask_cloud(self._hang_up())
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

    # What the cloud answers

    async def _accept(self, request: Request, within: float) -> None:
        try:
            await self._cloud.post(self.call.id, request, within)
        except Refused as r:
            self.post(on.AcceptRefused(r.refusal, r.detail, r.unsure))
        else:
            self.post(on.Accepted())

    async def _reject(self, request: Request) -> None:
        try:
            await self._cloud.post(self.call.id, request, REQUEST_S)
        except Refused as r:
            gone = r.refusal is Refusal.GONE
            self.post(on.Rejected() if gone else on.RejectFailed(r.detail))
        else:
            self.post(on.Rejected())

    async def _refer(self, target: str) -> None:
        request = requests.refer(self._line.target_uri(target))
        await self._recorded()
        try:
            await self._cloud.post(self.call.id, request, REQUEST_S)
        except Refused as r:
            # Without an answer it may be under way: then only time tells.
            await self.report(on.Referred() if r.unanswered else on.ReferFailed(r.detail))
        else:
            await self.report(on.Referred())

    async def _hang_up(self) -> None:
        await self._recorded()
        try:
            await self._cloud.post(self.call.id, requests.HANG_UP, REQUEST_S)
        except Refused as r:
            gone = r.refusal is Refusal.GONE
            self.post(on.HungUp(gone=True) if gone else on.HangUpFailed(r.detail))
        else:
            self.post(on.HungUp())

    async def _last_hang_up(self) -> None:
        try:
            await self._cloud.post(self.call.id, requests.HANG_UP, REQUEST_S)
        except Refused as r:
            self._narrator.broke(f"the hang-up failed as well: {r.detail}")

    # The sideband

    async def _attach(self, within: float) -> None:
        try:
            socket = await self._cloud.attach(self.call.id, within)
        except Refused as r:
            self.post(on.AttachFailed(r.refusal, r.detail))
            return
        if self.call.phase is Phase.ENDED:
            await socket.close()
            return
        self._sideband.adopt(socket)
        self._watch_silence()
        self.post(on.Attached())
        self._converse(conversation.opened, self.call.variant)
        await self._sideband.flush()
        await self._sideband.read(socket)

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
        if self.call.alarms is self._timed[0] and self._surface is self._timed[1]:
            return
        self._timed = (self.call.alarms, self._surface)
        times = [t for t in (self.call.alarms.next, self._surface.wake_at) if t is not None]
        at = min(times, default=None)
        if at is None or self.call.phase is Phase.ENDED:
            return
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(at, self._time_up), at

    def _time_up(self) -> None:
        self._timer, self._timed = None, (None, None)
        self._converse(conversation.tick)
        self.post(on.TimeUp())
        self._send_soon()

    def _watch_silence(self) -> None:
        """Look once in a while whether anything at all has come."""
        if self._watch is not None:
            self._watch.cancel()
        if not self._sideband.open:
            return
        quiet = self._loop.time() - self._sideband.heard_at
        if quiet >= self._line.no_event:
            self._sideband.heard_at = self._loop.time()
            self.post(on.NothingHeard(quiet))
            self._send_soon()
        self._watch = self._loop.call_at(
            self._sideband.heard_at + self._line.no_event, self._watch_silence
        )

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

    def _finish(self, end: End) -> None:
        for handle in (self._timer, self._watch):
            if handle is not None:
                handle.cancel()
        socket = self._sideband.detach()
        if socket is not None:
            self._spawn(_close(socket))
        self._narrator.ended(self.call, end)
        self._ended(self)

    async def settled(self) -> None:
        """Wait until nothing of this call runs any more, tools that may finish included."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _close(socket: Socket) -> None:
    await socket.close()
