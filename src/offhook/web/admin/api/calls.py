"""Calls: lists of them, those that are live, and one with all that may be shown without words."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from offhook.core.end import IN_WORDS
from offhook.store import reading
from offhook.store.reading import CallRecord, CallSummary, CursorError, Filter, Page
from offhook.store.reading.search import words
from offhook.store.tokens import Role
from offhook.web.admin.api.narrowing import Cursor, Limit, Narrowed, Plain
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint
from offhook.web.admin.problems import ProblemError, forbidden, not_found, unfit
from offhook.web.admin.visitors import Visitor

DAY_MS = 86_400_000


class CallsQuery(Narrowed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls to list. `number` and `text` are for supervisors."""

    number: Plain | None = None
    text: Plain | None = None
    live: bool | None = None
    min_length_ms: Annotated[int, Meta(ge=0, le=DAY_MS)] | None = None
    min_cost_usd: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class LiveCall(Struct, frozen=True):
    """A call that goes on. `here`: this process has it, so it takes commands here."""

    call: CallSummary
    here: bool


class LiveCalls(Struct, frozen=True):
    """All calls that go on, on any replica, the newest first."""

    items: tuple[LiveCall, ...]


@endpoint("GET", "/api/v1/calls", Role.VIEWER, also=("/api/calls",))
async def calls(desk: Desk, ask: Ask[CallsQuery, None]) -> Page[CallSummary]:
    """Calls, the last to ring first.

    `text` finds words of the transcript, the last of which may be a beginning; `number` finds a
    caller. Both need the role `supervisor`. `next` is the cursor of the next page.
    """
    wanted = _filter(desk, ask.query, ask.visitor)
    if wanted.text is not None:
        await desk.note(ask.visitor, "transcripts.searched")
    try:
        async with desk.database.read() as connection:
            found = await reading.page(
                connection, wanted, cursor=ask.query.cursor, limit=ask.query.limit
            )
    except CursorError:
        raise bad_cursor() from None
    return replace(found, items=tuple(map(plain, found.items)))


def _filter(desk: Desk, query: CallsQuery, visitor: Visitor) -> Filter:
    if (query.text or query.number) and not visitor.role.may(Role.SUPERVISOR):
        raise forbidden("To look for words or numbers you need the role supervisor.")
    if query.text and not words(query.text):
        raise unfit("text: has no word in it, which is letters and digits.")
    return replace(
        query.filter,
        number_hashes=desk.vault.hashes(query.number) if query.number else (),
        text=query.text,
        live=query.live,
        min_length_ms=query.min_length_ms,
        min_cost_usd=query.min_cost_usd,
    )


def bad_cursor() -> ProblemError:
    """The answer to a cursor that is none of ours."""
    return unfit("cursor: is not one that we gave; begin without one.")


@endpoint("GET", "/api/v1/calls/live", Role.VIEWER, also=("/api/calls/active",))
async def live_calls(desk: Desk, ask: Ask[Nothing, None]) -> LiveCalls:
    """Calls that go on just now, up to 1000 of them."""
    here = {session.call.id for session in desk.switchboard}
    async with desk.database.read() as connection:
        found = await reading.page(connection, Filter(live=True), limit=1000)
    return LiveCalls(tuple(LiveCall(each, each.call_id in here) for each in found.items))


@endpoint("GET", "/api/v1/calls/{call_id}", Role.VIEWER, also=("/api/calls/{call_id}",))
async def call(desk: Desk, ask: Ask[Nothing, None]) -> CallRecord:
    """One call with its turns, transfers, usage and what happened to it, without any words.

    Texts are null here: what was said is in the transcript and the timeline.
    """
    async with desk.database.read() as connection:
        found = await reading.call(connection, ask.ids["call_id"])
    if found is None:
        raise no_such_call()
    return wordless(found)


def wordless(record: CallRecord) -> CallRecord:
    """The record without what anybody said, was called, or wrote."""
    mute = {"text": None, "heard": None, "unheard": None}
    closed = {"arguments": None, "output": None, "error": None}
    return replace(
        record,
        call=plain(record.call),
        caller_name=None,
        transcript=tuple(replace(each, **mute) for each in record.transcript),
        tool_calls=tuple(replace(each, **closed) for each in record.tool_calls),
        transfers=tuple(replace(each, reason=None) for each in record.transfers),
        moments=tuple(replace(each, detail=None) for each in record.moments),
    )


def plain(summary: CallSummary) -> CallSummary:
    """The summary without the words in which a model or a person has ended the call."""
    return replace(summary, detail=None) if summary.reason in IN_WORDS else summary


def no_such_call() -> ProblemError:
    """404."""
    return not_found("There is no call with this id.")


def conflict(detail: str) -> ProblemError:
    """409."""
    return ProblemError(HTTPStatus.CONFLICT, detail)
