"""The provider: where its doors are, and the keys it signs with, fetched and kept for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from offhook.config import is_loopback
from offhook.observe.logs import get_logger
from offhook.web.admin.problems import away

FRESH_S: Final = 3600.0  # keys and addresses are asked for again after this
AGAIN_S: Final = 60.0  # a key that nobody knows makes us look again, but no more often
MOST_BYTES: Final = 1024 * 1024
LIMIT_S: Final = 10.0
WELL_KNOWN: Final = "/.well-known/openid-configuration"


class Discovery(Struct, frozen=True):
    """What we read of the provider's configuration (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Provider:
    """One provider; enter it to ask it anything.

    Raises `ProblemError` 503 while it cannot be reached, or is not itself.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._clock = clock
        self._turn = asyncio.Lock()
        self._found: Discovery | None = None
        self._keys: KeySet | None = None
        self._found_at = self._keys_at = self._tried_at = float("-inf")
        self._log = get_logger("admin")

    async def __aenter__(self) -> Provider:
        timeout = aiohttp.ClientTimeout(total=LIMIT_S)
        self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def discovery(self) -> Discovery:
        """Its addresses."""
        async with self._turn:
            return await self._discovered()

    async def keys(self, kid: str | None) -> KeySet:
        """Its public keys, fetched anew if they are old or none has this id.

        Who signs with a new key says so by its id; who makes up ids makes us ask once a minute.
        """
        async with self._turn:
            now = self._clock()
            known = self._keys is not None and (kid is None or _has(self._keys, kid))
            old = now - self._keys_at >= FRESH_S
            if (old or not known) and now - self._tried_at >= AGAIN_S:
                self._tried_at = now
                await self._fetch_keys()
            if self._keys is None:
                raise away("The identity provider cannot be reached.", 30)
            return self._keys

    async def token(self, url: str, headers: dict[str, str], body: str) -> dict[str, Any]:
        """The answer of the token endpoint, whatever it says."""
        return await self._fetch("POST", url, headers=headers, data=body)

    async def _discovered(self) -> Discovery:
        if self._found is not None and self._clock() - self._found_at < FRESH_S:
            return self._found
        given = await self._fetch("GET", self.issuer.rstrip("/") + WELL_KNOWN)
        try:
            found = msgspec.convert(given, Discovery)
        except msgspec.ValidationError as error:
            raise self._odd(f"its configuration: {error}") from None
        if found.issuer != self.issuer:
            raise self._odd("it calls itself by another name than OFFHOOK_OIDC_ISSUER")
        self._check_addresses(found)
        self._found, self._found_at = found, self._clock()
        return found

    def _check_addresses(self, found: Discovery) -> None:
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            parts = urlsplit(url)
            local = parts.scheme == "http" and is_loopback(parts.hostname or "")
            if parts.scheme != "https" and not local:
                raise self._odd("one of its addresses is without TLS")

    async def _fetch_keys(self) -> None:
        try:
            given = await self._fetch("GET", (await self._discovered()).jwks_uri)
            public = [key for key in given.get("keys", ()) if key.get("kty") in ("RSA", "EC")]
            self._keys = KeySet.import_key_set({"keys": public})
            self._keys_at = self._clock()
        except (JoseError, ValueError, TypeError, AttributeError):
            self._log.error("the identity provider's keys cannot be read", issuer=self.issuer)
        except Exception:
            if self._keys is None:
                raise
            self._log.warning("the identity provider cannot be reached", issuer=self.issuer)

    async def _fetch(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            async with self._http.request(method, url, allow_redirects=False, **options) as answer:
                if answer.status >= 500 or (method == "GET" and answer.status != 200):
                    raise self._odd(f"status {answer.status}")
                raw = await answer.content.read(MOST_BYTES)
                given = msgspec.json.decode(raw)
        except (aiohttp.ClientError, TimeoutError, OSError, msgspec.DecodeError) as error:
            raise self._odd(type(error).__name__) from None
        if not isinstance(given, dict):
            raise self._odd("its answer is no JSON object")
        return given

    def _odd(self, why: str) -> Exception:
        self._log.error("the identity provider does not answer as it should", detail=why)
        return away("The identity provider cannot be reached.", 30)


def _has(keys: KeySet, kid: str) -> bool:
    return any(key.kid == kid for key in keys.keys)
