"""Callers who talk until they are told to stop, and a model that answers them with and without
tools; and what must be true of every such call afterwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from bench.chaos.cloud import Watched
from bench.chaos.stage import Stage
from bench.chaos.verdict import Demand, exactly, none
from offhook.simulator import CallsTools, HangsUp, Hears, Replies, Says, Script
from offhook.simulator.script import Act
from offhook.simulator.wire import Json

HEARS_S = 1200.0  # simulated: whoever does not answer by then never does
TURN_S = 40.0  # real
RATE = 25.0  # new calls a second
EVERY = 3  # so often the model needs a tool


class Clerk:
    """Looks something up for every third sentence, and repeats the others."""

    def act(self, session: Json, items: list[Json], caller_text: str) -> Act:
        """What the model does now."""
        del session
        if items and items[-1]["type"] == "function_call_output":
            return Replies("It is on its way.")
        number = int((re.findall(r"\d+", caller_text) or ["1"])[-1])
        if number % EVERY == 0:
            return CallsTools(("looks", {"number": number}))
        return Replies(f"You said {caller_text}")


CHAT = Script(steps=(Hears(timeout_s=HEARS_S),), improviser=Clerk)


class Crowd:
    """Many calls, each with a caller who goes on talking. `stop` lets them all say goodbye."""

    def __init__(self, place: Stage) -> None:
        self.calls: list[Watched] = []
        self._place = place
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def call(self, number: int, webhooks: Sequence[str], script: Script = CHAT) -> None:
        """So many calls more, to these addresses in turn. Returns when they are greeted."""
        fresh = []
        for n in range(number):
            fresh.append(await self._place.cloud.phone(webhooks[n % len(webhooks)], script))
            await asyncio.sleep(1 / RATE)
        self.calls += fresh
        await self._place.until(lambda: all(c.marks("bot_said") for c in fresh), TURN_S)
        self._tasks += [asyncio.create_task(self._talk(call)) for call in fresh]

    async def _talk(self, call: Watched) -> None:
        said = 0
        while not self._stop.is_set() and not call.over:
            said += 1
            call.do(Says(f"Sentence {said}."))
            call.do(Hears(timeout_s=HEARS_S))
            with suppress(TimeoutError):  # a caller who waits in vain is counted elsewhere
                await call.reached("bot_said", TURN_S, count=said + 1)
        call.do(HangsUp())

    async def stop(self) -> None:
        """Return when all have hung up, or do not get to it."""
        self._stop.set()
        await asyncio.gather(*self._tasks)
        await self._place.until(lambda: all(c.over for c in self.calls), TURN_S)


async def intact(place: Stage, calls: Sequence[Watched]) -> tuple[list[Demand], list[str]]:
    """What is demanded of every call, whatever was done; and examples of what is not so."""
    await place.recorded(calls)
    lost = [f"{c.call_id} ended as {c.reason!r}" for c in calls if c.reason != "caller_hung_up"]
    endless, lacking = await place.endless(calls), await place.lacking(calls)
    answered = [f"{c.call_id}: {c.answers}" for c in calls if set(c.answers.values()) - {1}]
    stuck = [f"{c.call_id}: {m}" for c in calls for m in c.marks("script_stuck")]
    bugs = place.bugs()
    demands = [
        none("calls lost", lost),
        exactly("greetings", len(calls), sum(c.greetings for c in calls)),
        none("callers who waited in vain", stuck),
        none("calls with a function call not answered exactly once", answered),
        none("calls with a function call answered twice", _twice(calls)),
        none("tools with effects run twice", again(place.ran())),
        none("calls with no end on record", endless),
        none("calls with a finished utterance lost", lacking),
        none("times that two owners acted for a call", sum(c.relapses for c in calls)),
        none("own mistakes in the logs", bugs),
    ]
    return demands, [*lost, *stuck, *answered, *endless, *lacking, *bugs]


def _twice(calls: Sequence[Watched]) -> list[str]:
    return [call.call_id for call in calls if any(n > 1 for n in call.answers.values())]


def again(ran: Iterable[str]) -> list[str]:
    """The runs of tools with effects that came after the first."""
    seen: set[str] = set()
    twice = []
    for line in ran:
        if line.startswith("pays"):
            twice += [line] if line in seen else []
            seen.add(line)
    return twice
