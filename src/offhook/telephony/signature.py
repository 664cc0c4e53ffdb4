"""Check and make webhook signatures as Standard Webhooks defines them.

Both clouds sign with this scheme: an HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, sent as
`v1,<base64>` in `webhook-signature` (https://www.standardwebhooks.com, OpenAI's webhook guide).
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from offhook.errors import SignatureError

_PREFIX = "whsec_"
_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")


class Delivery(Struct, frozen=True, gc=False):
    """A delivery that is proven to come from the cloud.

    `id` stays the same when the cloud sends the delivery again; `timestamp` is the Unix second
    of this attempt.
    """

    id: str
    timestamp: int


def verify(
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    tolerance_s: int = 300,
) -> Delivery:
    """Return who is delivering, or raise `SignatureError` saying what is wrong.

    `secrets` holds every secret that is valid just now: during a rotation there are several.
    `headers` may be spelled in any case, `body` is the request body as received, `now` is in
    Unix seconds. A delivery is in time if it is at most `tolerance_s` old or early.
    """
    delivery_id = _required(headers, "webhook-id")
    sent = _required(headers, "webhook-timestamp")
    signatures = _required(headers, "webhook-signature")
    timestamp = _in_time(sent, now, tolerance_s)
    keys = list(_usable_keys(secrets))
    if not keys:
        raise SignatureError("no usable webhook secret is configured")
    given = [_bytes(part.removeprefix("v1,")) for part in signatures.split()]
    content = _content(delivery_id, sent, body)
    expected = [_digest(key, content) for key in keys]
    if not any(hmac.compare_digest(ours, theirs) for ours in expected for theirs in given):
        raise SignatureError("no signature in webhook-signature matches a configured secret")
    return Delivery(delivery_id, timestamp)


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` value of a delivery, e.g. for a smoke test.

    Raises `ValueError` if the secret is unusable, see `signing_key`.
    """
    content = _content(webhook_id, str(timestamp), body)
    return "v1," + _digest(signing_key(secret), content).decode("ascii")


@lru_cache(maxsize=8)
def signing_key(secret: str) -> bytes:
    """Return the HMAC key that a secret stands for.

    After `whsec_` comes base64, of which the padding may be missing; any other secret is its own
    UTF-8 bytes. Raises `ValueError`, without repeating the secret, if it is empty (anybody could
    sign with an empty key) or not base64 (a guessed key would refuse every delivery).
    """
    if not secret.startswith(_PREFIX):
        key = _bytes(secret)
    else:
        coded = secret.removeprefix(_PREFIX).strip().rstrip("=")
        try:
            key = b64decode(coded + "=" * (-len(coded) % 4), validate=True)
        except ValueError:
            raise ValueError("the webhook secret is not base64 after its whsec_") from None
    if not key.strip():
        raise ValueError("the webhook secret is empty")
    return key


def _usable_keys(secrets: Sequence[str]) -> Iterator[bytes]:
    for secret in secrets:
        try:
            yield signing_key(secret)
        except ValueError:  # one mistyped secret must not disable the good one next to it
            continue


def _required(headers: Mapping[str, str], name: str) -> str:
    given = headers.get(name, "")
    if given.strip():
        return given
    for key, value in headers.items():
        if key.lower() == name and value.strip():
            return value
    raise SignatureError(f"the header {name} is missing")


def _in_time(sent: str, now: float, tolerance_s: int) -> int:
    if not _UNIX_SECONDS.fullmatch(sent):
        raise SignatureError("webhook-timestamp is not a time in Unix seconds")
    timestamp = int(sent)
    if now - timestamp > tolerance_s:
        raise SignatureError(f"the delivery is more than {tolerance_s} s old")
    if timestamp - now > tolerance_s:
        raise SignatureError(f"the delivery is more than {tolerance_s} s ahead of our clock")
    return timestamp


def _content(webhook_id: str, timestamp: str, body: bytes) -> bytes:
    return b".".join((_bytes(webhook_id), _bytes(timestamp), body))


def _digest(key: bytes, content: bytes) -> bytes:
    return b64encode(hmac.digest(key, content, "sha256"))


def _bytes(text: str) -> bytes:
    """Encode what a header holds, whatever it holds: comparing must not fail on odd letters."""
    return text.encode("utf-8", "surrogatepass")
