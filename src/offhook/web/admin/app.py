"""The application of the API: one gate before all of it, words for every mistake."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

import msgspec
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount, Route
from starlette.types import Receive, Scope, Send

from offhook.observe.logs import get_logger
from offhook.store.secrets import same
from offhook.store.tokens import Role
from offhook.web.admin import openapi, reading
from offhook.web.admin.api import around, calls, figures, keys, orders, outgoing, replicas, words
from offhook.web.admin.desk import Desk
from offhook.web.admin.door import Door
from offhook.web.admin.endpoints import Ask, Endpoint, Nothing, endpoint
from offhook.web.admin.entrance import LEAVE, OPEN, Entrance
from offhook.web.admin.headers import guard
from offhook.web.admin.problems import ProblemError, away, forbidden, not_found
from offhook.web.admin.visitors import Visitor

AREA: Final = ("/api", "/admin", "/metrics")  # these and all below them are behind the gate
METRICS: Final = "/metrics"
ANSWER_S: Final = 15.0
SAFE: Final = frozenset({"GET", "HEAD"})


@endpoint("GET", "/api/v1/openapi.json", Role.VIEWER, media=("application/json",))
async def document(desk: Desk, ask: Ask[Nothing, None]) -> Response:
    """This document."""
    return JSONResponse(openapi.document(ENDPOINTS))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    around.me,
    figures.stats,
    calls.calls,
    calls.live_calls,
    calls.call,
    words.transcript,
    words.transcript_json,
    words.transcript_text,
    words.transcript_captions,
    words.timeline,
    words.tool_calls,
    words.reveal_number,
    orders.say,
    orders.whisper,
    orders.transfer,
    orders.hang_up,
    orders.mute_tools,
    figures.costs,
    figures.latency,
    around.deliveries,
    outgoing.webhooks,
    outgoing.retry_webhook,
    replicas.replicas,
    replicas.drain_replica,
    keys.tokens,
    keys.create_token,
    keys.revoke_token,
    around.audit,
    around.metrics,
    document,
)


class AdminApp:
    """An ASGI application. Without a valid credential, all of it answers 401."""

    def __init__(
        self,
        desk: Desk,
        door: Door,
        entrance: Entrance,
        *,
        metrics_open: bool = False,
        secure: bool = False,
    ) -> None:
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._metrics_open = metrics_open
        self._secure = secure
        self._log = get_logger("admin")
        self._routes = [
            (Route(path, self, methods=[each.method]), each)
            for each in ENDPOINTS
            for path in (each.path, *each.also)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = guard(await self._answer(request), secure=self._secure)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._within(request)
        except ProblemError as problem:
            return problem.response()
        except (OperationalError, InterfaceError, PoolTimeoutError, OSError, TimeoutError) as error:
            self._log.warning("the records cannot be read", detail=type(error).__name__)
            return away("The records cannot be read just now; calls go on.").response()
        except DBAPIError as error:  # e.g. the server shuts down
            if error.connection_invalidated:
                return away("The records cannot be read just now; calls go on.").response()
            return self._bug()
        except Exception:
            return self._bug()

    def _bug(self) -> Response:
        self._log.exception("bug")
        detail = "This is a bug in offhook; the log has the details."
        return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail).response()

    async def _within(self, request: Request) -> Response:
        path = request.url.path
        if path in OPEN and request.method == "GET":  # to ask about a link does not use it up
            return await self._entrance.answer(request)
        if path == METRICS and self._metrics_open and request.method in SAFE:
            body, media = self._desk.metrics.render()
            return Response(body, media_type=media)
        visitor = await self._door.visitor(request)
        _check_csrf(request, visitor)
        if path == LEAVE and request.method == "POST":
            return await self._entrance.leave(request)
        found, ids = self._find(request)
        if not visitor.role.may(found.role):
            raise forbidden(f"This needs the role {found.role}; yours is {visitor.role}.")
        ask = await _read(request, found, reading.ids(ids), visitor)
        return _encoded(await found.act(self._desk, ask), found)

    def _find(self, request: Request) -> tuple[Endpoint, dict[str, Any]]:
        allowed: set[str] = set()
        for route, found in self._routes:
            match, child = route.matches(request.scope)
            if match is Match.FULL:
                return found, child["path_params"]
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        if allowed:
            allow = ", ".join(sorted(allowed))
            detail = f"Here only {allow} will do."
            raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": allow})
        raise not_found("There is nothing here; /api/v1/openapi.json lists what there is.")


class Area(Mount):
    """Hands to the API what is below its paths, and leaves alone what is not."""

    def __init__(self, app: AdminApp) -> None:
        super().__init__("", app=app)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is ours."""
        path = str(scope.get("path", ""))
        ours = any(path == each or path.startswith(f"{each}/") for each in AREA)
        return super().matches(scope) if ours and scope["type"] == "http" else (Match.NONE, {})


def _check_csrf(request: Request, visitor: Visitor) -> None:
    """A browser's cookie comes along whoever wrote the page; only ours knows this as well."""
    if visitor.csrf is None or request.method in SAFE:
        return
    if not same(request.headers.get("x-csrf-token", ""), visitor.csrf):
        raise forbidden("Send X-CSRF-Token with what /api/v1/me gives as csrf.")


async def _read(
    request: Request, found: Endpoint, ids: dict[str, str], visitor: Visitor
) -> Ask[Any, Any]:
    query = reading.query(request.query_params.multi_items(), found.query)
    body = await reading.body(request, found.body) if found.body is not None else None
    return Ask(visitor, ids, query, body, request.headers.get("accept", ""))


def _encoded(answer: Any, found: Endpoint) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(msgspec.json.encode(answer), found.status, media_type="application/json")
