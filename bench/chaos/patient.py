"""One call without a socket, fed with any bytes: what must be true of it after each of them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.outcomes import Answered
from offhook.core.rules import Rules
from offhook.core.step import ring, step
from offhook.lines import ENGLISH
from offhook.realtime import conversation, hearing, surface
from offhook.realtime.frames import Frame, decode
from offhook.realtime.session import SessionConfig
from offhook.realtime.surface import Out, Surface

CONFIG = SessionConfig(model="gpt-realtime", instructions="Be brief.", voice="marin")
RULES = Rules(lines=ENGLISH, targets={"office": "our office"})
LONGEST_S = 2 * 3600.0
WAKES = 10_000  # a call that wakes more often in its longest time wakes for ever


class Died(Exception):  # noqa: N818  # what is looked for, not an error of this program
    """The call is in a state that it must not be in."""


class Patient:
    """A live call that answers each command at once, as a perfect world would."""

    def __init__(self, dice: random.Random) -> None:
        self.now = 100.0
        self._dice = dice
        self._surface = surface.begin(CONFIG, 30.0)
        self._inbox: deque[on.Event] = deque()
        self.asked: set[str] = set()
        self.answered: list[str] = []
        self._finished = 0
        self._call, commands = ring("rtc_1", RULES, self.now)
        self._start(commands)
        self._work()

    def take(self, raw: bytes) -> None:
        """One frame of the sideband. Raises whatever it should not have caused."""
        self.now += self._dice.choice((0.0, 0.01, 0.3, 3.0))
        self._wake()
        frame = decode(raw)
        if isinstance(frame, Frame):
            self._converse(hearing.receive, frame)
            self._work()
        self._check()

    def leave(self) -> None:
        """The caller is gone: the call must come to its end by itself, with nothing owed."""
        self._converse(conversation.lost)
        self._inbox += [on.SidebandLost(), on.AttachFailed(on.Refusal.GONE, "http 404")]
        self._work()
        until = self.now + LONGEST_S
        for _ in range(WAKES):
            at = self._call.alarms.next
            if self._call.phase is Phase.ENDED or at is None or at > until:
                break
            self.now = max(self.now, at)
            self._wake()
        if self._call.phase is not Phase.ENDED:
            raise Died(f"never over: {self._call.phase}")
        if self._finished != 1:
            raise Died(f"ended {self._finished} times")

    def _check(self) -> None:
        over = self._call.phase is Phase.ENDED
        if not over and self._call.alarms.next is None:
            raise Died(f"{self._call.phase} waits for nothing")
        if len(self.answered) != len(set(self.answered)):
            raise Died("a function call was answered twice")
        if self._call.phase is Phase.LIVE and self.asked - set(self.answered):
            raise Died(f"a function call was not answered: {self.asked - set(self.answered)}")

    def _wake(self) -> None:
        """Ring the alarms that are due, as the shell's one timer does."""
        for _ in range(WAKES):
            call_at, wire_at = self._call.alarms.next, self._surface.wake_at
            if call_at is not None and call_at <= self.now:
                self._inbox.append(on.TimeUp())
                self._work()
            elif wire_at is not None and wire_at <= self.now:
                self._converse(conversation.tick)
                self._work()
            else:
                return
        raise Died("wakes for ever")

    def _converse(self, change: Callable[..., Surface], *what: object) -> None:
        out = Out()
        self._surface = change(self._surface, *what, self.now, out)
        self._inbox += out.events

    def _work(self) -> None:
        while self._inbox:
            self._call, commands = step(self._call, self._inbox.popleft(), self.now)
            self._start(commands)

    def _start(self, commands: list[do.Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: do.Command) -> None:
        back: Any = None
        match command:
            case do.AnswerTool(ref=ref):
                self.answered.append(ref)
                self._converse(conversation.perform, command)
            case do.Say() | do.SetFloor() | do.CutOff() | do.Whisper() | do.Transcribe():
                self._converse(conversation.perform, command)
            case do.RunTool(ref=ref):
                self.asked.add(ref)
                back = on.ToolEnded(ref, Answered("done"))
            case do.Accept():
                back = on.Accepted()
            case do.Attach():
                self._converse(conversation.opened, 0)
                back = on.Attached()
            case do.Refer():
                back = on.Referred()
            case do.HangUp():
                back = on.HungUp()
            case do.Finish():
                self._finished += 1
        if back is not None:
            self._inbox.append(back)
