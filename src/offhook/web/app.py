"""The ASGI application: everything put together, started and stopped as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext

from aiohttp import BaseConnector
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from offhook._version import __version__
from offhook.bot import Bot
from offhook.config import Settings, auth_headers
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.observe.stall import Stall, StallWatch
from offhook.runtime.cloud import Cloud
from offhook.runtime.deliveries import Deliveries
from offhook.runtime.line import make_line
from offhook.runtime.recording import open_books, open_desk
from offhook.runtime.switchboard import Switchboard
from offhook.web import health
from offhook.web.admin.mount import Administration
from offhook.web.webhook import Webhook


def create_app(
    bot: Bot, settings: Settings, *, connector: Callable[[], BaseConnector] | None = None
) -> FastAPI:
    """An application that answers calls with this bot.

    `connector` makes another way to the cloud than TCP. Raises `TargetError` if a target cannot
    be dialled. The switchboard is `app.state.switchboard`, the counters are `app.state.metrics`,
    the database of records `app.state.database`, `None` where none are kept.
    """
    metrics = Metrics()
    cloud = Cloud(
        settings.endpoint,
        auth_headers(settings),
        warm=settings.cloud.warm_connections,
        connector=connector,
    )
    line = make_line(bot, settings)
    database, writer = open_books(settings) or (None, None)
    desk = open_desk(bot, settings, writer) if writer else None
    switchboard = Switchboard(line, cloud, metrics, words=settings.logs.transcripts, desk=desk)
    secrets = () if settings.server.test_mode else settings.server.webhook_secrets
    webhook = Webhook(
        switchboard,
        metrics,
        [s.get_secret_value() for s in secrets],
        region=settings.phone.default_region,
        deliveries=Deliveries(writer) if writer else None,
    )

    administration = None
    if database is not None:
        administration = Administration(settings, database, switchboard, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with writer or nullcontext(), cloud, administration or nullcontext():
            watch = _stall_watch(settings)
            yield
            if watch is not None:
                watch.stop()
            await switchboard.drain(0.0)

    app = FastAPI(
        title="offhook",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.switchboard = switchboard
    app.state.metrics = metrics
    app.state.database = database
    app.state.writer = writer
    app.state.line = line
    app.include_router(webhook.router)
    app.include_router(health.routes(switchboard))
    app.state.administration = administration
    if administration is not None:
        app.router.routes.append(administration.area)
    app.add_exception_handler(404, _nothing_here)
    return app


def _stall_watch(settings: Settings) -> StallWatch | None:
    """Have whatever blocks all calls named in the log."""
    if not settings.watchdogs.stall_ms:
        return None
    log = get_logger("server")

    def tell(stall: Stall) -> None:
        log.warning(
            "blocked: every call waits for this line",
            where=stall.where,
            inside=stall.inside,
            for_ms=round(stall.seconds * 1000),
        )

    watch = StallWatch(settings.watchdogs.stall_ms / 1000, tell)
    watch.start()
    return watch


async def _nothing_here(request: Request, _: Exception) -> Response:
    message = f"There is nothing at {request.method} here; the webhook is POST /openai/webhook."
    return JSONResponse({"error": {"code": "not_found", "message": message}}, status_code=404)
