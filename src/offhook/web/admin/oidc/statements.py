"""What the provider states about somebody, believed only when every part of it is right."""

from __future__ import annotations

import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from msgspec import Struct

from offhook.store.tokens import Role
from offhook.web.admin import problems
from offhook.web.admin.oidc.provider import Provider

# No "none", and no HS256: with that, anybody could sign with a key that is public.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
LEEWAY_S: Final = 30
# Some providers put words of their own into the header; what we do not know, we do not read.
_LENIENT: Final = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
MOST: Final = 16 * 1024

Claims = dict[str, Any]


class Machine(Struct, frozen=True):
    """Whom an access token names, and what they may do."""

    actor: str
    role: Role
    expires_at: int


class Statements:
    """Reads ID tokens and access tokens of one provider."""

    def __init__(
        self,
        provider: Provider,
        claim: str,
        roles: Sequence[tuple[str, str]],
        audience: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._claim = claim
        self._roles = dict(roles) or {role.value: role.value for role in Role}
        self._audience = audience
        self._now = now

    async def person(self, id_token: str, client_id: str, nonce: str) -> Claims | None:
        """The claims of an ID token that was made for this sign-in; None if it was not.

        The rules are those of OpenID Connect Core 1.0, section 3.1.3.7.
        """
        claims = await self._claims(id_token, client_id)
        if claims is None or claims.get("nonce") != nonce:
            return None
        others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if others or "azp" in claims:
            return claims if claims.get("azp") == client_id else None
        return claims

    async def machine(self, token: str) -> Machine | None:
        """Whom an access token names; None if it is not valid here. Raises 403 without a role."""
        if self._audience is None:
            return None
        claims = await self._claims(token, self._audience)
        if claims is None or "nonce" in claims:  # an ID token opens no API
            return None
        role = self.role(claims)
        if role is None:
            raise problems.forbidden("Your account has no role here.")
        return Machine(actor(claims), role, int(claims["exp"]) * 1000)

    def role(self, claims: Claims) -> Role | None:
        """The highest role that the claim gives."""
        given = claims.get(self._claim)
        values = given if isinstance(given, list) else [given]
        found = {
            self._roles[value]
            for value in values
            if isinstance(value, str) and value in self._roles
        }
        return next((role for role in reversed(Role) if role.value in found), None)

    async def _claims(self, token: str, audience: str) -> Claims | None:
        header = _header(token)
        if header is None or header.get("alg") not in ALGORITHMS:
            return None
        kid = header.get("kid")
        keys = await self._provider.keys(kid if isinstance(kid, str) else None)
        registry = jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            read = jwt.decode(token, keys, registry=_LENIENT)
            registry.validate(read.claims)
        except (JoseError, ValueError, TypeError):
            return None
        return read.claims if isinstance(read.claims.get("sub"), str) else None


def actor(claims: Mapping[str, Any]) -> str:
    """How the audit log names somebody whom the provider knows."""
    for name in ("preferred_username", "email", "azp", "appid", "sub"):
        if isinstance(found := claims.get(name), str) and found:
            return f"oidc:{found}"
    return "oidc:unknown"


def _header(token: str) -> dict[str, Any] | None:
    """The header of a JWT, which nobody has vouched for yet."""
    if len(token) > MOST or token.count(".") != 2:
        return None
    coded = token.partition(".")[0]
    try:
        header = msgspec.json.decode(urlsafe_b64decode(coded + "=" * (-len(coded) % 4)))
    except (ValueError, msgspec.DecodeError):
        return None
    return header if isinstance(header, dict) else None
