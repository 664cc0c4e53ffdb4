"""The product and a simulated cloud, both real, started together and looked over when they stop."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import Settings, load
from offhook.core import call as core
from offhook.observe import logs
from offhook.runtime.session import Session
from offhook.runtime.switchboard import Switchboard
from offhook.simulator import Beliefs, Call, Faults, Mark, Script, Simulator, Timings, signature
from offhook.web.app import create_app
from offhook.web.server import Server
from offhook.web.webhook import PATH
from support.openai_types import ACCEPT, CLIENT_EVENT, without_nulls
from support.tap import Tap, tapping

GREETING = "Hello, this is a test."
PATIENCE_S = 10.0
CALLER = "+15550142"

Line = dict[str, Any]


def plain_bot(**more: Any) -> Bot:
    """A bot that greets, and whatever else it is given."""
    return Bot("You answer the phone. Be brief.", **{"greeting": GREETING, **more})


class Log(io.StringIO):
    """Keeps what is logged: raw, as parsed lines, and for those who wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self.raw: list[str] = []
        self._more = asyncio.Event()

    def write(self, text: str) -> int:
        self.raw += text.splitlines()
        self._more.set()
        return len(text)

    @property
    def lines(self) -> list[Line]:
        """Every line that is JSON."""
        return [json.loads(line) for line in self.raw if line.startswith("{")]

    def of(self, event: str, **fields: object) -> list[Line]:
        """The lines of an event with these fields."""
        return [
            line
            for line in self.lines
            if line["event"] == event and all(line.get(k) == v for k, v in fields.items())
        ]

    async def reached(self, event: str, *, count: int = 1, **fields: object) -> Line:
        """The `count`-th such line, as soon as it is written."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(found := self.of(event, **fields)) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            text = "\n".join(self.raw)
            raise AssertionError(f"no line {event} {fields} (count {count}):\n{text}") from None
        return found[count - 1]


class _Kept(dict[str, Any]):
    """The calls of a switchboard; `seen` keeps those that it lets go, too.

    A call that is claimed first is there only some time after its webhook was answered.
    """

    def __init__(self, seen: dict[str, Any]) -> None:
        super().__init__()
        self._seen = seen

    def __setitem__(self, call_id: str, session: Any) -> None:
        super().__setitem__(call_id, session)
        self._seen[call_id] = session


class Service:
    """What a test talks to."""

    def __init__(
        self, cloud: Simulator, app: FastAPI, server: Server, log: Log, tap: Tap | None = None
    ) -> None:
        self.cloud = cloud
        self._tap = tap
        self.app = app
        self.server = server
        self.log = log
        self.switchboard: Switchboard = app.state.switchboard
        self.url = server.url
        self.webhook = server.url + PATH
        self.sessions: dict[str, Session] = {}  # of all calls, those that are over included
        self.switchboard._sessions = _Kept(self.sessions)
        self.process: asyncio.Task[None]

    @property
    def lines(self) -> list[Line]:
        """What was logged so far, parsed."""
        return self.log.lines

    @property
    def tap(self) -> Tap:
        """What went over the wire."""
        assert self._tap is not None, "serve with tapped=True"
        return self._tap

    async def ring(self, script: Script | None = None, **options: Any) -> Call:
        """Let a call come in; returns when the webhook was answered."""
        return await self.cloud.ring(self.webhook, script, **{"caller": CALLER, **options})

    async def talk(self, *steps: Any, model: Sequence[Any] = (), **options: Any) -> Call:
        """Let a call come in that follows a script, and wait until it is over for both sides."""
        call = await self.ring(Script(steps=steps, model=model), **options)
        await self.over(call)
        return call

    async def over(self, call: Call) -> Line:
        """Wait until a call has ended for the cloud and for us; the line that sums it up."""
        await call.finished(PATIENCE_S)
        return await self.ended(call)

    async def ended(self, call: Call) -> Line:
        """Wait until a call has ended for us; the line that sums it up."""
        return await self.log.reached("ended", call_id=call.call_id)

    def record(self, call: Call) -> core.Call:
        """The call as the product knows it."""
        return self.sessions[call.call_id].call

    def counted(self, name: str, **labels: str) -> float:
        """The value of a metric."""
        return self.app.state.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def serving(
    bot: Bot | None = None,
    *,
    profile: Any = "openai",
    faults: Faults = Faults(),  # noqa: B008 - frozen
    beliefs: Beliefs = Beliefs(),  # noqa: B008 - frozen
    timings: Timings = Timings(),  # noqa: B008 - frozen
    speed: float = 60.0,
    network_delay_s: float = 0.0,
    limits: dict[str, float] | None = None,
    tolerate: Sequence[str] = (),
    log_format: Any = "json",
    tapped: bool = False,
    **env: str,
) -> AsyncIterator[Service]:
    """Start both, and see at the end that nothing is left and nothing went wrong unseen.

    `limits` shortens what no setting makes short enough. `tolerate` names events of log lines
    (`bug`, `cloud complains`) and marks of the cloud (`script_stuck`) that would otherwise fail
    the test. With `tapped`, `service.tap` has what went over the wire to the cloud.
    """
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        cloud = Simulator(
            profile,
            speed=speed,
            faults=faults,
            beliefs=beliefs,
            timings=timings,
            network_delay_s=network_delay_s,
        )
        await stack.enter_async_context(cloud)
        tap = None
        if tapped:
            tap = await stack.enter_async_context(tapping(cloud.base_url))
            env = {"OPENAI_BASE": tap.url, **env}
        settings = settings_for(cloud, **env)
        with logging_to(log_format) as log:
            app = create_app(bot or plain_bot(), settings)
            if limits:
                shorten(app, limits)
            async with running(app, settings) as (server, process):
                service = Service(cloud, app, server, log, tap)
                service.process = process
                yield service
                await hang_up_all(service)
            check_nothing_went_wrong(service, tolerate)
    await check_nothing_is_left(before)


def settings_for(cloud: Simulator, **env: str) -> Settings:
    """The settings with which the product finds this cloud."""
    return load(None, environment(cloud, **env))


def environment(cloud: Simulator, **env: str) -> dict[str, str]:
    """The same as variables. What is given as an empty text is left out."""
    azure = {"OFFHOOK_PROVIDER": "azure", "REALTIME_MODEL": cloud.deployments[0]}
    given = {
        "OPENAI_API_KEY": cloud.api_key,
        "OPENAI_WEBHOOK_SECRET": cloud.webhook_secret,
        "OPENAI_BASE": cloud.base_url,
        "PORT": "0",
        "OFFHOOK_GREETING_DELAY_MS": "0",
        "OFFHOOK_IDLE_TIMEOUT_MS": "0",  # at speed, nobody talks fast enough
        "OFFHOOK_ATTACH_BUDGET_MS": "1500",
        "OFFHOOK_LOG_LEVEL": "debug",
        "OFFHOOK_DATABASE_URL": "off",
        **(azure if cloud.profile.name == "azure" else {}),
        **env,
    }
    return {name: value for name, value in given.items() if value}


@contextmanager
def logging_to(log_format: Any = "json") -> Iterator[Log]:
    """Log into memory, and leave the process as it was."""
    root, show = logging.getLogger(), warnings.showwarning
    handlers, level = root.handlers[:], root.level
    log = Log()
    logs.configure(log_format, "debug", stream=log)
    try:
        yield log
    finally:
        logs.configure()
        logging.captureWarnings(False)
        warnings.showwarning = show
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@asynccontextmanager
async def running(
    app: FastAPI, settings: Settings
) -> AsyncIterator[tuple[Server, asyncio.Task[None]]]:
    """A server that listens, and the task that ends when it has stopped."""
    vars(uvicorn.server)["asyncio"] = Hasty()
    server = Server(app, settings)
    started = asyncio.Event()
    server.on_started = lambda _url: started.set()
    task = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert started.is_set(), "the server did not start"
    try:
        yield server, task
    finally:
        server.should_exit = True
        await task
        vars(uvicorn.server)["asyncio"] = asyncio


class Hasty:
    """`asyncio` for uvicorn, whose pauses would take most of the time of several hundred tests."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Sleep, but not for long."""
        await asyncio.sleep(seconds / 20)


