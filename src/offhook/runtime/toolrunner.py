"""Runs the bot's own code for one call: tools and what reacts to keys."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from offhook.bot import Reaction
from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.outcomes import Cancelled, InvalidArguments
from offhook.runtime.line import Line
from offhook.tools.run import run

Report: TypeAlias = Callable[[on.Event], Awaitable[None]]
Confirmed: TypeAlias = Callable[[], Awaitable[bool]]
Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class ToolRunner:
    """Each tool that is started ends as exactly one `ToolEnded`, reported in its own task."""

    def __init__(self, line: Line, spawn: Spawn, report: Report, confirmed: Confirmed) -> None:
        self._line = line
        self._spawn = spawn
        self._report = report
        self._confirmed = confirmed
        self._loop = asyncio.get_running_loop()
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, call: Call, ref: str, name: str, arguments: str) -> None:
        """Start a tool by its name; one that is not there ends as well."""
        self._running[ref] = self._spawn(self._run(call, ref, name, arguments))

    async def _run(self, call: Call, ref: str, name: str, arguments: str) -> None:
        tool = self._line.toolbox.find(name)
        try:
            if isinstance(tool, InvalidArguments):
                await self._report(on.ToolEnded(ref, tool))
                return
            if tool.effects:
                await self._report(on.ToolStarted(ref))
                if not await self._confirmed():
                    return
            timeout, began = self._line.tool_timeout, self._loop.time()
            outcome = await run(tool, call.with_(asking=ref), arguments, default_timeout=timeout)
            await self._report(on.ToolEnded(ref, outcome, self._loop.time() - began))
        except asyncio.CancelledError:
            await self._report(on.ToolEnded(ref, Cancelled("the caller left")))
            raise
        finally:
            self._running.pop(ref, None)

    @property
    def tasks(self) -> set[asyncio.Task[None]]:
        """What runs."""
        return set(self._running.values())

    def abandon(self, call: Call, refs: tuple[str, ...]) -> None:
        """Nobody waits for these any more: stop those that need not finish."""
        for ref in refs:
            tool = self._line.toolbox.find(call.tools.calls[ref].name)
            task = self._running.get(ref)
            if task is not None and not isinstance(tool, InvalidArguments) and not tool.finish:
                task.cancel()

    def react(self, reaction: Awaitable[Reaction], broke: Callable[[str], None]) -> None:
        """Run a hook of the bot. A bug in it is told to `broke`, and the call goes on."""

        async def work() -> None:
            try:
                answer = await reaction
            except Exception:
                broke(traceback.format_exc())
                return
            await self._report(on.HookAnswered(answer))

        self._spawn(work())
