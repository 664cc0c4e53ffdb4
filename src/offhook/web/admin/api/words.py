"""What was said and by whom: for supervisors, and each look at it is in the audit log."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from sqlalchemy import select
from starlette.responses import Response

from offhook.store import reading
from offhook.store.reading import Entry, Page, ToolCall, Transcript
from offhook.store.schema import calls
from offhook.store.tokens import Role
from offhook.web.admin.api.calls import no_such_call
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint
from offhook.web.admin.problems import not_found

PLAIN, VTT = "text/plain", "text/vtt"
Reason = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=500,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="Goes into the audit log.",
    ),
]


class Reveal(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody has to see a number."""

    reason: Reason


class Number(Struct, frozen=True):
    """A caller's number in full."""

    call_id: str
    number: str


@endpoint(
    "GET",
    "/api/v1/calls/{call_id}/transcript",
    Role.SUPERVISOR,
    also=("/api/calls/{call_id}/transcript",),
    media=(PLAIN, VTT),
)
async def transcript(desk: Desk, ask: Ask[Nothing, None]) -> Transcript | Response:
    """What was said, in spoken order: JSON, or as `Accept` asks `text/plain` or `text/vtt`."""
    found = await _transcript(desk, ask)
    kinds = [part.partition(";")[0].strip() for part in ask.accept.split(",")]
    match next((kind for kind in kinds if kind in (PLAIN, VTT, "application/json")), None):
        case "text/plain":
            return _text(reading.as_text(found), PLAIN)
        case "text/vtt":
            return _text(reading.as_webvtt(found), VTT)
        case _:
            return found


@endpoint("GET", "/api/v1/calls/{call_id}/transcript.json", Role.SUPERVISOR)
async def transcript_json(desk: Desk, ask: Ask[Nothing, None]) -> Transcript:
    """The transcript as JSON."""
    return await _transcript(desk, ask)


@endpoint("GET", "/api/v1/calls/{call_id}/transcript.txt", Role.SUPERVISOR, media=(PLAIN,))
async def transcript_text(desk: Desk, ask: Ask[Nothing, None]) -> Response:
    """The transcript as plain text, a line for each utterance."""
    return _text(reading.as_text(await _transcript(desk, ask)), PLAIN)


@endpoint("GET", "/api/v1/calls/{call_id}/transcript.vtt", Role.SUPERVISOR, media=(VTT,))
async def transcript_captions(desk: Desk, ask: Ask[Nothing, None]) -> Response:
    """The transcript as WebVTT captions; time 0 is when the call was accepted."""
    return _text(reading.as_webvtt(await _transcript(desk, ask)), VTT)


@endpoint("GET", "/api/v1/calls/{call_id}/timeline", Role.SUPERVISOR)
async def timeline(desk: Desk, ask: Ask[Nothing, None]) -> Page[Entry]:
    """All that happened, was said, looked up and transferred, in one order of time."""
    await _seen(desk, ask)
    async with desk.database.read() as connection:
        return Page(await reading.timeline(connection, ask.ids["call_id"]))


@endpoint("GET", "/api/v1/calls/{call_id}/tools", Role.SUPERVISOR)
async def tool_calls(desk: Desk, ask: Ask[Nothing, None]) -> Page[ToolCall]:
    """The function calls of the model, with arguments and results as far as they are kept."""
    await _seen(desk, ask)
    async with desk.database.read() as connection:
        return Page(await reading.tool_calls(connection, ask.ids["call_id"]))


@endpoint("POST", "/api/v1/calls/{call_id}/number", Role.ADMIN)
async def reveal_number(desk: Desk, ask: Ask[Nothing, Reveal]) -> Number:
    """The caller's number in full; who asked, and why, is in the audit log."""
    call_id = ask.ids["call_id"]
    async with desk.database.read() as connection:
        stored = (await reading.numbers(connection, [call_id])).get(call_id)
        known = stored is not None or await reading.call(connection, call_id) is not None
    if not known:
        raise no_such_call()
    number = stored and desk.vault.unseal(stored)
    if not number:
        raise not_found("This number was withheld, is not kept, or its key is not here.")
    await desk.note(ask.visitor, "number.revealed", subject=call_id, reason=ask.body.reason)
    return Number(call_id, number)


async def _transcript(desk: Desk, ask: Ask[Nothing, None]) -> Transcript:
    await _seen(desk, ask)
    async with desk.database.read() as connection:
        found = await reading.transcript(connection, ask.ids["call_id"])
    if found is None:
        raise no_such_call()
    return found


async def _seen(desk: Desk, ask: Ask[Nothing, None]) -> None:
    """Note in the audit log that somebody is about to read what was said in a call."""
    async with desk.database.read() as connection:
        known = select(calls.c.call_id).where(calls.c.call_id == ask.ids["call_id"])
        if (await connection.execute(known)).first() is None:
            raise no_such_call()
    await desk.note(ask.visitor, "transcript.viewed", subject=ask.ids["call_id"])


def _text(text: str, media: str) -> Response:
    return Response(text, media_type=f"{media}; charset=utf-8", headers={"Vary": "Accept"})
