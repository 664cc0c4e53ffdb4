"""One scenario with the real model: a person's lines are typed, and offhook decides as on a call.

The call is the product's own value, stepped by `core`; only the surface is another one. Nobody
hears or interrupts, so whatever is said is heard to its end at once, and nothing is dialled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.end import End, EndReason
from offhook.core.events import Refusal
from offhook.core.outcomes import InvalidArguments
from offhook.core.step import ring, step
from offhook.core.transcript import Who
from offhook.real.session import Response, TextSession
from offhook.realtime import sends
from offhook.realtime.batches import Batches
from offhook.runtime.line import Line
from offhook.simulator import HangsUp, Mark, Says
from offhook.simulator.script import Step
from offhook.simulator.trace import Trace
from offhook.telephony.incoming import Incoming
from offhook.tools.run import run

NOT_DIALLED = "not dialled"


class TextCall:
    """What happened on a call in text, to be told and judged as a simulated one is."""

    def __init__(self) -> None:
        self.log = Trace(asyncio.get_running_loop().time, lambda: None)

    @property
    def trace(self) -> list[Mark]:
        """What happened so far."""
        return self.log.marks

    @property
    def over(self) -> bool:
        """Whether the call has come to its end."""
        return bool(self.marks("call_ended"))

    def marks(self, kind: str) -> list[Mark]:
        """All marks of a kind."""
        return self.log.of(kind)

    def transcript(self) -> str:
        """Who said and did what, a line each."""
        return self.log.transcript()

    async def follow(self) -> AsyncIterator[Mark]:
        """Each mark as it is made, from the first one to the end of the call."""
        async for mark in self.log.follow():
            yield mark
            if mark.kind == "call_ended":
                return


class Exchange:
    """A call of which the model is real and the rest is here. `call` is how it stands."""

    call: Call

    def __init__(self, line: Line, session: TextSession, told: TextCall) -> None:
        self._line = line
        self._session = session
        self._mark = told.log.mark
        self._now = asyncio.get_running_loop().time
        self._inbox: deque[on.Event] = deque()
        self._batches = Batches()
        self._attached = False
        self._lines = 0

    async def hold(self, rung: Incoming, steps: Sequence[Step]) -> Call:
        """From the greeting to the end. Raises `Failed` where the cloud does not play along."""
        self.call, commands = ring(
            rung.call_id,
            self._line.rules,
            self._now(),
            caller=rung.caller,
            called=rung.called,
            language=self._line.language,
        )
        await self._carry_out(commands)
        await self._settle()
        for doing in steps:
            if self.call.phase is Phase.ENDED:
                break
            match doing:
                case Says(text=text):
                    await self._caller_says(text)
                case HangsUp():
                    await self._caller_leaves()
        if self.call.phase is not Phase.ENDED:
            await self._caller_leaves()
        return self.call

    async def _caller_says(self, text: str) -> None:
        self._lines += 1
        item_id = f"item_caller_{self._lines}"
        self._mark("caller_said", text=text)
        self._inbox += [
            on.CallerStarted(item_id),
            on.UtteranceOpened(item_id, Who.CALLER),
            on.CallerSaid(item_id, text),
        ]
        await self._session.says(item_id, text)
        self._take_in(await self._session.respond())
        await self._settle()

    async def _caller_leaves(self) -> None:
        self._mark("caller_hung_up")
        self._line_is_gone()
        await self._settle()

    def _line_is_gone(self) -> None:
        """How offhook learns of it: the sideband closes, and the cloud knows no such call."""
        self._inbox.append(on.SidebandLost())

    async def _settle(self) -> None:
        """Step the call until nothing is left to be done."""
        while self._inbox:
            self.call, commands = step(self.call, self._inbox.popleft(), self._now())
            await self._carry_out(commands)

    async def _carry_out(self, commands: list[do.Command]) -> None:
        for command in commands:
            await self._perform(command)

    async def _perform(self, command: do.Command) -> None:
        """Commands about audio and keys mean nothing in text."""
        match command:
            case do.Accept():
                self._inbox.append(on.Accepted())
            case do.Attach():
                self._inbox.append(self._attach())
            case do.Say(ref, order):
                await self._say(ref, order)
            case do.RunTool(ref, name, arguments):
                await self._run(ref, name, arguments)
            case do.AnswerTool(ref, output, reply):
                await self._answer(ref, output, reply=reply)
            case do.Refer(target):
                uri = self._line.target_uri(target)
                self._mark("refer", target_uri=uri, status=NOT_DIALLED)
                self._inbox.append(on.Referred())
                self._line_is_gone()
            case do.HangUp():
                self._mark("hangup")
                self._inbox.append(on.HungUp())
            case do.Finish(end):
                self._mark("call_ended", reason=_reason(end))

    def _attach(self) -> on.Event:
        """Once: after a call has ended there is nothing to attach to."""
        if self._attached:
            return on.AttachFailed(Refusal.GONE, "")
        self._attached = True
        return on.Attached()

    async def _say(self, ref: str, order: str | None) -> None:
        if order is not None:
            self._take_in(await self._session.ordered(ref, order), ref)
        self._inbox.append(on.SayEnded(ref, on.SayEnd.HEARD))

    async def _run(self, ref: str, name: str, arguments: str) -> None:
        tool = self._line.toolbox.find(name)
        if isinstance(tool, InvalidArguments):
            self._inbox.append(on.ToolEnded(ref, tool))
            return
        limit = self._line.tool_timeout
        outcome = await run(tool, self.call, arguments, default_timeout=limit)
        self._inbox.append(on.ToolEnded(ref, outcome))

    async def _answer(self, ref: str, output: str, *, reply: bool) -> None:
        """All calls of a response are answered before the model goes on, once."""
        self._mark("tool_answered", call_id=ref, output=output)
        await self._session.send(sends.tool_output(ref, output))
        self._batches, done = self._batches.answered(ref, output, reply=reply)
        if done is not None and done.reply:
            self._take_in(await self._session.respond())

    def _take_in(self, response: Response, ref: str | None = None) -> None:
        """What a response means to the call."""
        for item_id, text in response.said:
            self._mark("bot_said", text=text, interrupted=False)
            self._inbox += [
                on.UtteranceOpened(item_id, Who.BOT),
                on.BotSaid(item_id, text),
                on.BotStarted(ref),
                on.BotStopped(),
            ]
        self._batches = self._batches.asked(tuple(asked.ref for asked in response.asked))
        for asked in response.asked:
            self._mark("tool_asked", name=asked.name, arguments=asked.arguments, call_id=asked.ref)
            spoke = bool(response.said)
            self._inbox.append(on.ToolAsked(asked.ref, asked.name, asked.arguments, spoke))


def _reason(end: End) -> str:
    """The end in the words of a simulated call's trace."""
    match end.reason:
        case EndReason.CALLER_HUNG_UP | EndReason.TRANSFERRED:
            return str(end.reason)
        case _:
            return "hangup"
