"""A small OpenID provider on loopback, as strict as a real one, and as wrong as a test wants."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from msgspec import json

CLIENT, SECRET, AUDIENCE = "offhook-client", "s3cret/with:odd%signs", "api://offhook"

_ANYTHING = JWSRegistry(algorithms=["RS256", "PS256", "ES256"], strict_check_header=False)


@functools.cache
def rsa(kid: str) -> RSAKey:
    """A key; they take long to make."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


class OpenId:
    """The provider. `person` are the claims of whoever signs in; `spoil` changes what it states."""

    def __init__(self, kid: str = "one") -> None:
        self.url = ""
        self.key: RSAKey | ECKey = rsa(kid)
        self.person: dict[str, Any] = {"sub": "ann", "preferred_username": "ann@example.com"}
        self.spoil: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.asked_for_keys = 0
        self.down = False
        self.discovery_spoil: dict[str, Any] = {}
        self.methods = ["client_secret_post", "client_secret_basic"]
        self._codes: dict[str, Mapping[str, str]] = {}

    @property
    def issuer(self) -> str:
        """As `OFFHOOK_OIDC_ISSUER`."""
        return self.url

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish that alone."""
        self.key = rsa("two")

    def statement(self, **claims: Any) -> str:
        """A signed JWT with these claims; None takes one out."""
        now = int(time.time())
        made = {"iss": self.issuer, "iat": now, "exp": now + 300, **claims, **self.spoil}
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        claims = {k: v for k, v in made.items() if v is not None}
        return jwt.encode(header, claims, self.key, registry=_ANYTHING)

    def access_token(self, **claims: Any) -> str:
        """What a machine shows."""
        return self.statement(**{"aud": AUDIENCE, "sub": "robot", "azp": "robot", **claims})

    def unsigned(self, **claims: Any) -> str:
        """The same with `alg: none`."""
        return jwt_parts({"alg": "none"}, self.access_token(**claims), b"")

    def signed_with_public_key(self, **claims: Any) -> str:
        """The same with HS256 and our public key as its secret."""
        header = {"alg": "HS256", "kid": self.key.kid}
        unsigned = jwt_parts(header, self.access_token(**claims), b"").rpartition(".")[0]
        secret = self.key.as_pem(private=False)
        return f"{unsigned}.{coded(hmac.digest(secret, unsigned.encode(), 'sha256'))}"

    def app(self) -> web.Application:
        """What answers."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        return app

    async def _discovery(self, _: web.Request) -> web.Response:
        found = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": self.methods,
        }
        return web.json_response(found | self.discovery_spoil, status=500 if self.down else 200)

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked_for_keys += 1
        if self.down:
            return web.Response(status=500)
        public = self.key.as_dict(private=False)
        oct_key = {"kty": "oct", "k": "AAAA", "kid": "weak"}
        return web.json_response({"keys": [public, oct_key]})

    async def _authorize(self, request: web.Request) -> web.Response:
        """Sign in whoever comes, without asking."""
        query = request.query
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = dict(query)
        back = f"{query['redirect_uri']}?code={code}&state={query['state']}&iss={self.issuer}"
        raise web.HTTPFound(back)

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert self._knows(request, form)
        asked = self._codes.pop(str(form["code"]), None)
        proof = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        sound = asked and challenge == asked["code_challenge"]
        if not sound or asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = {"aud": CLIENT, "nonce": asked["nonce"], **self.person}
        id_token = self.statement(**claims)
        return web.json_response(
            {"id_token": id_token, "access_token": "x", "token_type": "Bearer"}
        )

    def _knows(self, request: web.Request, form: Mapping[str, Any]) -> bool:
        """Whether the client has shown its secret in a way that we take."""
        if "client_secret_post" in self.methods:
            return (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        return request.headers["Authorization"] == f"Basic {basic}"


def jwt_parts(header: Mapping[str, Any], of: str, signature: bytes) -> str:
    """A JWT with the claims of another."""
    return f"{coded(json.encode(header))}.{of.split('.')[1]}.{coded(signature)}"


def coded(raw: bytes) -> str:
    """Bytes as a JWT has them."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@asynccontextmanager
async def openid(key: str = "one") -> AsyncIterator[OpenId]:
    """A provider that listens, with a key of its own by this name."""
    provider = OpenId(key)
    runner = web.AppRunner(provider.app(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield provider
    finally:
        await runner.cleanup()
