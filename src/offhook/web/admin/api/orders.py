"""Commands to a live call. Each is in the audit log, and what came of it in the call's record."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from offhook.core.call import Call
from offhook.core.directives import Directive, EndCall, MuteTools, SayThis, TransferTo, Whisper
from offhook.store import reading
from offhook.store.tokens import Role
from offhook.web.admin.api.calls import conflict, no_such_call
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, Text, Words, endpoint
from offhook.web.admin.problems import unfit

Note = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Say(Struct, frozen=True, forbid_unknown_fields=True):
    """What the bot is to say next. `now`: what it is saying is cut off for that."""

    words: Words
    now: bool = False


class Tell(Struct, frozen=True, forbid_unknown_fields=True):
    """What the model is to know; the caller does not hear it."""

    text: Words


class HandOver(Struct, frozen=True, forbid_unknown_fields=True):
    """To which of the named targets."""

    target: Text
    reason: Note = ""


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the call is ended."""

    reason: Note = ""


class Mute(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the model is kept from its tools."""

    muted: bool


class Taken(Struct, frozen=True):
    """The command was given to the call. What comes of it is in its timeline."""

    call_id: str
    order: str


@endpoint("POST", "/api/v1/calls/{call_id}/say", Role.SUPERVISOR, status=202)
async def say(desk: Desk, ask: Ask[Nothing, Say]) -> Taken:
    """Let the bot say these words next."""
    return await _give(desk, ask, "say", SayThis(ask.body.words, ask.body.now))


@endpoint("POST", "/api/v1/calls/{call_id}/whisper", Role.SUPERVISOR, status=202)
async def whisper(desk: Desk, ask: Ask[Nothing, Tell]) -> Taken:
    """Let the model know something that the caller does not hear."""
    return await _give(desk, ask, "whisper", Whisper(ask.body.text))


@endpoint("POST", "/api/v1/calls/{call_id}/transfer", Role.SUPERVISOR, status=202)
async def transfer(desk: Desk, ask: Ask[Nothing, HandOver]) -> Taken:
    """Hand the caller over to one of the bot's named targets; never to an address."""
    call = _here(desk, ask.ids["call_id"])
    if call is not None and ask.body.target not in call.targets:
        names = ", ".join(call.targets)
        raise unfit(f"target: one of {names}." if names else "target: the bot has no targets.")
    return await _give(desk, ask, "transfer", TransferTo(ask.body.target, ask.body.reason))


@endpoint("POST", "/api/v1/calls/{call_id}/hangup", Role.SUPERVISOR, status=202)
async def hang_up(desk: Desk, ask: Ask[Nothing, End]) -> Taken:
    """End the call after a goodbye; told twice, at once."""
    return await _give(desk, ask, "hangup", EndCall(ask.body.reason))


@endpoint("POST", "/api/v1/calls/{call_id}/tools", Role.SUPERVISOR, status=202)
async def mute_tools(desk: Desk, ask: Ask[Nothing, Mute]) -> Taken:
    """Keep the model from its tools, or let it use them again."""
    return await _give(desk, ask, "tools", MuteTools(ask.body.muted))


async def _give(desk: Desk, ask: Ask[Nothing, Any], order: str, what: Directive) -> Taken:
    """Note it, then give it: a command that nobody can account for is not given."""
    call_id = ask.ids["call_id"]
    if _here(desk, call_id) is None:
        await _say_where(desk, call_id)
    await desk.note(ask.visitor, f"call.{order}", subject=call_id)
    if not desk.switchboard.direct(call_id, what, ask.visitor.actor):
        raise conflict("This call has just ended.")
    return Taken(call_id, order)


def _here(desk: Desk, call_id: str) -> Call | None:
    """The call, if it is live in this process."""
    return next((each.call for each in desk.switchboard if each.call.id == call_id), None)


async def _say_where(desk: Desk, call_id: str) -> None:
    """Raise 404 or 409 for a call that is not live here."""
    async with desk.database.read() as connection:
        found = await reading.call(connection, call_id)
    if found is None:
        raise no_such_call()
    if found.call.ended_at is not None:
        raise conflict("This call has ended.")
    raise conflict(f"This call is live on the replica {found.call.replica or 'of another name'}.")
