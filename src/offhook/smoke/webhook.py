"""`offhook smoke webhook`: one signed call against a server that runs, the cloud being simulated.

Nothing leaves this machine. The server must have been told to take the simulator for its cloud;
`--start` starts one that has.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from rich.console import Console

from offhook.config.env_file import read_env_file
from offhook.observe.logs import configure
from offhook.real.connection import Failed
from offhook.rehearsal import PORT, settings_for
from offhook.simulator import (
    DEFAULT_SECRET,
    Call,
    HangsUp,
    Hears,
    Mark,
    Says,
    Script,
    Simulator,
    Waits,
)
from offhook.simulator.profile import ProfileName
from offhook.simulator.understudy import Understudy
from offhook.smoke.report import Report
from offhook.web.webhook import PATH

URL = f"http://127.0.0.1:8000{PATH}"
SPEED = 4.0
STEP_S = 10.0  # for each step; offhook's own budgets are shorter
START_S = 30.0
GRACE_S = 5.0  # for a server that we started to leave

CALLER = (
    Hears(),
    Says("No, thank you, that is all. Goodbye."),
    Hears(),
    Waits(4 * SPEED),
    HangsUp(),
)
SCRIPT = Script("smoke", steps=CALLER, improviser=Understudy)


async def run(
    out: Console,
    *,
    url: str = URL,
    secret: str | None = None,
    profile: ProfileName = "openai",
    port: int = PORT,
    start: bool = False,
    bot: str | None = None,
) -> int:
    """Ring once and print each step. Returns 0 if all of them worked, else 1."""
    configure("pretty", "critical")
    secret = (secret or _in_file() or DEFAULT_SECRET).partition(",")[0].strip()
    cloud = Simulator(
        profile,
        speed=SPEED,
        port=0 if start else port,
        webhook_secret=secret,
    )
    report = Report(out)
    try:
        if not start:
            _check_free(port)
        async with cloud:
            if start:
                async with started(cloud, bot) as address:
                    return await _ring(cloud, address, report)
            return await _ring(cloud, url, report)
    except Failed as failed:
        report.failed("start", str(failed))
    return 1


def _in_file() -> str | None:
    """The secret of the server's own `.env`, if it is started in this folder."""
    settings, _ = read_env_file(Path(".env"))
    return settings.get("OPENAI_WEBHOOK_SECRET")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Failed(
                f"port {port} cannot be had for the simulated cloud ({error.strerror}); choose "
                "another with --port, and tell the server"
            ) from None


async def _ring(cloud: Simulator, url: str, report: Report) -> int:
    call = cloud.place(SCRIPT)
    before = time.monotonic()
    await cloud.announce(call, url, caller="+493023125001", caller_name=None,
                         called="+493023125100")  # fmt: skip
    try:
        _answered(call, url)
    except Failed as failed:
        report.failed("webhook answered 200", str(failed))
        return 1
    report.passed("webhook answered 200", (time.monotonic() - before) * 1000)
    held = await _follow(call, cloud, report)
    if not call.over:
        call.caller_hangs_up()
    return 0 if held else 1


def _answered(call: Call, url: str) -> None:
    match call.webhook_status:
        case 200:
            pass
        case 0:
            raise Failed(f"nothing answers at {url}. Is the server started, and its port right?")
        case 400 | 401 | 403:
            raise Failed(
                f"answered {call.webhook_status}: it does not trust the signature. Give --secret "
                "the server's OPENAI_WEBHOOK_SECRET, and look whether its clock is right"
            )
        case 404 | 405:
            raise Failed(f"answered {call.webhook_status}: the path is not that of the webhook, "
                         f"which is {PATH}")  # fmt: skip
        case status:
            raise Failed(f"answered {status}. The server's log says why")


async def _follow(call: Call, cloud: Simulator, report: Report) -> bool:
    """The steps after the webhook, each when it comes."""
    own = settings_for(cloud)
    own.pop("OPENAI_WEBHOOK_SECRET")  # it has one, which is nobody's to read on a screen
    given = " ".join(f"{name}={value}" for name, value in own.items())
    steps: tuple[tuple[str, str, Callable[[Mark], bool], str], ...] = (
        (
            "accepted",
            "accept",
            lambda mark: mark.detail["status"] == 200,
            f"no accept has come to {cloud.base_url}. The server must have been started with "
            f"{given}, or use --start",
        ),
        (
            "sideband attached",
            "attach",
            lambda _: True,
            "the call was accepted, but no WebSocket has come. Is REALTIME_WS_BASE set? Leave it "
            "empty, it follows from OPENAI_BASE",
        ),
        (
            "greeting heard",
            "bot_audio_started",
            lambda _: True,
            "the bot has said nothing. The server's log says what the cloud complained of",
        ),
        (
            "call ended",
            "call_ended",
            lambda _: True,
            "the call goes on after the goodbye. Are hang-ups refused, or does a tool hang?",
        ),
    )
    for name, kind, fits, why in steps:
        mark = await _reached(call, kind, fits, patience_s=STEP_S if name != "call ended" else 30.0)
        if mark is None:
            report.failed(name, why)
            return False
        report.passed(name, mark.at / SPEED * 1000, _told(mark, call))
    return True


async def _reached(
    call: Call, kind: str, fits: Callable[[Mark], bool], *, patience_s: float
) -> Mark | None:
    try:
        async with asyncio.timeout(patience_s):
            async for mark in call.follow():
                if mark.kind == kind and fits(mark):
                    return mark
    except TimeoutError:
        pass
    return None


def _told(mark: Mark, call: Call) -> str:
    match mark.kind:
        case "call_ended":
            spoken = [said.detail["text"] for said in call.marks("bot_said")]
            how = "the bot said goodbye and hung up"
            if not call.marks("hangup"):
                how = "the caller hung up; the bot has no end_call, or did not use it"
            return f"{how}; its last words: {spoken[-1]!r}" if spoken else how
        case "accept":
            return f"model {(mark.detail['body'] or {}).get('model')}"
        case _:
            return ""


@asynccontextmanager
async def started(cloud: Simulator, bot: str | None) -> AsyncIterator[str]:
    """`offhook serve` as a process of its own; the address of its webhook. Raises `Failed`."""
    port = _free_port()
    own = {
        **dict.fromkeys(("REALTIME_WS_BASE", "OFFHOOK_PROVIDER", "REALTIME_API_VERSION"), ""),
        **settings_for(cloud),
        "PORT": str(port),
        "OFFHOOK_HOST": "127.0.0.1",
        "OFFHOOK_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "offhook", "serve", *([bot] if bot else []),
        env={**os.environ, **own},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await _listens(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}{PATH}"
    finally:
        await _stopped(process)


async def _listens(address: str, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_S
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            if process.returncode is not None:
                raise Failed(f"it ended with status {process.returncode}; see above")
            try:
                async with http.get(address) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
    raise Failed(f"it does not listen after {START_S:g} s; see above")


async def _stopped(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
