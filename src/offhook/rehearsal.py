"""Plays scenarios on this machine: a simulated cloud rings the product's own server, or yours.

Nothing is faked between the two: the webhook is signed and checked, and every request, frame and
answer goes over real sockets on loopback.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import math
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from msgspec import Struct
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import load
from offhook.errors import UserError
from offhook.observe.metrics import Metrics
from offhook.runtime.session import Session
from offhook.runtime.switchboard import Switchboard
from offhook.shop import make_bot
from offhook.simulator import DEFAULT_SECRET, Call, Simulator
from offhook.simulator.must import untrue
from offhook.simulator.private import ADDRESS, PrivateSimulator
from offhook.simulator.profile import ProfileName
from offhook.simulator.scenario import Scenario
from offhook.simulator.trace import Told
from offhook.simulator.written import BotSide
from offhook.tools import Tool
from offhook.web.app import create_app
from offhook.web.server import Server
from offhook.web.webhook import PATH

TARGET = "sip:support@pbx.example.com"
PORT = 9000  # where the cloud listens for a server that is not started here
PATIENCE_S = 60.0
RECORD_S = 3.0  # how long the server may need to learn of an end that the cloud knows
Watch = Callable[[Call], Awaitable[None]]


class Served(Struct, frozen=True):
    """A server of the product's that listens. `url` is that of its webhook."""

    url: str
    metrics: Metrics
    switchboard: Switchboard


class Played(Struct, frozen=True):
    """A scenario that was played: the call, its end as the product has it, what did not hold."""

    scenario: Scenario
    call: Told
    recorded_as: str | None
    untrue: list[str]
    error: str = ""
    """Why it could not be played to its end, where that was nobody's fault on the call."""
    skipped: str = ""
    """Why it was not played at all."""
    unchecked: tuple[str, ...] = ()
    """What was not looked at, in words."""

    @property
    def held(self) -> bool:
        """Whether everything is true that was checked."""
        return not self.untrue and not self.error


class Stage(Protocol):
    """Where scenarios are played. `at_once` of them may go on at a time."""

    @property
    def at_once(self) -> int:
        """How many calls at a time."""

    @property
    def speed(self) -> float:
        """How much faster than in life."""

    async def __aenter__(self) -> Self:
        """Make ready."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear away."""

    async def play(
        self, scenario: Scenario, watch: Callable[[Told], Awaitable[None]] | None = None
    ) -> Played:
        """Hold one call; `watch` is given it to tell it as it happens."""


