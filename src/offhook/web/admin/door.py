"""The door: tells who asks, by a token, a session, or a signed statement of the provider."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

from starlette.requests import Request

from offhook.observe.logs import get_logger
from offhook.store.passes import Kind, Passes
from offhook.store.secrets import digest
from offhook.store.tokens import PREFIX, Tokens
from offhook.web.admin import problems
from offhook.web.admin.attempts import Attempts
from offhook.web.admin.cookies import Cookies
from offhook.web.admin.oidc.statements import Machine
from offhook.web.admin.origins import Origins
from offhook.web.admin.visitors import Visitor, csrf_of

_KNOWN: Final = 1024


class Vouches(Protocol):
    """Reads the access tokens of an OpenID provider."""

    async def machine(self, token: str) -> Machine | None:
        """Who comes with this access token; None if it is not valid. Raises `ProblemError`."""
        ...


class Notes(Protocol):
    """Writes the audit log."""

    async def __call__(self, actor: str, action: str, *, address: str) -> object:
        """Note what somebody did."""
        ...


class Door:
    """Lets in whoever can show a valid credential, and nobody else."""

    def __init__(
        self,
        tokens: Tokens,
        passes: Passes,
        cookies: Cookies,
        note: Notes,
        *,
        machines: Vouches | None = None,
        origins: Origins | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._passes = passes
        self._cookies = cookies
        self._note = note
        self._machines = machines
        self.origins = origins or Origins()
        self._attempts = Attempts(clock)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._log = get_logger("admin")

    async def visitor(self, request: Request) -> Visitor:
        """Who asks. Raises `ProblemError`: 401, or 429 for an address that fails too often."""
        address = self.origins.of(request)
        credential = self._credential(request)
        if credential is None:
            raise problems.unauthorised()
        # Behind a proxy that is not known as one all come from one address. Who has been let in
        # before is not made to wait for what others try.
        if digest(credential) not in self._known:
            self.check(address)
        visitor = await self._recognised(request, credential, address)
        if visitor is None:
            self._known.pop(digest(credential), None)
            await self.refuse(address)
            raise problems.unauthorised()
        self._remember(credential)
        return visitor

    def check(self, address: str) -> None:
        """Raise 429 for an address that has failed too often."""
        if wait := self._attempts.wait_s(address):
            raise problems.too_many(wait)

    async def refuse(self, address: str) -> None:
        """Count a failure; note in the audit log where a streak of them is stopped."""
        if self._attempts.failed(address):
            self._log.warning("too many failed attempts", address=address)
            await self._note("anonymous", "login.blocked", address=address)

    def _credential(self, request: Request) -> str | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme:
            return given.strip() if scheme.lower() == "bearer" and given.strip() else None
        return self._cookies.read(request, self._cookies.session)

    async def _recognised(self, request: Request, credential: str, address: str) -> Visitor | None:
        if "authorization" not in request.headers:
            return await self._browser(credential, address)
        if credential.startswith(PREFIX):
            return await self._program(credential, address)
        if self._machines is None:
            return None
        found = await self._machines.machine(credential)
        return Visitor(found.actor, found.role, address, found.expires_at) if found else None

    async def _program(self, secret: str, address: str) -> Visitor | None:
        token = await self._tokens.find(secret)
        if token is None:
            return None
        await self._tokens.used(token)
        return Visitor(f"token:{token.name}", token.role, address, token.expires_at)

    async def _browser(self, session: str, address: str) -> Visitor | None:
        found = await self._passes.find(Kind.SESSION, session)
        if found is None or found.role is None:
            return None
        return Visitor(found.who, found.role, address, found.expires_at, csrf_of(session))

    def _remember(self, credential: str) -> None:
        self._known[digest(credential)] = None
        self._known.move_to_end(digest(credential))
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
