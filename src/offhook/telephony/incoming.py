"""What a webhook delivery says, read leniently where it may vary and strictly where we act on it.

Shapes: `RealtimeCallIncomingWebhookEvent` in the openai package. Dispatch is by `type`, since the
same address may be subscribed to other events as well.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from offhook.core.party import UNKNOWN, Party
from offhook.errors import PayloadError
from offhook.telephony import headers

RINGING = "realtime.call.incoming"
_CALL_ID = re.compile(r"[!-~]{1,256}")


class Incoming(Struct, frozen=True):
    """A call rings. `carrier` are the ids by which the carrier knows the same call."""

    event_id: str
    call_id: str
    caller: Party = UNKNOWN
    called: str | None = None
    media_security: str | None = None
    carrier: dict[str, str] = {}


class Other(Struct, frozen=True):
    """An event of another type, which is none of our business."""

    event_id: str
    type: str


Event: TypeAlias = Incoming | Other

_decode = msgspec.json.Decoder().decode


def parse(body: bytes, region: str | None = None) -> Event:
    """Read the body of a delivery. Raises `PayloadError` with what is wrong."""
    try:
        event = _decode(body)
    except (msgspec.MsgspecError, UnicodeError):
        raise PayloadError("the body is not JSON") from None
    if not isinstance(event, dict) or not isinstance(kind := event.get("type"), str):
        raise PayloadError("the body is not an event: it has no type")
    event_id = event.get("id")
    event_id = event_id if isinstance(event_id, str) else ""
    if kind != RINGING:
        return Other(event_id, kind[:100])
    return _incoming(event_id, event.get("data"), region)


def _incoming(event_id: str, data: Any, region: str | None) -> Incoming:
    call_id = data.get("call_id") if isinstance(data, dict) else None
    if not isinstance(call_id, str) or not _CALL_ID.fullmatch(call_id):
        raise PayloadError("the event has no usable data.call_id")
    sip = headers.parse(data.get("sip_headers"))
    security = data.get("sip_media_security")
    return Incoming(
        event_id=event_id,
        call_id=call_id,
        caller=headers.caller(sip, region=region),
        called=headers.called(sip, region=region),
        media_security=security if isinstance(security, str) else None,
        carrier=headers.carrier_ids(sip),
    )