@asynccontextmanager
async def serving(
    cloud: Simulator, bot: Bot | None = None, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    """The product's own server on a free port, as `offhook serve` runs it."""
    with tempfile.TemporaryDirectory(prefix="offhook-") as folder:
        own = {**settings_for(cloud), "SIP_TARGET_URI": TARGET, "PORT": "0"}
        loaded = load(None, {**own, **(settings or {})})
        bot = bot or make_bot("en", Path(folder, "shop.sqlite3"))
        if isinstance(cloud, PrivateSimulator):
            app = create_app(bot, loaded, connector=cloud.connector)
            cloud.app = app
            async with app.router.lifespan_context(app):
                yield Served(ADDRESS + PATH, app.state.metrics, app.state.switchboard)
            return
        app = create_app(bot, loaded)
        async with _listening(Server(app, loaded)) as url:
            yield Served(url + PATH, app.state.metrics, app.state.switchboard)


@asynccontextmanager
async def _listening(server: Server) -> AsyncIterator[str]:
    """A server with its address, stopped in the end."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server.on_started = started.set_result
    serve = asyncio.create_task(server.serve())
    try:
        yield await started
    finally:
        server.should_exit = True
        await serve


def settings_for(cloud: Simulator) -> dict[str, str]:
    """The settings with which a server finds this cloud."""
    own = {
        "OPENAI_API_KEY": cloud.api_key,
        "OPENAI_WEBHOOK_SECRET": cloud.webhook_secret,
        "OPENAI_BASE": cloud.base_url,
        "OFFHOOK_DATABASE_URL": "off",  # trying something out leaves no file behind
    }
    if cloud.profile.name == "azure":
        own |= {"OFFHOOK_PROVIDER": "azure", "REALTIME_MODEL": cloud.deployments[0]}
    return own


def paced(speed: float) -> dict[str, str]:
    """Settings for a cloud that runs faster than life: what offhook waits for comes sooner."""
    speed = min(speed, 50.0)
    return {
        "OFFHOOK_GREETING_DELAY_MS": f"{200 / speed:.0f}",
        "OFFHOOK_REFER_WATCH_S": f"{max(1.0, 12 / speed):g}",
        "OFFHOOK_FILLER_S": f"{max(0.5, 4 / speed):g}",
        "OFFHOOK_DTMF_GAP_MS": f"{max(500, 4000 / speed):.0f}",
        "OFFHOOK_NO_EVENT_S": f"{max(5.0, 60 / speed):g}",
        "OFFHOOK_RESPONSE_LIMIT_S": f"{max(3.0, 30 / speed):g}",
        "OFFHOOK_GOODBYE_LIMIT_MS": f"{max(3000, 10000 / speed):.0f}",
    }


class Rehearsal:
    """A simulated cloud, and servers as the scenarios want them; an async context manager.

    Without `bot` the bundled shop answers. `settings` are more of the server's. With `url`, a
    webhook's address, a server that already runs is rung; it must have been told to use this
    cloud. `private` opens no ports: cloud and server talk within this process, and all scenarios
    must want the same bot.
    """

    at_once = 4

    def __init__(
        self,
        *,
        bot: Bot | None = None,
        url: str | None = None,
        secret: str | None = None,
        speed: float = 4.0,
        profile: ProfileName = "openai",
        port: int = 0,
        settings: Mapping[str, str] | None = None,
        private: bool = False,
    ) -> None:
        self.speed = speed
        kind = PrivateSimulator if private else Simulator
        self.cloud = kind(profile, speed=speed, port=port, webhook_secret=secret or DEFAULT_SECRET)
        self._bot = bot
        self._settings = {**paced(speed), **(settings or {})}
        self.url = url
        self._servers: dict[BotSide, Served] = {}
        self._starting = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="offhook-"))
        try:
            await self._stack.enter_async_context(self.cloud)
        except OSError as error:
            await self._stack.aclose()
            raise UserError(f"{error.strerror} Choose another port with --port.") from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def play(
        self,
        scenario: Scenario,
        watch: Watch | None = None,
        *,
        patience_s: float = PATIENCE_S,
    ) -> Played:
        """Ring, and wait for the end. `watch` is given the call to tell it as it happens."""
        call, session = await self.ring(scenario, watch, patience_s=patience_s)
        recorded = await _recorded(session) if call.over else None
        wrong = untrue(scenario.must, call, speed=self.speed, recorded_as=recorded)
        if not call.over:
            call.caller_hangs_up()
        return Played(scenario, call, recorded, wrong)

    async def ring(
        self, scenario: Scenario, watch: Watch | None, *, patience_s: float
    ) -> tuple[Call, Session | None]:
        """One call, from its ring to its end; and the product's own view of it where it is here."""
        served = await self._served(scenario.bot)
        url = self.url if served is None else served.url
        assert url is not None  # noqa: S101 - without an address there is a server of ours
        call = self.cloud.place(scenario.script, scenario.faults)
        found = asyncio.create_task(_session(call, served))
        tasks: list[asyncio.Future[Any]] = [found]
        if watch is not None:
            tasks.append(asyncio.ensure_future(watch(call)))
        try:
            await self.cloud.announce(
                call,
                url,
                caller=scenario.caller,
                caller_name=scenario.caller_name,
                called=scenario.called,
                headers=scenario.headers,
            )
            await call.finished(patience_s)
            done, _ = await asyncio.wait(tasks, timeout=5)
            for task in done:
                task.result()
        except TimeoutError:
            pass
        finally:
            for task in tasks:
                task.cancel()
        return call, found.result() if found.done() and not found.cancelled() else None

    async def _served(self, side: BotSide) -> Served | None:
        if self.url is not None:
            return None
        async with self._starting:
            if side not in self._servers:
                bot = troubled(self._bot or self._shop(side.language), side)
                more = {**self._settings, **self._more(side)}
                self._servers[side] = await self._stack.enter_async_context(
                    serving(self.cloud, bot, settings=more)
                )
            return self._servers[side]

    def _more(self, side: BotSide) -> dict[str, str]:
        """The settings that a scenario brings, its file of lines among them."""
        settings = dict(each.split("=", 1) for each in side.settings if "=" in each)
        if side.lines:
            path = Path(self._folder, f"lines-{len(self._servers)}.toml")
            path.write_text(side.lines, "utf-8")
            settings["OFFHOOK_LINES"] = str(path)
        return settings

    def _shop(self, language: str) -> Bot:
        return make_bot(language, Path(self._folder, f"shop-{len(self._servers)}.sqlite3"))


async def _session(call: Call, served: Served | None) -> Session | None:
    """The product's session of this call: looked for at each step, as it comes and goes."""
    found: Session | None = None
    async for _ in call.follow():
        if served is None:
            return None
        if found is None:
            found = next((s for s in served.switchboard if s.call.id == call.call_id), None)
    return found


async def _recorded(session: Session | None) -> str | None:
    """The end that the product writes down, once it knows of it."""
    if session is None:
        return None
    for _ in range(math.ceil(RECORD_S / 0.01)):
        if session.call.end is not None:
            return str(session.call.end.reason)
        await asyncio.sleep(0.01)
    return None


def troubled(bot: Bot, side: BotSide) -> Bot:
    """The same bot with slow or broken tools, or another policy of consent."""
    if side.consent is not None:
        bot = bot.with_consent(side.consent)
    if not side.slow_tools_s and not side.broken_tools:
        return bot
    twin = copy.copy(bot)
    twin.tools = tuple(_troubled(each, side) for each in bot.tools)
    return twin


def _troubled(tool: Tool, side: BotSide) -> Tool:
    async def run(**given: Any) -> Any:
        await asyncio.sleep(side.slow_tools_s)
        if tool.name in side.broken_tools:
            raise RuntimeError("broken on purpose, by the scenario")
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**given)
        return await asyncio.to_thread(tool.function, **given)

    return replace(tool, function=run)
