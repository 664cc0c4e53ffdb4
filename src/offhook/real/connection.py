"""One plain Realtime session with the real cloud, as a client without a phone opens it.

Every way in which that can fail is told in words that say what to check.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from offhook.config import Settings, auth_headers, is_loopback
from offhook.observe.redact import redact

CONNECT_S = 15.0

Json = dict[str, Any]
Socket = aiohttp.ClientWebSocketResponse[Any]


class Failed(Exception):  # noqa: N818 - something that failed is what is being looked for
    """Something did not work. The text says in clear words what to check."""


class Hopeless(Failed):
    """It will not work the next time, either."""


def session_url(settings: Settings) -> str:
    """The WebSocket of a session without a call: it needs the model, or on Azure a deployment."""
    endpoint = settings.endpoint
    url = f"{endpoint.ws_base}?model={quote(settings.cloud.model, safe='')}"
    return f"{url}&api-version={endpoint.api_version}" if endpoint.api_version else url


@asynccontextmanager
async def connected(address: str, settings: Settings) -> AsyncIterator[Socket]:
    """The open WebSocket. Raises `Hopeless` with what to check."""
    host = urlsplit(address).hostname or ""
    async with aiohttp.ClientSession(
        headers=auth_headers(settings), trust_env=not is_loopback(host)
    ) as http:
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await http.ws_connect(address, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as error:
            raise Hopeless(refused(error.status, settings)) from None
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Hopeless(unreachable(error, host)) from None
        async with socket:
            yield socket


def refused(status: int, settings: Settings) -> str:
    """What a refused upgrade means, by its HTTP status."""
    azure = settings.endpoint.provider == "azure"
    match status:
        case 401:
            whose = "of this Azure resource" if azure else "of a project of this organisation"
            return f"http 401: the key is wrong. OPENAI_API_KEY must be a key {whose}"
        case 403:
            return (
                "http 403: the key is known, but may not do this. Check the key's permissions, "
                + ("the resource's network rules" if azure else "and the project's model access")
            )
        case 404 if azure:
            return (
                f"http 404: this resource has no deployment {settings.cloud.model!r}. "
                "REALTIME_MODEL is the deployment's name, OPENAI_BASE the resource's address"
            )
        case 404:
            return (
                f"http 404: there is no {settings.cloud.model!r} here. Check REALTIME_MODEL and "
                "the host in OPENAI_BASE"
            )
        case 400:
            return (
                f"http 400: the request is refused. Is {settings.cloud.model!r} a realtime model? "
                "Leave REALTIME_API_VERSION empty for addresses below /v1"
            )
        case 429:
            return "http 429: the quota or the rate limit is used up. Check billing and limits"
        case _ if status >= 500:
            return f"http {status}: the cloud has a problem. Try again, and look at its status page"
        case _:
            return f"http {status}: this is no Realtime endpoint. Check OPENAI_BASE"


def unreachable(error: BaseException, host: str) -> str:
    """Why there was no connection at all."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"DNS knows no {host}. Check the host in OPENAI_BASE"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return (
                f"TLS: the certificate of {host} is not trusted here. Behind a proxy that opens "
                "TLS, SSL_CERT_FILE must name its root certificate"
            )
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return f"TLS: no secure connection to {host}. Does a proxy or firewall interfere?"
        case TimeoutError():
            return f"no answer from {host} within {CONNECT_S:g} s. Is port 443 open to it?"
        case aiohttp.ClientHttpProxyError():
            return "the proxy in HTTPS_PROXY refuses the connection"
        case aiohttp.ClientConnectorError():
            return f"no connection to {host}. Is a firewall in between, or HTTPS_PROXY needed?"
        case _:
            return f"no connection to {host} ({type(error).__name__})"


def complaint(error: Json) -> Failed:
    """What an error of the cloud means; its own words follow, without what may be secret."""
    code = str(error.get("code") or error.get("type") or "unknown")
    said = redact(str(error.get("message") or ""))
    kind: type[Failed] = Hopeless
    match code:
        case "invalid_api_key":
            advice = "the key is wrong: check OPENAI_API_KEY"
        case "insufficient_quota" | "credit_balance_exhausted" | "billing_hard_limit_reached":
            advice = "there is no credit left: check billing"
        case "rate_limit_exceeded":
            advice = "the rate limit is reached: try again, or have it raised"
        case "model_not_found" | "DeploymentNotFound" | "invalid_model":
            advice = "there is no such realtime model for this account: check REALTIME_MODEL"
        case _ if "voice" in str(error.get("param") or ""):
            advice = "this model does not know the voice: check REALTIME_VOICE"
        case "content_filter":
            kind, advice = Failed, "the cloud's content filter has stopped the answer"
        case "server_error":
            kind, advice = Failed, "the cloud has failed, not your account: try again"
        case _:
            kind, advice = Failed, "refused"
    return kind(f"{advice} ({code}{': ' + said if said else ''})")
