"""The ways in and out of a browser: the link for one use, the sign-in, and leaving.

A page is answered where one would redirect: a redirect that began at another site carries no
strict cookie (RFC 6265bis, section 5.2), so the next page would not know the visitor.
"""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from offhook.store.passes import Kind, Passes
from offhook.store.tokens import Role
from offhook.web.admin import problems
from offhook.web.admin.attempts import Attempts
from offhook.web.admin.cookies import Cookies
from offhook.web.admin.door import Door, Notes
from offhook.web.admin.oidc.login import AWAY_S, CALLBACK, SESSION_S, Login

ENTER: Final = "/admin/enter"
LOGIN: Final = "/admin/login"
LEAVE: Final = "/admin/leave"
LINK_S: Final = 600  # how long a link opens
BEGUN: Final = 60  # sign-ins a minute and address: each is a row, and anybody can begin one
OPEN: Final = frozenset({ENTER, LOGIN, CALLBACK})  # who comes here has nothing to show yet

_INSIDE: Final = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=/api/v1/me">
<title>offhook</title>
<p>You are signed in. <a href="/api/v1/me">Go on</a></p>
"""


class Entrance:
    """What answers at the open paths."""

    def __init__(
        self,
        passes: Passes,
        cookies: Cookies,
        door: Door,
        note: Notes,
        base_url: str | None,
        login: Login | None,
    ) -> None:
        self._passes = passes
        self._cookies = cookies
        self._door = door
        self._note = note
        self._base_url = base_url
        self._login = login
        self._begun = Attempts(time.monotonic, BEGUN)

    async def answer(self, request: Request) -> Response:
        """Open a session, or raise `ProblemError`."""
        self._door.check(self._door.origins.of(request))
        try:
            match request.url.path:
                case "/admin/enter":
                    return await self._enter(request)
                case "/admin/login" if self._login is not None:
                    return await self._go_away(request, self._login)
                case "/admin/callback" if self._login is not None:
                    return await self._come_back(request, self._login)
        except problems.ProblemError as error:
            if error.status in (401, 403):
                await self._door.refuse(self._door.origins.of(request))
            raise
        raise problems.not_found("No identity provider is set up; see OFFHOOK_OIDC_ISSUER.")

    async def _enter(self, request: Request) -> Response:
        secret = request.query_params.get("token", "")
        found = await self._passes.redeem(Kind.LINK, secret)
        if found is None or found.role is None:
            raise problems.unauthorised(
                "This link was used, or is too old; `offhook token link` makes another."
            )
        return await self._inside(request, found.who, found.role, SESSION_S)

    async def _go_away(self, request: Request, login: Login) -> Response:
        address = self._door.origins.of(request)
        if wait := self._begun.wait_s(address):
            raise problems.too_many(wait)
        self._begun.failed(address)
        url, secret = await login.begin(self._base_url or str(request.base_url).rstrip("/"))
        response = RedirectResponse(url, 303)
        self._cookies.go_away(response, secret, AWAY_S)
        return response

    async def _come_back(self, request: Request, login: Login) -> Response:
        secret = self._cookies.read(request, self._cookies.login)
        person = await login.finish(secret, dict(request.query_params))
        return await self._inside(request, person.actor, person.role, SESSION_S)

    async def _inside(self, request: Request, who: str, role: Role, lasts_s: int) -> Response:
        await self._note(who, "login", address=self._door.origins.of(request))
        secret = await self._passes.issue(Kind.SESSION, who=who, role=role, lasts_s=lasts_s)
        response = Response(_INSIDE, media_type="text/html; charset=utf-8")
        self._cookies.sign_in(response, secret, lasts_s)
        return response

    async def leave(self, request: Request) -> Response:
        """End the session of a browser."""
        secret = self._cookies.read(request, self._cookies.session)
        found = await self._passes.redeem(Kind.SESSION, secret) if secret else None
        if found is not None:
            await self._note(found.who, "logout", address=self._door.origins.of(request))
        response = Response(status_code=204)
        self._cookies.sign_out(response)
        return response