def shorten(app: FastAPI, limits: dict[str, float]) -> None:
    """Replace limits of the calls (and `no_event` of the line), in seconds."""
    board, rest = app.state.switchboard, dict(limits)
    line = board._directory.first
    line = replace(line, no_event=rest.pop("no_event", line.no_event))
    rules = replace(line.rules, limits=replace(line.rules.limits, **rest))
    board._directory.put(board._directory.plan, {line.plan.name: replace(line, rules=rules)})


async def hang_up_all(service: Service) -> None:
    """End what the test has left on the line."""
    for call in service.cloud.calls.values():
        call.caller_hangs_up()
    async with asyncio.timeout(PATIENCE_S):
        await service.switchboard.idle()


def check_nothing_went_wrong(service: Service, tolerate: Sequence[str]) -> None:
    """No bug, no complaint of the cloud, no caller who waited in vain."""
    assert len(service.switchboard) == 0
    wrong = [
        line
        for line in service.lines
        if line["event"] in {"bug", "cloud complains", "odd frame"} - set(tolerate)
        or line.get("logger") == "asyncio"
        or "an entry could not be logged" in line["event"]
    ]
    assert not wrong, wrong
    for call in service.cloud.calls.values():
        check_what_was_sent(call)
    stuck = [m for c in service.cloud.calls.values() for m in c.marks("script_stuck")]
    assert not stuck or "script_stuck" in tolerate, stuck


