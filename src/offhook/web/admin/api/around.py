"""What is around the calls: who I am, webhooks that came in, the audit log, metrics."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response

from offhook.store import reading
from offhook.store.audit import AuditEntry
from offhook.store.reading import CursorError, Delivery, Page
from offhook.store.tokens import Role
from offhook.web.admin.api.calls import bad_cursor
from offhook.web.admin.api.narrowing import Cursor, Limit, Plain, Time, milliseconds
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint

SCRAPED = "text/plain; version=0.0.4"


class Me(Struct, frozen=True):
    """Who asks. `csrf` is what a browser must send as `X-CSRF-Token` with every change."""

    actor: str
    role: Role
    expires_at: int | None
    csrf: str | None


class DeliveriesQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which deliveries to list."""

    since: Time | None = None
    until: Time | None = None
    call_id: Plain | None = None
    result: Plain | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which entries to list; `action` may be a beginning such as `login.`."""

    since: Time | None = None
    actor: Plain | None = None
    action: Plain | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


@endpoint("GET", "/api/v1/me", Role.VIEWER)
async def me(desk: Desk, ask: Ask[Nothing, None]) -> Me:
    """Who asks, and what they may do."""
    visitor = ask.visitor
    return Me(visitor.actor, visitor.role, visitor.expires_at, visitor.csrf)


@endpoint("GET", "/api/v1/deliveries", Role.VIEWER)
async def deliveries(desk: Desk, ask: Ask[DeliveriesQuery, None]) -> Page[Delivery]:
    """Webhooks of the cloud that came in, the newest first, and what became of each."""
    query = ask.query
    try:
        async with desk.database.read() as connection:
            return await reading.deliveries(
                connection,
                since=milliseconds(query.since),
                until=milliseconds(query.until),
                call_id=query.call_id,
                result=query.result,
                cursor=query.cursor,
                limit=query.limit,
            )
    except CursorError:
        raise bad_cursor() from None


@endpoint("GET", "/api/v1/audit", Role.ADMIN)
async def audit(desk: Desk, ask: Ask[AuditQuery, None]) -> Page[AuditEntry]:
    """Who saw or changed what, the newest first; `offhook audit verify` proves the chain."""
    query = ask.query
    since = milliseconds(query.since)
    found = await desk.audit.entries(
        since=since, actor=query.actor, action=query.action, limit=query.limit
    )
    return Page(tuple(found))


@endpoint("GET", "/metrics", Role.VIEWER, media=("text/plain",))
async def metrics(desk: Desk, ask: Ask[Nothing, None]) -> Response:
    """Counters and times of this process, for Prometheus."""
    body, media = desk.metrics.render()
    return Response(body, media_type=media)
