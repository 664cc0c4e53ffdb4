"""Our webhook signatures against two other implementations: openai-python and Standard Webhooks.

What they sign we accept, what we sign they accept, what they refuse we refuse.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import InvalidWebhookSignatureError, OpenAI
from standardwebhooks import Webhook, WebhookVerificationError

from offhook.errors import SignatureError
from offhook.telephony.signature import sign, verify

KEYS = st.binary(min_size=1, max_size=64).filter(lambda key: bool(key.strip()))
BODIES = st.text(st.characters(codec="utf-8"))
IDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
CLIENT = OpenAI(api_key="unused")
Change = Callable[[dict[str, str]], object]


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def delivery(signature: str, at: int, webhook_id: str = "wh_1") -> dict[str, str]:
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }


@given(KEYS, IDS, BODIES)
def test_what_we_sign_the_openai_sdk_accepts(key: bytes, webhook_id: str, body: str) -> None:
    now = int(time.time())
    signed = delivery(sign(whsec(key), webhook_id, now, body.encode()), now, webhook_id)
    CLIENT.webhooks.verify_signature(body.encode(), signed, secret=whsec(key))


@given(KEYS, IDS, BODIES)
def test_what_we_sign_standard_webhooks_accepts(key: bytes, webhook_id: str, body: str) -> None:
    now = int(time.time())
    signed = delivery(sign(whsec(key), webhook_id, now, body.encode()), now, webhook_id)
    Webhook(whsec(key)).verify(body.encode(), signed, json_parse=False)


@given(KEYS, IDS, BODIES, st.integers(0, 2**33))
def test_what_standard_webhooks_signs_we_accept(
    key: bytes, webhook_id: str, body: str, at: int
) -> None:
    signature = Webhook(whsec(key)).sign(webhook_id, datetime.fromtimestamp(at, UTC), body)
    accepted = verify([whsec(key)], delivery(signature, at, webhook_id), body.encode(), at)
    assert (accepted.id, accepted.timestamp) == (webhook_id, at)


def test_the_sdk_unwraps_what_we_sign_with_a_raw_secret() -> None:
    now = int(time.time())
    body = (
        '{"object":"event","id":"evt_1","type":"realtime.call.incoming","created_at":1,'
        '"data":{"call_id":"rtc_1","sip_headers":[]}}'
    )
    signed = delivery(sign("a raw secret", "wh_1", now, body.encode()), now)
    event = CLIENT.webhooks.unwrap(body, signed, secret="a raw secret")
    assert event.type == "realtime.call.incoming"


CHANGES: dict[str, Change] = {
    "signature of another": lambda h: h.update({"webhook-signature": "v1," + "A" * 43 + "="}),
    "empty signature": lambda h: h.update({"webhook-signature": "v1,"}),
    "other id": lambda h: h.update({"webhook-id": "wh_2"}),
    "other time": lambda h: h.update({"webhook-timestamp": str(int(h["webhook-timestamp"]) - 1)}),
    "too old": lambda h: h.update({"webhook-timestamp": str(int(h["webhook-timestamp"]) - 302)}),
    "too new": lambda h: h.update({"webhook-timestamp": str(int(h["webhook-timestamp"]) + 302)}),
    "no number": lambda h: h.update({"webhook-timestamp": "yesterday"}),
    "no id": lambda h: h.pop("webhook-id"),
    "no time": lambda h: h.pop("webhook-timestamp"),
    "no signature": lambda h: h.pop("webhook-signature"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_both_others_refuse_we_refuse(change: Change) -> None:
    now, secret, body = int(time.time()), whsec(b"key"), b"{}"
    changed = delivery(sign(secret, "wh_1", now, body), now)
    change(changed)
    # the SDK raises ValueError for a missing header
    with pytest.raises((InvalidWebhookSignatureError, ValueError)):
        CLIENT.webhooks.verify_signature(body, changed, secret=secret)
    with pytest.raises((WebhookVerificationError, ValueError)):
        Webhook(secret).verify(body, changed)
    with pytest.raises(SignatureError):
        verify([secret], changed, body, now)


@pytest.mark.parametrize("offset", [-300, 300])
def test_a_signature_out_of_time_is_refused_although_it_is_genuine(offset: int) -> None:
    now, secret = int(time.time()), whsec(b"key")
    at = now + offset + (2 if offset > 0 else -2)
    signed = delivery(sign(secret, "wh_1", at, b"{}"), at)
    with pytest.raises(InvalidWebhookSignatureError):
        CLIENT.webhooks.verify_signature(b"{}", signed, secret=secret)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b"{}", signed)
    with pytest.raises(SignatureError):
        verify([secret], signed, b"{}", now)
