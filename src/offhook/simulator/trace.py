"""What happened on a call, with times: readable after a test has failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from msgspec import Struct

from offhook.simulator.wire import Json


class Mark(Struct, frozen=True):
    """One thing that happened, `at` simulated seconds after the ring."""

    at: float
    kind: str
    detail: Json

    def __str__(self) -> str:
        details = " ".join(f"{name}={_short(value)}" for name, value in self.detail.items())
        return f"{self.at:9.3f}  {self.kind:22} {details}"


class Told(Protocol):
    """A call as those see it who tell or judge it: what happened, and whether it is over."""

    @property
    def trace(self) -> list[Mark]:
        """What happened so far."""

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""

    def marks(self, kind: str) -> list[Mark]:
        """All marks of a kind."""

    def transcript(self) -> str:
        """Who said and did what, a line each."""

    def follow(self) -> AsyncIterator[Mark]:
        """Each mark as it is made, from the first one to the end of the call."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."


class Trace:
    """The marks of one call in order, and those who wait for one."""

    def __init__(self, now: Callable[[], float], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self._began = now()
        self._waiting: list[asyncio.Future[None]] = []
        self.marks: list[Mark] = []

    def mark(self, kind: str, **detail: Any) -> None:
        """Write down that something happened."""
        self.marks.append(Mark(self._now() - self._began, kind, detail))
        if self._waiting:
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiting.clear()
        self._changed()

    def of(self, kind: str) -> list[Mark]:
        """All marks of a kind."""
        return [mark for mark in self.marks if mark.kind == kind]

    async def reached(self, matches: Callable[[Mark], bool], timeout: float, what: str) -> Mark:
        """The first mark that matches, now or within `timeout` real seconds."""
        try:
            async with asyncio.timeout(timeout):
                async for mark in self.follow():
                    if matches(mark):
                        return mark
        except TimeoutError:
            raise TimeoutError(f"no {what} within {timeout} s\n{self}") from None
        raise AssertionError("a trace is followed for ever")

    async def follow(self) -> AsyncIterator[Mark]:
        """Each mark, those that were made and those that will be."""
        seen = 0
        while True:
            while seen < len(self.marks):
                seen += 1
                yield self.marks[seen - 1]
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def transcript(self) -> str:
        """Who said and did what, a line each."""
        return "\n".join(filter(None, map(_line, self.marks)))

    def __str__(self) -> str:
        return "\n".join(map(str, self.marks))


def _line(mark: Mark) -> str:
    detail = mark.detail
    match mark.kind:
        case "caller_said":
            return f"caller: {detail['text']}"
        case "caller_pressed":
            return f"caller presses {detail['digit']}"
        case "caller_hung_up":
            return "caller hangs up"
        case "bot_said":
            return f"bot: {detail['text']}{'...' if detail['interrupted'] else ''}"
        case "tool_asked":
            return f"bot calls {detail['name']} {detail['arguments']}"
        case "tool_answered":
            return f"tool answers {detail['output']}"
        case "refer":
            return f"transfer to {detail['target_uri']}: {detail['status']}"
        case "hangup":
            return "bot hangs up"
        case "reject":
            return f"call rejected: {detail['status_code']}"
    return ""
