"""The webhooks that we owe to others: those under way, those that arrived, and the dead ones."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from offhook.store.outbox import Letter, State
from offhook.store.reading import Page
from offhook.store.tokens import Role
from offhook.web.admin.api.calls import bad_cursor
from offhook.web.admin.api.narrowing import Cursor, Limit
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint
from offhook.web.admin.problems import not_found


class LettersQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which to list."""

    state: State | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Sending(Struct, frozen=True):
    """One webhook to one receiver. Of its address only the host: the rest may be a secret."""

    id: str
    kind: str
    call_id: str | None
    host: str
    body: str
    made_at: int
    state: State
    tries: int
    next_at: int | None
    sent_at: int | None
    error: str | None


class Waiting(Struct, frozen=True):
    """The webhook that is tried again."""

    id: str


@endpoint("GET", "/api/v1/webhooks", Role.ADMIN)
async def webhooks(desk: Desk, ask: Ask[LettersQuery, None]) -> Page[Sending]:
    """Webhooks to others, the newest first; `state=dead` are those that nobody took."""
    query = ask.query
    before = _position(query.cursor) if query.cursor else None
    found = await desk.outbox.letters(query.state, most=query.limit + 1, before=before)
    items = tuple(shown(each) for each in found[: query.limit])
    more = len(found) > query.limit
    return Page(items, f"{items[-1].made_at}.{items[-1].id}" if more else None)


@endpoint("POST", "/api/v1/webhooks/{webhook_id}/retry", Role.ADMIN, status=202)
async def retry_webhook(desk: Desk, ask: Ask[Nothing, None]) -> Waiting:
    """Try a dead webhook again."""
    webhook_id = ask.ids["webhook_id"]
    if not await desk.outbox.retry(webhook_id):
        raise not_found("There is no dead webhook with this id.")
    await desk.note(ask.visitor, "webhook.retried", subject=webhook_id)
    return Waiting(webhook_id)


def shown(letter: Letter) -> Sending:
    """A letter as far as it may be shown."""
    host = urlsplit(letter.url).hostname or ""
    fields = {n: getattr(letter, n) for n in Sending.__struct_fields__ if n != "host"}
    return Sending(**fields, host=host)


def _position(cursor: str) -> tuple[int, str]:
    at, _, last = cursor.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) < 16 and last):
        raise bad_cursor()
    return int(at), last
