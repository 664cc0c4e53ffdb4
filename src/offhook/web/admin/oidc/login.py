"""Signing in with a browser: the authorisation code flow with PKCE, state and nonce.

OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE); RFC 9207 (`iss` in the answer).
"""

from __future__ import annotations

from typing import Final

import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from msgspec import Struct

from offhook.store.passes import Kind, Passes
from offhook.store.secrets import make, same
from offhook.web.admin import problems
from offhook.web.admin.oidc.provider import Discovery, Provider
from offhook.web.admin.oidc.statements import Machine, Statements, actor

AWAY_S: Final = 600  # how long somebody may take at the provider
SESSION_S: Final = 8 * 3600
CALLBACK: Final = "/admin/callback"


class Client(Struct, frozen=True):
    """How the provider knows us. Without a secret: a public client."""

    id: str
    secret: str | None


class _Pending(Struct, frozen=True):
    state: str
    nonce: str
    verifier: str
    redirect: str


class Login:
    """Sends people to the provider, and takes them in when they come back."""

    def __init__(
        self, provider: Provider, client: Client, statements: Statements, passes: Passes
    ) -> None:
        self._provider = provider
        self._client = client
        self._statements = statements
        self._passes = passes

    async def begin(self, base_url: str) -> tuple[str, str]:
        """Where to send somebody, and the secret that their browser is to bring back."""
        pending = _Pending(make(), make(), make(), base_url + CALLBACK)
        found = await self._provider.discovery()
        url: str = prepare_grant_uri(
            found.authorization_endpoint,
            client_id=self._client.id,
            response_type="code",
            redirect_uri=pending.redirect,
            scope="openid profile email",
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        detail = msgspec.json.encode(pending).decode()
        secret = await self._passes.issue(Kind.LOGIN, who="-", lasts_s=AWAY_S, detail=detail)
        return url, secret

    async def finish(self, secret: str | None, answer: dict[str, str]) -> Machine:
        """Who has come back. Raises `ProblemError`: 401 for what is wrong, 403 without a role."""
        found = await self._passes.redeem(Kind.LOGIN, secret) if secret else None
        if found is None or found.detail is None:
            raise problems.unauthorised("This sign-in is not under way any more; begin again.")
        pending = msgspec.json.decode(found.detail, type=_Pending)
        if not same(answer.get("state", ""), pending.state) or "code" not in answer:
            raise problems.unauthorised("The identity provider did not sign you in.")
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise problems.unauthorised("The answer is not of our identity provider.")
        id_token = await self._exchange(answer["code"], pending)
        claims = id_token and await self._statements.person(
            id_token, self._client.id, pending.nonce
        )
        if not claims:
            raise problems.unauthorised("The identity provider did not sign you in.")
        role = self._statements.role(claims)
        if role is None:
            raise problems.forbidden("Your account has no role here.")
        return Machine(actor(claims), role, int(claims["exp"]) * 1000)

    async def _exchange(self, code: str, pending: _Pending) -> str | None:
        found = await self._provider.discovery()
        body = prepare_token_request(
            "authorization_code",
            code=code,
            redirect_uri=pending.redirect,
            code_verifier=pending.verifier,
        )
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        auth = ClientAuth(self._client.id, self._client.secret, self._method(found))
        url, headers, body = auth.prepare("POST", found.token_endpoint, headers, body)
        given = await self._provider.token(url, headers, body)
        id_token = given.get("id_token")
        return id_token if isinstance(id_token, str) else None

    def _method(self, found: Discovery) -> str:
        """How we show who we are. In the body if that will do: `:` and `%` need no care there."""
        if self._client.secret is None:
            return "none"
        posted = "client_secret_post" in found.token_endpoint_auth_methods_supported
        return "client_secret_post" if posted else "client_secret_basic"
