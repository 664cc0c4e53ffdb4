"""The ASGI application: everything put together, started and stopped as one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

from aiohttp import BaseConnector
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from offhook._version import __version__
from offhook.bot import Bot
from offhook.config import Settings, auth_headers
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.observe.stall import Stall, StallWatch
from offhook.runtime.cloud import Cloud
from offhook.runtime.deliveries import Deliveries
from offhook.runtime.gate import make_gate
from offhook.runtime.meter import Meter
from offhook.runtime.recording import open_books, open_desk, open_tenure
from offhook.runtime.switchboard import Switchboard
from offhook.runtime.tariffs import make_tariff
from offhook.runtime.undisclosed import noted
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.nightly import nightly
from offhook.store.retention import terms
from offhook.web import health
from offhook.web.admin.mount import Administration
from offhook.web.webhook import PATH, Webhook


class Application(FastAPI):
    """FastAPI with a way past it for the webhook, which is most of what comes and in a hurry.

    The route is there as well, for an application that is mounted in another one.
    """

    webhook: Webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request, or the start and end of the server."""
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] == "POST":
            await self.webhook(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    bot: Bot, settings: Settings, *, connector: Callable[[], BaseConnector] | None = None
) -> FastAPI:
    """An application that answers calls with this bot.

    `connector` makes another way to the cloud than TCP. Raises `TargetError` if a target cannot
    be dialled, `PlanError` if the file of lines is wrong. The switchboard is
    `app.state.switchboard`, the counters are `app.state.metrics`, the database of records
    `app.state.database`, `None` where none are kept.
    """
    metrics = Metrics()
    cloud = Cloud(
        settings.endpoint,
        auth_headers(settings),
        warm=settings.cloud.warm_connections,
        connector=connector,
    )
    database, writer = open_books(settings) or (None, None)
    tariff = make_tariff(settings)
    desk = open_desk(settings, writer, tariff) if writer else None
    tenure = open_tenure(settings, database, desk, cloud) if database and desk else None
    gate = make_gate(bot, settings, metrics, desk)
    switchboard = Switchboard(
        gate.directory,
        cloud,
        metrics,
        gate.admission,
        words=settings.logs.transcripts,
        desk=desk,
        tenure=tenure,
        then=settings.replicas.drain_then,
        meter=Meter(metrics, tariff, gate.admission.quotas.spend),
        watch=gate.watch,
    )
    secrets = () if settings.server.test_mode else settings.server.webhook_secrets
    webhook = Webhook(
        switchboard,
        metrics,
        [s.get_secret_value() for s in secrets],
        region=settings.phone.default_region,
        deliveries=Deliveries(writer) if writer else None,
    )

    administration = None
    if database is not None and writer is not None:
        administration = Administration(settings, database, switchboard, metrics, writer.queued)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with (
            writer or nullcontext(),
            gate.attended(database, desk),
            cloud,
            tenure or nullcontext(),
            administration or nullcontext(),
            noted(Audit(database), gate.directory.lines) if database else nullcontext(),
            _nightly(settings, database),
        ):
            stalls = _stall_watch(settings, metrics)
            yield
            if stalls is not None:
                stalls.stop()
            await switchboard.drain(0.0)

    app = Application(
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
    app.state.tenure = tenure
    app.state.gate = gate
    app.webhook = webhook
    app.router.routes.append(Route(PATH, webhook, methods=["POST"]))
    app.state.tariff = tariff
    app.include_router(health.routes(switchboard, gate.watch))
    app.state.administration = administration
    if administration is not None:
        app.router.routes.append(administration.area)
    app.add_exception_handler(404, _nothing_here)
    app.add_exception_handler(405, _nothing_here)
    return app


def _nightly(settings: Settings, database: Database | None) -> AbstractAsyncContextManager[None]:
    """Let go of what is old, where anything is kept."""
    if database is None and not settings.logs.journal:
        return nullcontext()
    return nightly(database, terms(settings.privacy), Path(settings.logs.journal_dir))


def _stall_watch(settings: Settings, metrics: Metrics) -> StallWatch | None:
    """Have whatever blocks all calls named in the log."""
    if not settings.watchdogs.stall_ms:
        return None
    log = get_logger("server")

    def tell(stall: Stall) -> None:
        metrics.stalled()
        log.warning(
            "blocked: every call waits for this line",
            where=stall.where,
            inside=stall.inside,
            for_ms=round(stall.seconds * 1000),
        )

    watch = StallWatch(settings.watchdogs.stall_ms / 1000, tell)
    watch.start()
    return watch


async def _nothing_here(request: Request, error: Exception) -> Response:
    status, headers = 404, None
    if isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
    code = "not_found" if status == 404 else "method_not_allowed"
    message = f"Nothing here answers to {request.method}; the webhook is POST {PATH}."
    content = {"error": {"code": code, "message": message}}
    return JSONResponse(content, status_code=status, headers=headers)
