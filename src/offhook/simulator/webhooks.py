"""Webhook deliveries: signed per Standard Webhooks, repeated and retried as the cloud does."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from time import time

from aiohttp import ClientError, ClientSession, ClientTimeout
from msgspec import Struct

from offhook.simulator.faults import Faults
from offhook.simulator.invite import Invite
from offhook.simulator.wire import Json, encode, new_hex_id, novel, token

USER_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"


class Delivery(Struct, frozen=True):
    """One webhook on its way to one address, under one id however often it is sent."""

    url: str
    id: str
    body: bytes


def signature(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, timestamp and body (standardwebhooks.com)."""
    key = secret.encode()
    if secret.startswith("whsec_"):
        key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((delivery_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def new_delivery(url: str, event: Json) -> Delivery:
    """Wrap an event up for an address."""
    return Delivery(url=url, id=new_hex_id("wh"), body=encode(event))


def incoming_call(call_id: str, invite: Invite, *, novelties: bool = False) -> Json:
    """The `realtime.call.incoming` event."""
    event = {
        "object": "event",
        "id": new_hex_id("evt"),
        "type": "realtime.call.incoming",
        "created_at": int(time()),
        "data": invite.data(call_id),
    }
    return dict(novel(event)) if novelties else event


def live_twin(event: Json) -> Json:
    """The event by which the Live API announces the call of a `realtime.call.incoming`."""
    data = event["data"]
    return {
        "object": "event",
        "id": new_hex_id("evt"),
        "type": "live.transport.incoming",
        "created_at": event["created_at"],
        "data": {
            "type": "sip",
            "session_id": f"live_{token(21)}",
            "sip_headers": data["sip_headers"],
        },
    }


class Courier:
    """Makes deliveries. `delay_s` is the network's one-way delay in real seconds."""

    def __init__(self, http: ClientSession, secret: str, delay_s: float = 0.0) -> None:
        self._http = http
        self._secret = secret
        self._delay_s = delay_s

    async def attempt(self, delivery: Delivery, faults: Faults, number: int = 0) -> int:
        """Send once; the answer's HTTP status, or 0 where there was none.

        Each attempt is signed anew with a timestamp of its own, a second later than the one
        before even where simulated seconds take no time.
        """
        body = delivery.body
        if faults.webhook_tampered:
            body = body.replace(b'"object":"event"', b'"object":"tampered"')
        timeout = ClientTimeout(total=faults.webhook_timeout_s)
        await asyncio.sleep(self._delay_s)
        try:
            async with self._http.post(
                delivery.url,
                data=body,
                headers=self._headers(delivery, faults, number),
                allow_redirects=False,
                timeout=timeout,
            ) as answer:
                await answer.read()
                status = answer.status
        except (ClientError, TimeoutError):
            return 0
        await asyncio.sleep(self._delay_s)
        return status

    def _headers(self, delivery: Delivery, faults: Faults, number: int) -> dict[str, str]:
        timestamp = int(time()) + faults.webhook_timestamp_offset_s + number
        secrets = [faults.webhook_secret or self._secret]
        if faults.previous_webhook_secret is not None:
            secrets.insert(0, faults.previous_webhook_secret)
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(
                signature(secret, delivery.id, timestamp, delivery.body) for secret in secrets
            ),
        }
        return {name: value for name, value in headers.items() if name not in faults.webhook_omits}
