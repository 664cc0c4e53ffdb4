"""Calls as tests: ring a bot, speak to it, and say what must happen.

async def test_an_order_is_found() -> None:
    async with call(bot) as phone:
        await phone.says("Where is order ACME-12345?")
        await phone.expect_tool("lookup_order", order_number="ACME-12345")
        await phone.hears("processing")

The webhook, every request and every frame are the real ones; only the cloud is a simulator, and
it waits for nothing. Rules play the model, or the acts that are given as `model`. What fails
prints the call as a story.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from offhook.bot import Bot
from offhook.loading import load_bot
from offhook.rehearsal import PORT, Rehearsal
from offhook.simulator import (
    Call,
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    Mark,
    Presses,
    Replies,
    Says,
    Silent,
    StopsShort,
)
from offhook.simulator.must import Must, arguments_fit, ended, has_phrase, untrue
from offhook.simulator.profile import ProfileName
from offhook.simulator.scenario import Scenario, by_hand
from offhook.simulator.script import Act
from offhook.simulator.written import DEFAULT_CALLED, DEFAULT_CALLER
from offhook.story import plain

__all__ = [
    "CallsTools",
    "FailsWith",
    "Faults",
    "Phone",
    "PhoneError",
    "Replies",
    "Silent",
    "StopsShort",
    "call",
]

WITHIN_S = 5.0
LONGEST_S = 3600.0
WITHIN_LIFE_S = 30.0  # where people speak as slowly as they do


class PhoneError(AssertionError):
    """Something did not happen on the call; the text tells the call up to there."""


@asynccontextmanager
async def call(
    bot: Bot | str | None = None,
    *,
    caller: str | None = DEFAULT_CALLER,
    name: str | None = None,
    to: str = DEFAULT_CALLED,
    headers: Mapping[str, str] | None = None,
    model: Sequence[Act] = (),
    faults: Faults | None = None,
    settings: Mapping[str, str] | None = None,
    profile: ProfileName = "openai",
    speed: float = float("inf"),
    url: str | None = None,
    secret: str | None = None,
    port: int | None = None,
) -> AsyncIterator[Phone]:
    """Ring a bot and be the caller; at the end the caller hangs up.

    `bot` is a `Bot`, `module:bot` or `file.py:bot`; without one, the bundled shop answers.
    `caller` is `None` for a withheld number. `model` are acts that the model does first, `faults`
    what the cloud does wrong, `settings` more settings of the server. With `url`, the webhook of
    a server that runs already, and its `secret`, that one is rung; it must use the cloud on
    `port`, 9000 if not said, so take `speed=1` for it.
    Raises `PhoneError` in the end, too: for a function call that was never answered and the like.
    """
    loaded = load_bot(bot) if isinstance(bot, str) else bot
    stage = Rehearsal(
        bot=loaded,
        url=url,
        secret=secret,
        speed=speed,
        profile=profile,
        port=port if port is not None else (0 if url is None else PORT),
        settings=settings,
        private=url is None,
    )
    scenario = replace(
        by_hand("call", model=model),
        caller=caller,
        caller_name=name,
        called=to,
        headers=tuple((headers or {}).items()),
        faults=faults or Faults(),
    )
    async with stage, _ringing(stage, scenario) as ringing:
        phone = Phone(ringing, name or "Caller", speed)
        yield phone
        await phone.leaves()


@asynccontextmanager
async def _ringing(stage: Rehearsal, scenario: Scenario) -> AsyncIterator[Call]:
    """A call that has begun to ring; the caller leaves with the block."""
    placed: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    async def watch(call: Call) -> None:
        placed.set_result(call)

    rings = asyncio.create_task(stage.ring(scenario, watch, patience_s=LONGEST_S))
    either: set[asyncio.Future[Any]] = {placed, rings}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not placed.done():
            rings.result()  # raises what kept the server from starting
        yield placed.result()
    finally:
        if placed.done():
            placed.result().caller_hangs_up()
        await asyncio.gather(rings, return_exceptions=True)


class Phone:
    """The caller's end of a call.

    What is waited for must come `within` real seconds: 5 if not said, 30 where the cloud does not
    run as fast as it can.
    """

    def __init__(self, call: Call, name: str, speed: float) -> None:
        self.call = call
        self._name = name
        self._speed = speed
        self._since = 0
        self._within = WITHIN_S if math.isinf(speed) else WITHIN_LIFE_S

    @property
    def heard(self) -> list[str]:
        """All that the bot said so far, as far as it was heard."""
        return [str(mark.detail["text"]) for mark in self.call.marks("bot_said")]

    @property
    def tools(self) -> list[tuple[str, Any]]:
        """All function calls of the model so far: name, and arguments as given."""
        asked = self.call.marks("tool_asked")
        return [(str(m.detail["name"]), _parsed(m.detail["arguments"])) for m in asked]

    def story(self) -> str:
        """What happened so far, a line each."""
        return plain(self.call, self._name, self._speed)

    async def says(
        self, text: str, *, over_bot_ms: int | None = None, within: float | None = None
    ) -> None:
        """Say something once the bot has finished, or over it, so long after it began."""
        if over_bot_ms is None:
            await self._lets_the_bot_finish(within)
        self._begins_anew()
        over = over_bot_ms is not None
        self.call.do(Says(text, over=over, after_ms=over_bot_ms or 0))
        await self._until(lambda m: m.kind == "caller_said", within, f"could not say {text!r}")

    async def presses(self, keys: str, *, within: float | None = None) -> None:
        """Press keys, once the bot has finished."""
        await self._lets_the_bot_finish(within)
        self._begins_anew()
        self.call.do(Presses(keys.replace(" ", "")))
        last = keys.strip()[-1:]
        await self._until(
            lambda m: m.kind == "caller_pressed" and m.detail["digit"] == last,
            within,
            f"could not press {keys!r}",
        )

    async def hears(self, phrase: str = "...", *, within: float | None = None) -> str:
        """What the bot says with these words in it, since the caller last spoke."""
        mark = await self._until(
            lambda m: m.kind == "bot_said" and has_phrase(m.detail["text"], phrase),
            within,
            f"never heard {phrase!r}",
        )
        return str(mark.detail["text"])

    async def expect_tool(self, name: str, *, within: float | None = None, **arguments: Any) -> Any:
        """What a tool answers that the model calls, since the caller last spoke.

        Text in the arguments is compared by its words. JSON is returned parsed.
        """
        asked = await self._until(
            lambda m: (
                m.kind == "tool_asked" and m.detail["name"] == name and arguments_fit(arguments, m)
            ),
            within,
            f"{name} was not called" + (f" with {arguments}" if arguments else ""),
        )
        answer = await self._until(
            lambda m: m.kind == "tool_answered" and m.detail["call_id"] == asked.detail["call_id"],
            within,
            f"{name} was not answered",
        )
        return _parsed(answer.detail["output"])

    async def transferred(self, to: str | None = None, *, within: float | None = None) -> str:
        """The address that the call is transferred to."""
        mark = await self._until(
            lambda m: m.kind == "refer" and to in (None, m.detail["target_uri"]),
            within,
            "was not transferred" + (f" to {to}" if to else ""),
        )
        return str(mark.detail["target_uri"])

    async def ended(self, reason: str | None = None, *, within: float | None = None) -> str:
        """How the call ended: `bot_hung_up`, `transferred`, `caller_hung_up`, `rejected`..."""
        await self._until(lambda m: m.kind == "call_ended", within, "the call has not ended")
        found = str(ended(self.call))
        if reason is not None and found != reason:
            raise PhoneError(self._told(f"the call ended as {found}, not as {reason}"))
        return found

    async def hangs_up(self) -> None:
        """Leave at once."""
        self.call.do(HangsUp())
        await self.ended()

    async def leaves(self) -> None:
        """Hang up if still on the line, and see to it that nothing was left undone."""
        self.call.caller_hangs_up()
        wrong = untrue(Must(), self.call)
        if wrong:
            raise PhoneError(self._told("; ".join(wrong)))

    async def _lets_the_bot_finish(self, within: float | None) -> None:
        """A polite caller waits for what the bot has to say since it was last spoken to."""
        if not any(mark.kind == "bot_said" for mark in self._recent()):
            await self.hears(within=within)
        # Any words will do, so this only waits for silence.
        self.call.do(Hears("", timeout_s=within or self._within))

    def _begins_anew(self) -> None:
        self._since = len(self.call.trace)

    def _recent(self) -> list[Mark]:
        return self.call.trace[self._since :]

    async def _until(
        self, matches: Callable[[Mark], bool], within: float | None, what: str
    ) -> Mark:
        within = self._within if within is None else within
        when = "before the call was over"
        try:
            async with asyncio.timeout(within):
                found = await self._first(matches)
        except TimeoutError:
            found, when = None, f"within {within:g} s"
        if found is None:
            raise PhoneError(self._told(f"{what} {when}"))
        return found

    async def _first(self, matches: Callable[[Mark], bool]) -> Mark | None:
        """The first that matches since the caller last spoke; `None` if the call ends before."""
        number = 0
        async for mark in self.call.follow():
            number += 1
            if number > self._since and matches(mark):
                return mark
        return None

    def _told(self, what: str) -> str:
        return f"{what}\n{self.story()}\n   -->      {what}"


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
