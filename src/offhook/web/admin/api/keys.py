"""API tokens: made, listed and revoked by admins."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from offhook.store.reading import Page
from offhook.store.tokens import Role, Token
from offhook.web.admin.desk import Desk
from offhook.web.admin.endpoints import Ask, Nothing, endpoint
from offhook.web.admin.problems import not_found

Name = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9 _.@-]*$", examples=["crm"])
]
Days = Annotated[int, Meta(ge=1, le=3650)]


class NewToken(Struct, frozen=True, forbid_unknown_fields=True):
    """What to make. Without `expires_in_days` it ends after 90 days; null: never."""

    name: Name
    role: Role
    expires_in_days: Days | None = 90


class MadeToken(Struct, frozen=True):
    """A new token. `secret` is shown this once."""

    token: Token
    secret: str


class Revoked(Struct, frozen=True):
    """The token that opens nothing any more."""

    id: str


@endpoint("GET", "/api/v1/tokens", Role.ADMIN)
async def tokens(desk: Desk, ask: Ask[Nothing, None]) -> Page[Token]:
    """All tokens, the newest first, also those that have ended."""
    return Page(tuple(await desk.tokens.all()))


@endpoint("POST", "/api/v1/tokens", Role.ADMIN, status=201)
async def create_token(desk: Desk, ask: Ask[Nothing, NewToken]) -> MadeToken:
    """Make a token."""
    days = ask.body.expires_in_days
    token, secret = await desk.tokens.create(
        ask.body.name,
        ask.body.role,
        by=ask.visitor.actor[:128],
        lasts_s=None if days is None else days * 86_400.0,
    )
    await desk.note(ask.visitor, "token.created", subject=token.id, detail=token.role.value)
    return MadeToken(token, secret)


@endpoint("DELETE", "/api/v1/tokens/{token_id}", Role.ADMIN)
async def revoke_token(desk: Desk, ask: Ask[Nothing, None]) -> Revoked:
    """End a token at once."""
    token_id = ask.ids["token_id"]
    if not await desk.tokens.revoke(token_id):
        raise not_found("There is no valid token with this id.")
    await desk.note(ask.visitor, "token.revoked", subject=token_id)
    return Revoked(token_id)
