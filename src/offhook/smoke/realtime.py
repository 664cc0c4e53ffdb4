"""`offhook smoke realtime`: whether this account may use the Realtime API, step by step.

Connects to the real cloud of the settings as a client without a phone would: opens a session,
sets the voice, and asks for one short answer in text, which costs a fraction of a cent.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from rich.console import Console
from rich.markup import escape

from offhook.config import Settings, auth_headers, is_loopback
from offhook.observe.redact import redact
from offhook.realtime.session import voice_value
from offhook.smoke.report import Failed, Report

CONNECT_S = 15.0
ANSWER_S = 30.0
ASKS = "Reply with the single word: ready"

Json = dict[str, Any]
Socket = aiohttp.ClientWebSocketResponse[Any]


async def run(out: Console, settings: Settings) -> int:
    """Print each step. Returns 0 if all of them worked, else 1."""
    address = session_url(settings)
    out.print(f"[bold]{escape(address)}[/] ({settings.endpoint.provider})", soft_wrap=True)
    report = Report(out)
    step, begun = "connected", time.monotonic()
    try:
        if not settings.cloud.api_key.get_secret_value():
            raise Failed("there is no OPENAI_API_KEY, neither in the environment nor in the file")
        async with connected(address, settings) as socket:
            report.passed(step, _ms(begun))
            for step, work in _STEPS.items():
                begun = time.monotonic()
                told = await work(socket, settings)
                report.passed(step, _ms(begun), told)
    except Failed as failed:
        report.failed(step, str(failed))
        return 1
    out.print("This account can use Realtime. `offhook smoke webhook` checks the server.")
    return 0


def _ms(begun: float) -> float:
    return (time.monotonic() - begun) * 1000


def session_url(settings: Settings) -> str:
    """The WebSocket of a session without a call: it needs the model, or on Azure a deployment."""
    endpoint = settings.endpoint
    url = f"{endpoint.ws_base}?model={quote(settings.cloud.model, safe='')}"
    return f"{url}&api-version={endpoint.api_version}" if endpoint.api_version else url


@asynccontextmanager
async def connected(address: str, settings: Settings) -> AsyncIterator[Socket]:
    """The open WebSocket. Raises `Failed` with what to check."""
    host = urlsplit(address).hostname or ""
    async with aiohttp.ClientSession(
        headers=auth_headers(settings), trust_env=not is_loopback(host)
    ) as http:
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await http.ws_connect(address, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as error:
            raise Failed(_refused(error.status, settings)) from None
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError
            raise Failed(_unreachable(error, host)) from None
        async with socket:
            yield socket


def _refused(status: int, settings: Settings) -> str:
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


def _unreachable(error: BaseException, host: str) -> str:
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


async def _opened(socket: Socket, _: Settings) -> str:
    session = (await _event(socket, "session.created")).get("session") or {}
    return f"model {session.get('model')}"


async def _voice(socket: Socket, settings: Settings) -> str:
    voice = voice_value(settings.session.voice)
    update = {"type": "realtime", "audio": {"output": {"voice": voice}}}
    await socket.send_json({"type": "session.update", "session": update})
    session = (await _event(socket, "session.updated")).get("session") or {}
    echo = ((session.get("audio") or {}).get("output") or {}).get("voice")
    if echo != voice:
        raise Failed(f"the session keeps the voice {echo!r}. REALTIME_VOICE is {voice!r}")
    return f"voice {settings.session.voice}"


async def _answer(socket: Socket, _: Settings) -> str:
    content = [{"type": "input_text", "text": ASKS}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send_json({"type": "conversation.item.create", "item": item})
    await socket.send_json({"type": "response.create", "response": {"output_modalities": ["text"]}})
    response = (await _event(socket, "response.done")).get("response") or {}
    if response.get("status") != "completed":
        error = (response.get("status_details") or {}).get("error") or {}
        raise Failed(_complaint(error or {"code": str(response.get("status"))}))
    used = (response.get("usage") or {}).get("total_tokens")
    return f"{_text(response)!r}, {used} tokens" if used else repr(_text(response))


_STEPS: dict[str, Callable[[Socket, Settings], Awaitable[str]]] = {
    "session opened": _opened,
    "voice accepted": _voice,
    "answered in text": _answer,
}


def _text(response: Json) -> str:
    parts = [p for item in response.get("output") or () for p in item.get("content") or ()]
    return redact(" ".join(str(part.get("text") or "") for part in parts).strip())


async def _event(socket: Socket, kind: str) -> Json:
    """The next event of a kind. Raises `Failed` for an error, silence, or the end."""
    try:
        async with asyncio.timeout(ANSWER_S):
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                event: Json = json.loads(message.data)
                if event.get("type") == "error":
                    raise Failed(_complaint(event.get("error") or {}))
                if event.get("type") == kind:
                    return event
    except TimeoutError:
        raise Failed(f"no {kind} within {ANSWER_S:g} s") from None
    except ValueError:
        raise Failed("what comes is not JSON: this is no Realtime endpoint") from None
    raise Failed(f"the cloud closed the connection (code {socket.close_code}) before {kind}")


def _complaint(error: Json) -> str:
    """What an error event means; the cloud's own words follow, without what may be secret."""
    code = str(error.get("code") or error.get("type") or "unknown")
    said = redact(str(error.get("message") or ""))
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
        case _:
            advice = "refused"
    return f"{advice} ({code}{': ' + said if said else ''})"