def check_what_was_sent(call: Call) -> None:
    """Each body is one that the openai package could have sent, but for the voice's old name."""
    for mark in call.marks("accept"):
        if mark.detail["body"] is not None:
            ACCEPT.validate_python(without_nulls(mark.detail["body"]), strict=True)
    for body in sent(call):
        if body["event_id"] != "old-voice":
            CLIENT_EVENT.validate_python(without_nulls(body), strict=True)


async def check_nothing_is_left(before: set[asyncio.Task[Any]]) -> None:
    """No task goes on."""
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        await asyncio.wait(left, timeout=1)
    left = {task for task in left if not task.done()}
    assert not left, left


# Reading what the cloud has seen


def sent(call: Call, kind: str | None = None) -> list[dict[str, Any]]:
    """The client events that the cloud has got, in order."""
    bodies = [mark.detail["body"] for mark in call.marks("client_event")]
    return [body for body in bodies if kind in (None, body["type"])]


def asks(call: Call) -> list[str]:
    """What each `response.create` was for."""
    return [body["response"]["metadata"]["offhook"] for body in sent(call, "response.create")]


def outputs(call: Call) -> list[tuple[str, str]]:
    """The function call outputs that the cloud has got: id and text."""
    items = [body["item"] for body in sent(call, "conversation.item.create")]
    return [(i["call_id"], i["output"]) for i in items if i["type"] == "function_call_output"]


def said(call: Call) -> list[str]:
    """What the caller heard of the bot."""
    return [mark.detail["text"] for mark in call.marks("bot_said")]


def order_of(call: Call, *kinds: str) -> list[str]:
    """The kinds of the marks in the order in which they were made, only those named."""
    return [mark.kind for mark in call.trace if mark.kind in kinds]


def first(call: Call, kind: str) -> Mark:
    """The first mark of a kind."""
    return call.marks(kind)[0]


# Webhooks by hand


def signed(
    body: bytes,
    secret: str,
    *,
    delivery_id: str = "wh_1",
    age_s: int = 0,
) -> dict[str, str]:
    """The headers of a delivery."""
    timestamp = int(time.time()) - age_s
    return {
        "content-type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, delivery_id, timestamp, body),
    }
