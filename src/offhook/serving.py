"""`offhook serve`: settings, bot, logs and server brought together."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import typer
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from offhook._version import __version__
from offhook.bot import Bot
from offhook.config import Settings, is_loopback, load
from offhook.errors import TargetError
from offhook.loading import load_bot
from offhook.observe.logs import configure, get_logger
from offhook.runtime.line import DEFAULT_TARGET, Line
from offhook.runtime.recording import check_folders
from offhook.runtime.tariffs import OWN, advice, unreadable
from offhook.runtime.undisclosed import undisclosed
from offhook.shop import make_bot
from offhook.store.prices import Tariff
from offhook.telephony.targets import parse_target
from offhook.web.admin.mount import Administration, invite
from offhook.web.app import create_app
from offhook.web.server import Server, next_change, restart_on_change
from offhook.web.webhook import PATH

LOG_DELAY_S = 0.05  # not seen by who reads along, and long enough for many lines of a busy server


def serve(spec: str | None, env_file: Path, *, reload: bool) -> bool:
    """Serve until told to stop. Returns whether to start again because a file has changed.

    Raises `SettingsError` with all problems of the settings at once, `BotError` for the bot.
    """
    settings = load(env_file, checks={"SIP_TARGET_URI": undialable, OWN: unreadable})
    configure(settings.logs.format, settings.logs.level, delay_s=LOG_DELAY_S)
    bot = load_bot(spec) if spec else bundled(settings)
    check_folders(settings)
    app = create_app(bot, settings)
    server = Server(app, settings)
    chores: set[asyncio.Task[None]] = set()

    def started(url: str) -> None:
        _introduce(app, settings, url)
        chores.add(asyncio.get_running_loop().create_task(_invite(app, settings, url)))

    server.on_started = started
    _calm_the_collector()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_run(server, app, watched(spec) if reload else []))


async def _run(server: Server, app: FastAPI, paths: list[Path]) -> bool:
    changed: asyncio.Task[None] | None = None
    if paths:
        work = restart_on_change(server, app.state.switchboard, paths)
        changed = asyncio.get_running_loop().create_task(work)
    await server.serve()
    if changed is None:
        return False
    again = changed.done()
    changed.cancel()
    return again


def _calm_the_collector() -> None:
    """Look at all there is for cyclic garbage rarely: else that is a quarter of a busy line's CPU.

    A call is values that are freed by their count; what is loaded once need not be looked at.
    What is young is looked at as often as Python does: with 2,000 calls, 20,000 objects at a time
    were a pause of up to 60 ms for all of them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 3_000)


def _introduce(app: FastAPI, settings: Settings, url: str) -> None:
    """Say in the log what answers, and what it cannot do."""
    lines: dict[str, Line] = app.state.gate.directory.lines
    line = next(iter(lines.values()))
    log = get_logger("server")
    log.info(
        f"offhook {__version__} listens on {url}",
        webhook=f"{url}{PATH}",
        bot=line.bot.name,
        **({"lines": list(lines)} if settings.admission.lines else {}),
        model=settings.cloud.model,
        provider=settings.endpoint.provider,
        tools=[t.name for t in line.toolbox],
        targets=list(line.rules.targets),
        consent=line.rules.terms.policy if line.rules.terms else "none",
    )
    silent = undisclosed(lines)
    for name, each in lines.items():
        where = {"line": name} if len(lines) > 1 else {}
        if not each.rules.targets:
            hint = "no transfer target: handoff_human is not offered; set SIP_TARGET_URI"
            log.warning(hint, **where)
        if name in silent:
            hint = "no disclosure: callers are not told that they are talking to an AI"
            log.warning(hint, **where)
    reserved = sum(app.state.gate.directory.reserved.values())
    if reserved > settings.replicas.max_calls:
        log.warning(
            "lines reserve more calls than this process takes: fine with several processes",
            reserved=reserved,
            max_calls=settings.replicas.max_calls,
        )
    if settings.records.database_url and not settings.privacy.records_key:
        log.warning(
            "numbers are stored in the clear: set OFFHOOK_RECORDS_KEY to a key that "
            "`offhook privacy key` prints"
        )
    if settings.server.test_mode:
        log.warning("TEST_MODE: signatures are not checked")
    if settings.costs.daily_budget is not None:
        _doubt(app.state.tariff, settings)


def _doubt(tariff: Tariff, settings: Settings) -> None:
    """Say in the log what the daily budget cannot count."""
    log = get_logger("server")
    for model in tariff.unknown:
        hint = advice(settings, model)
        log.warning("the daily budget does not count a model", model=model, hint=hint)
    if settings.records.database_url is None:
        log.warning("without records, the daily budget counts this process only, from its start")


async def _invite(app: FastAPI, settings: Settings, url: str) -> None:
    """On loopback, show whoever has started the server the way in. Not in the log: it is a key."""
    administration: Administration | None = app.state.administration
    if administration is None or not is_loopback(settings.server.host):
        return
    try:
        link = await invite(administration.desk.passes, settings.admin.public_url or url)
    except (SQLAlchemyError, OSError):
        return  # the log has said that the database is away; `offhook token link` makes one later
    typer.echo(f"To look in, open {link} (once, within 10 minutes)", err=True)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The fastest event loop that there is on this system."""
    try:
        import uvloop
    except ImportError:  # Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def undialable(uri: str) -> str | None:
    """Why this cannot be a transfer target, `None` if it can."""
    try:
        parse_target(DEFAULT_TARGET, uri)
    except TargetError as error:
        return str(error)
    return None


def bundled(settings: Settings) -> Bot:
    """The shop that answers when the user has no bot of their own yet."""
    return make_bot(settings.session.language, settings.shop.database)


def wait_for_change(spec: str | None) -> None:
    """Wait until a file of the bot changes."""
    asyncio.run(next_change(watched(spec)))


def watched(spec: str | None) -> list[Path]:
    """What `--reload` looks at: the folder of the user's file, else the working folder."""
    place = (spec or "").rpartition(":")[0] or (spec or "")
    return [Path(place).resolve().parent if place.endswith(".py") else Path.cwd()]
