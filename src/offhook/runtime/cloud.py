"""The cloud's REST and WebSocket, over one pool of connections.

One aiohttp session serves both, so that a WebSocket upgrade can ride on a connection that is
open and has its TLS done; that saves two round trips on every call. A few such connections are
kept ready for the next calls.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from msgspec import Struct

from offhook._version import __version__
from offhook.config import Endpoint, is_loopback
from offhook.core.events import Refusal
from offhook.realtime import requests
from offhook.realtime.requests import Request
from offhook.runtime.coalescing import Coalescer
from offhook.runtime.direct import SOCKET

KEEP_S = 50.0  # keep an idle connection; below the minute after which balancers drop it
REFRESH_S = 20.0
BEHIND_S = 0.25  # refill that much behind a call, which needs the processor and the pool first
CLOSE_S = 1.0

Socket = aiohttp.ClientWebSocketResponse[Any]


class Refused(Exception):  # noqa: N818  # not an error of the program: an answer of the cloud
    """The cloud has refused, or not answered.

    `unanswered`: the request was sent, and no answer came. `unsure`: it may have worked, since
    no answer came or one that a broken server gives.
    """

    def __init__(
        self, refusal: Refusal, detail: str, *, unsure: bool = False, unanswered: bool = False
    ) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail
        self.unsure = unsure or unanswered
        self.unanswered = unanswered


class Answer(Struct, frozen=True, gc=False):
    """A 2xx answer; `request_id` is what the cloud's support asks for."""

    status: int
    request_id: str | None = None


class Cloud:
    """A client of one endpoint. Use as an async context manager.

    `warm` connections are kept ready for the next calls. TLS trust is the system's, including
    `SSL_CERT_FILE`; `HTTPS_PROXY` and `NO_PROXY` are honoured, except for loopback. `connector`
    makes another way to the cloud than TCP.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        headers: Mapping[str, str],
        *,
        warm: int = 2,
        tls: ssl.SSLContext | None = None,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.coalescer = Coalescer()
        self._connector = connector or self._over_tcp
        self._headers = dict(headers)
        self._warm = warm
        self._tls = tls
        self._http: aiohttp.ClientSession | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._taken = asyncio.Event()

    async def __aenter__(self) -> Cloud:
        host = urlsplit(self.endpoint.rest_base).hostname or ""
        self._http = aiohttp.ClientSession(
            headers={"User-Agent": f"offhook/{__version__}", **self._headers},
            connector=self._connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),  # none of its own: each request has ours
            trust_env=not is_loopback(host),
            ws_response_class=SOCKET,
        )
        if self._warm:
            self._keeper = asyncio.create_task(self._keep_warm())
        return self

    def _over_tcp(self) -> aiohttp.BaseConnector:
        secure = self.endpoint.rest_base.startswith("https:")
        tls = self._tls or (ssl.create_default_context() if secure else None)
        return aiohttp.TCPConnector(
            limit=0, keepalive_timeout=KEEP_S, ttl_dns_cache=300, ssl=tls or True
        )

    async def __aexit__(self, *_: object) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        if self._http is not None:
            await self._http.close()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client; only inside the context."""
        if self._http is None:
            raise RuntimeError("Cloud is used outside its context")
        return self._http

    async def post(self, call_id: str, request: Request, within: float) -> Answer:
        """Post one request for a call, once. Raises `Refused`."""
        url = self.endpoint.call_url(call_id, request.verb)
        headers = {"Content-Type": "application/json"} if request.body else None
        try:
            async with (
                asyncio.timeout(within),
                self.http.post(
                    url, data=request.body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                if answer.status < 300:
                    return Answer(answer.status, answer.headers.get("x-request-id"))
                refusal, detail = requests.refusal(answer.status, await answer.read())
                unsure = answer.status >= 500
        except aiohttp.ClientConnectorError as error:
            raise Refused(Refusal.BUSY, f"no connection ({_name(error)})") from None
        except TimeoutError:
            detail = f"no answer within {within:g} s"
            raise Refused(Refusal.BUSY, detail, unanswered=True) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Refused(Refusal.BUSY, _name(error), unanswered=True) from None
        if request_id := answer.headers.get("x-request-id"):
            detail += f" [{request_id}]"
        raise Refused(refusal, detail, unsure=unsure)

    async def attach(self, call_id: str, within: float) -> Socket:
        """Open the sideband of a call. Raises `Refused`."""
        try:
            async with asyncio.timeout(within):
                return await self.http.ws_connect(
                    self.endpoint.sideband_url(call_id),
                    autoping=False,  # the sideband's own: aiohttp's costs a tenth of each frame
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    max_msg_size=0,
                    decode_text=False,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(*requests.handshake_refusal(error.status)) from None
        except TimeoutError:
            raise Refused(Refusal.BUSY, f"no answer within {within:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Refused(Refusal.BUSY, _name(error)) from None
        finally:
            self._taken.set()

    async def _keep_warm(self) -> None:
        """Fill the pool up whenever a call has taken a connection, and now and then anyway.

        As many requests at once as there shall be connections: a single one would only use one
        that is there.
        """
        while True:
            self._taken.clear()
            await asyncio.gather(*(self._warm_up() for _ in range(self._warm)))
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_S):
                    await self._taken.wait()
                    await asyncio.sleep(BEHIND_S)

    async def _warm_up(self) -> None:
        """Any request will do, since a connection goes back to the pool after its answer.

        A GET of what cannot be got: its error is short, and has a body. Many servers give the
        answer to a HEAD no length, and then no client keeps the connection.
        """
        try:
            url = f"{self.endpoint.rest_base}/realtime/calls"
            async with asyncio.timeout(5), self.http.get(url, allow_redirects=False) as answer:
                await answer.read()  # to its end, else the connection is closed
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass  # the call that needs the connection will say what is wrong


def _name(error: BaseException) -> str:
    """What happened, without an address or a key that the text of an error may carry."""
    cause = getattr(error, "os_error", None) or error
    return type(cause).__name__
