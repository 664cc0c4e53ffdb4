"""The signature of a webhook delivery."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import SignatureError
from offhook.telephony.signature import Delivery, sign, signing_key, verify

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
ID = "wh_test_1"
NOW = 1_760_000_000
BODY = (
    b'{"object":"event","id":"evt_test_1","type":"realtime.call.incoming",'
    b'"created_at":1760000000,"data":{"call_id":"rtc_u1_TESTTESTTESTTESTTEST1",'
    b'"sip_headers":[{"name":"From","value":"<sip:+15550100@example.com>"}]}}'
)
SIGNATURE = "v1,OMlvy0LYP+KiGzksIXeaq91G/+TZWR2tzL9VdQ3HKn0="


def headers(signature: str = SIGNATURE, at: object = NOW, webhook_id: str = ID) -> dict[str, str]:
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature,
    }


def test_a_known_delivery_is_accepted() -> None:
    assert verify([SECRET], headers(), BODY, NOW) == Delivery(ID, NOW)


def test_our_signature_of_a_known_delivery_is_the_known_one() -> None:
    assert sign(SECRET, ID, NOW, BODY) == SIGNATURE


@pytest.mark.parametrize("spell", [str.upper, str.title, str.lower])
def test_header_names_may_be_spelled_in_any_case(spell: Callable[[str], str]) -> None:
    spelled = {spell(name): value for name, value in headers().items()}
    assert verify([SECRET], spelled, BODY, NOW).id == ID


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE.removeprefix("v1,"),
        f"v1,AAAA {SIGNATURE}",
        f"{SIGNATURE} v1,AAAA",
        f"v1a,ed25519 junk  {SIGNATURE}",
        f"v1,ünïcode {SIGNATURE}",
    ],
)
def test_one_good_signature_among_others_is_enough(signature: str) -> None:
    assert verify([SECRET], headers(signature), BODY, NOW).id == ID


@pytest.mark.parametrize(
    "signature", ["v1,AAAA", "v2," + SIGNATURE[3:], SIGNATURE[:-1], "v1,", "ü", "\udcff", ","]
)
def test_a_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(SignatureError, match="no signature"):
        verify([SECRET], headers(signature), BODY, NOW)


def test_every_byte_of_the_body_counts() -> None:
    with pytest.raises(SignatureError):
        verify([SECRET], headers(), BODY + b"\n", NOW)


def test_the_id_and_the_timestamp_are_signed_too() -> None:
    with pytest.raises(SignatureError):
        verify([SECRET], headers(webhook_id="wh_test_2"), BODY, NOW)
    with pytest.raises(SignatureError):
        verify([SECRET], headers(at=NOW + 1), BODY, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    given_headers = headers()
    del given_headers[name]
    if value is not None:
        given_headers[name] = value
    with pytest.raises(SignatureError, match=name):
        verify([SECRET], given_headers, BODY, NOW)


@pytest.mark.parametrize("late_s", [-300, -299.9, 0, 299.9, 300])
def test_a_delivery_is_in_time_for_300_seconds_either_way(late_s: float) -> None:
    assert verify([SECRET], headers(), BODY, NOW + late_s).timestamp == NOW


@pytest.mark.parametrize(("late_s", "why"), [(300.1, "old"), (-300.1, "ahead"), (1e9, "old")])
def test_a_delivery_out_of_time_is_refused(late_s: float, why: str) -> None:
    with pytest.raises(SignatureError, match=why):
        verify([SECRET], headers(), BODY, NOW + late_s)


@pytest.mark.parametrize("at", ["now", "1e9", "1_760_000_000", "-1", "1760000000.5", "٣", "9" * 99])
def test_a_timestamp_must_be_plain_seconds(at: str) -> None:
    with pytest.raises(SignatureError, match="Unix seconds"):
        verify([SECRET], headers(at=at), BODY, NOW)


def test_during_a_rotation_either_secret_will_do() -> None:
    old, new = SECRET, "a new secret in plain text"
    for used in (old, new):
        signed = headers(sign(used, ID, NOW, BODY))
        assert verify([old, new], signed, BODY, NOW).id == ID
    with pytest.raises(SignatureError):
        verify([new], headers(), BODY, NOW)


@pytest.mark.parametrize("secrets", [[], [""], ["   "], ["whsec_"], ["whsec_!!!"], ["whsec_A"]])
def test_without_a_usable_secret_nothing_is_accepted(secrets: list[str]) -> None:
    with pytest.raises(SignatureError, match="no usable webhook secret"):
        verify(secrets, headers(), BODY, NOW)


def test_a_mistyped_secret_does_not_disable_the_good_one() -> None:
    assert verify(["whsec_not/base64!", "", SECRET], headers(), BODY, NOW).id == ID


def test_missing_padding_of_a_secret_is_restored() -> None:
    assert signing_key(SECRET.rstrip("=")) == signing_key(SECRET) == signing_key(SECRET + "\n")


def test_no_error_repeats_the_secret() -> None:
    secret = "whsec_hunter2!"
    with pytest.raises(ValueError, match="not base64") as raised:
        signing_key(secret)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(SignatureError) as refused:
        verify([secret, SECRET], headers("v1,AAAA"), BODY, NOW)
    assert "hunter2" not in str(refused.value)
    assert SECRET[6:] not in str(refused.value)


@given(st.binary(), st.text(min_size=1).filter(str.strip), st.text(min_size=1).filter(str.strip))
def test_whatever_we_sign_we_accept(body: bytes, secret: str, webhook_id: str) -> None:
    secret = "raw " + secret
    signed = headers(sign(secret, webhook_id, NOW, body), webhook_id=webhook_id)
    assert verify([secret], signed, body, NOW) == Delivery(webhook_id, NOW)


@given(st.text(), st.text(), st.text(), st.binary())
def test_any_garbage_is_refused_the_same_way(i: str, at: str, signature: str, body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify([SECRET], headers(signature, at, i), body, NOW)
