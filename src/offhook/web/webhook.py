"""`POST /openai/webhook`: check, answer 200 at once, and let the call's own task do the rest.

It speaks ASGI itself: the layers that a framework puts around a route cost a twentieth of a
call's set-up, and do nothing for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from offhook.errors import DeliveryError
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.runtime.switchboard import Switchboard
from offhook.telephony import incoming, signature

PATH = "/openai/webhook"
MAX_BODY = 64 * 1024
READ_S = 10.0
OTHER_SURFACES = ("live.transport.incoming", "live.call.incoming")


class TooLargeError(DeliveryError):
    """More than any delivery has; refused before it is read whole."""

    status = 413
    code = "too_large"


class IncompleteError(DeliveryError):
    """The sender left, or took too long, before all of the body was there."""

    status = 408
    code = "incomplete"


class Webhook:
    """The receiving end. Without `secrets` nothing is checked: for tests on loopback only."""

    def __init__(
        self,
        switchboard: Switchboard,
        metrics: Metrics,
        secrets: Sequence[str],
        *,
        region: str | None = None,
    ) -> None:
        self._switchboard = switchboard
        self._metrics = metrics
        self._secrets = tuple(secrets)
        self._region = region
        self._log = get_logger("webhook")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one delivery, as an ASGI application."""
        pairs = reversed(scope["headers"])  # of a header that is there twice the first counts
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
        try:
            body = await read(headers, receive)
            delivery_id = self._checked(headers, body)
            event = incoming.parse(body, self._region)
        except DeliveryError as error:
            self._metrics.delivered(error.code)
            self._log.warning("refused", status=error.status, code=error.code, why=str(error))
            await refuse(error, send)
            return
        result = self._take(delivery_id or event.event_id, event)
        self._metrics.delivered(result)
        await respond(send, 200, {"ok": True, "result": result})

    def _checked(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of the delivery, once its signature is found right."""
        if not self._secrets:
            return headers.get("webhook-id", "")
        return signature.verify(self._secrets, headers, body, time.time()).id

    def _take(self, delivery_id: str, event: incoming.Event) -> str:
        if isinstance(event, incoming.Other):
            return self._leave(event)
        taken = self._switchboard.incoming(
            delivery_id or event.call_id, event.call_id, event.caller, event.called
        )
        self._log.info(
            "received",
            eventType=incoming.RINGING,
            call_id=event.call_id,
            result=taken,
            caller=event.caller.number,
            called=event.called,
            media=event.media_security,
            **event.carrier,
        )
        return taken

    def _leave(self, event: incoming.Other) -> str:
        """Count what is not for us; say so once for each type."""
        if self._metrics.unknown_event(event.type):
            hint = (
                "this is for the GPT-Live API; the call comes as realtime.call.incoming, too"
                if event.type in OTHER_SURFACES
                else "unsubscribe the endpoint from it, or ignore this"
            )
            self._log.info("not ours", eventType=event.type, hint=hint)
        return "ignored"


async def read(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The raw body, as signed. Raises `TooLargeError` as soon as it is known, `IncompleteError`."""
    announced = headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise TooLargeError(f"the body is larger than {MAX_BODY} bytes")
    try:
        async with asyncio.timeout(READ_S):
            return await _read(receive)
    except TimeoutError:
        raise IncompleteError(f"the body was not there within {READ_S:g} s") from None


async def _read(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise IncompleteError("the sender left before the end of the body")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise TooLargeError(f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


async def refuse(error: DeliveryError, send: Send) -> None:
    """The answer to a delivery that is refused. The rest of its body is not waited for."""
    content = {"error": {"code": error.code, "message": str(error)}}
    unread = isinstance(error, TooLargeError | IncompleteError)
    await respond(send, error.status, content, *([(b"connection", b"close")] if unread else []))


async def respond(
    send: Send, status: int, content: dict[str, Any], *headers: tuple[bytes, bytes]
) -> None:
    """Answer with JSON."""
    body = msgspec.json.encode(content)
    about = ((b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
    start = {"type": "http.response.start", "status": status, "headers": [*about, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
