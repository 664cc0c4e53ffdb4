"""Plays scenarios with the real model that the settings name, one after the other."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import Settings, load
from offhook.core.usage import Tokens
from offhook.errors import UserError
from offhook.real.connection import Failed, Hopeless, connected, session_url
from offhook.real.exchange import Exchange, TextCall
from offhook.real.fit import Fit, fit
from offhook.real.offer import Offer, estimate, total
from offhook.real.session import TextSession
from offhook.rehearsal import TARGET, Played, troubled
from offhook.runtime.line import Line, make_line
from offhook.shop import make_bot
from offhook.simulator.invite import Invite
from offhook.simulator.must import untrue
from offhook.simulator.scenario import Scenario
from offhook.simulator.trace import Told
from offhook.simulator.webhooks import incoming_call
from offhook.simulator.wire import new_call_id
from offhook.telephony.incoming import Incoming, parse


def settings(env_file: Path) -> Settings:
    """The settings of the real cloud; transfers have the target that every scenario knows.

    Raises `UserError` without a key, and `SettingsError`.
    """
    found = load(env_file, {**os.environ, "SIP_TARGET_URI": TARGET}, serving=False)
    if not found.cloud.api_key.get_secret_value():
        raise UserError(
            "--real asks the real cloud: set OPENAI_API_KEY, in the environment or in "
            f"{env_file}. `offhook smoke realtime` checks the account."
        )
    return found


class RealStage:
    """The real model, and the bot's own side here; an async context manager.

    Without `bot` the bundled shop answers. `used` are the tokens so far.
    """

    at_once = 1  # so that rate limits are met as late as can be, and the run can be stopped
    speed = 1.0

    def __init__(self, settings: Settings, bot: Bot | None = None) -> None:
        self._settings = settings
        self._bot = bot
        self._broken = ""
        self.used = Tokens()

    @property
    def model(self) -> str:
        """The model, or on Azure the deployment."""
        return self._settings.cloud.model

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is kept open between two calls."""

    def offer(self, scenarios: Sequence[Scenario]) -> Offer:
        """What playing these will take."""
        with tempfile.TemporaryDirectory(prefix="offhook-") as folder:
            lines = [(each, self._line(each, folder)) for each in scenarios]
        played = [estimate(each, line.config) for each, line in lines if not _fit(each, line).skip]
        return Offer(self.model, len(played), len(lines) - len(played), total(played))

    async def play(
        self, scenario: Scenario, watch: Callable[[Told], Awaitable[None]] | None = None
    ) -> Played:
        """Hold one call in text. Once it is clear that none can be held, none is tried."""
        call = TextCall()
        with tempfile.TemporaryDirectory(prefix="offhook-") as folder:
            line = self._line(scenario, folder)
            fits = _fit(scenario, line)
            if fits.skip:
                return Played(scenario, call, None, [], skipped=fits.skip)
            if self._broken:
                return Played(scenario, call, None, [], error=self._broken)
            return await self._hold(scenario, line, fits, call, watch)

    async def _hold(
        self,
        scenario: Scenario,
        line: Line,
        fits: Fit,
        call: TextCall,
        watch: Callable[[Told], Awaitable[None]] | None,
    ) -> Played:
        watching = asyncio.ensure_future(watch(call)) if watch is not None else None
        error, recorded = "", None
        try:
            recorded = await self._exchange(scenario, line, call)
        except Failed as failed:
            error = str(failed)
            if isinstance(failed, Hopeless):
                self._broken = f"not played: {error}"
        finally:
            if watching is not None:
                await asyncio.sleep(0)  # what happened last is still told
                if not call.over:
                    watching.cancel()
                await asyncio.wait([watching])
        if error:
            return Played(scenario, call, recorded, [], error=error)
        wrong = untrue(fits.must, call, recorded_as=recorded)
        return Played(scenario, call, recorded, wrong, unchecked=fits.unchecked)

    async def _exchange(self, scenario: Scenario, line: Line, call: TextCall) -> str | None:
        """Returns the end as it is on record."""
        async with connected(session_url(self._settings), self._settings) as socket:
            session = TextSession(
                socket, lambda body: call.log.mark("client_event", type=body["type"], body=body)
            )
            try:
                await session.begin(line.config)
                held = await Exchange(line, session, call).hold(
                    _rung(scenario, line), scenario.script.steps
                )
            finally:
                self.used += session.used
        return str(held.end.reason) if held.end is not None else None

    def _line(self, scenario: Scenario, folder: str) -> Line:
        shop = Path(folder, f"{scenario.bot.language}.sqlite3")
        bot = troubled(self._bot or make_bot(scenario.bot.language, shop), scenario.bot)
        line = make_line(bot, self._settings)
        at_once = replace(line.rules.limits, greeting_delay=0.0)  # no audio has to settle
        return replace(line, rules=replace(line.rules, limits=at_once))


def _fit(scenario: Scenario, line: Line) -> Fit:
    return fit(scenario, {tool["name"] for tool in line.config.tools})


def _rung(scenario: Scenario, line: Line) -> Incoming:
    """Who calls whom, read from the headers as on a call that rings."""
    invite = Invite(
        scenario.caller, scenario.caller_name, scenario.called, headers=scenario.headers
    )
    event = parse(msgspec.json.encode(incoming_call(new_call_id(), invite)), line.region)
    assert isinstance(event, Incoming)  # noqa: S101 - we have just made it
    return event
