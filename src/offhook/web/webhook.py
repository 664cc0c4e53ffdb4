"""`POST /openai/webhook`: check, answer 200 at once, and let the call's own task do the rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from offhook.errors import DeliveryError
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.runtime.deliveries import Deliveries
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
        deliveries: Deliveries | None = None,
    ) -> None:
        self._switchboard = switchboard
        self._metrics = metrics
        self._secrets = tuple(secrets)
        self._region = region
        self._deliveries = deliveries
        self._log = get_logger("webhook")
        self.router = APIRouter()
        self.router.add_route(PATH, self.receive, methods=["POST"], name="webhook")

    async def receive(self, request: Request) -> JSONResponse:
        """One delivery."""
        began = time.perf_counter()
        try:
            body = await read(request)
            delivery_id = self._checked(request, body)
            event = incoming.parse(body, self._region)
        except DeliveryError as error:
            self._metrics.delivered(error.code)
            self._log.warning("refused", status=error.status, code=error.code, why=str(error))
            self._note(began, error.code, error.status)
            return refuse(error)
        delivery_id = delivery_id or event.event_id
        result = self._take(delivery_id, event)
        self._metrics.delivered(result)
        self._note(began, result, delivery_id=delivery_id, event=event)
        return JSONResponse({"ok": True, "result": result})

    def _note(
        self,
        began: float,
        result: str,
        status: int = 200,
        *,
        delivery_id: str = "",
        event: incoming.Event | None = None,
    ) -> None:
        if self._deliveries is None:
            return
        call_id = event.call_id if isinstance(event, incoming.Incoming) else None
        kind = event.type if isinstance(event, incoming.Other) else call_id and incoming.RINGING
        self._deliveries.note(
            began, result, status, delivery_id=delivery_id, event_type=kind, call_id=call_id
        )

    def _checked(self, request: Request, body: bytes) -> str:
        """The id of the delivery, once its signature is found right."""
        if not self._secrets:
            return request.headers.get("webhook-id", "")
        return signature.verify(self._secrets, request.headers, body, time.time()).id

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


async def read(request: Request) -> bytes:
    """The raw body, as signed. Raises `TooLargeError` as soon as it is known, `IncompleteError`."""
    try:
        async with asyncio.timeout(READ_S):
            return await _read(request)
    except ClientDisconnect:
        raise IncompleteError("the sender left before the end of the body") from None
    except TimeoutError:
        raise IncompleteError(f"the body was not there within {READ_S:g} s") from None


async def _read(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise TooLargeError(f"the body is larger than {MAX_BODY} bytes")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLargeError(f"the body is larger than {MAX_BODY} bytes")
    return bytes(body)


def refuse(error: DeliveryError) -> JSONResponse:
    """The answer to a delivery that is refused. The rest of its body is not waited for."""
    content: dict[str, Any] = {"error": {"code": error.code, "message": str(error)}}
    unread = isinstance(error, TooLargeError | IncompleteError)
    headers = {"Connection": "close"} if unread else None
    return JSONResponse(content, status_code=error.status, headers=headers)
