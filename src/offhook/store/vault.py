"""Phone numbers at rest: sealed to be revealed, hashed to be found, masked to be shown.

With a key, sealing is AES-256-GCM and hashing is HMAC-SHA-256, each with a key of its own that
HKDF (RFC 5869) derives; a hash without a key is undone by trying all numbers, so it only finds.
Each sealed number names its key: the first key writes and all keys read, so keys can be replaced.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from offhook.config.privacy import KEY_BYTES, read_keys
from offhook.errors import UserError
from offhook.telephony.numbers import mask, normalise

__all__ = ["Vault", "mask", "new_key"]

_SEALED, _PLAIN = "enc:", "txt:"  # the second only where a plain number looks like either
_NONCE = 12  # bytes; the length that NIST SP 800-38D recommends


class Vault:
    """Seals and hashes numbers with the keys in a list separated by commas, or without any.

    Raises `UserError` for what is no key.
    """

    def __init__(self, key: str | None) -> None:
        try:
            keys = [_Key(each) for each in read_keys(key or "")]
        except ValueError as error:
            raise UserError(f"OFFHOOK_RECORDS_KEY {error}.") from None
        self._keys = {each.id: each for each in keys}
        self._first = keys[0] if keys else None

    @property
    def locked(self) -> bool:
        """Whether there is a key."""
        return self._first is not None

    def hash(self, number: str) -> str:
        """64 hexadecimal digits to find the number by; the same for every way to write it."""
        plain = _plain(number)
        return self._first.hash(plain) if self._first else hashlib.sha256(plain).hexdigest()

    def hashes(self, number: str) -> tuple[str, ...]:
        """Every hash that a record of this number may have: of each key, and of none."""
        plain = _plain(number)
        keyed = (key.hash(plain) for key in self._keys.values())
        return (*keyed, hashlib.sha256(plain).hexdigest())

    def seal(self, number: str) -> str:
        """What to store; never the same twice with a key, the number itself without one."""
        if self._first:
            return f"{_SEALED}{self._first.id}:{self._first.seal(number)}"
        return f"{_PLAIN}{number}" if number.startswith((_SEALED, _PLAIN)) else number

    def unseal(self, stored: str) -> str | None:
        """The number; `None` if its key is not among ours, or it was tampered with."""
        if not stored.startswith(_SEALED):
            return stored.removeprefix(_PLAIN)
        _, name, text = (*stored.split(":", 2), "", "")[:3]
        key = self._keys.get(name)
        return key.unseal(text) if key else None

    def stale(self, stored: str) -> bool:
        """Whether the number could be sealed anew: it is ours to read, not by the first key."""
        newest = f"{_SEALED}{self._first.id}:" if self._first else ""
        return not stored.startswith(newest) and self.unseal(stored) is not None


class _Key:
    """One key, and the two that are derived from it."""

    def __init__(self, key: bytes) -> None:
        self.id = _derived(key, b"id")[:4].hex()
        self._aead = AESGCM(_derived(key, b"seal"))
        self._hashing = _derived(key, b"hash")

    def hash(self, plain: bytes) -> str:
        return hmac.digest(self._hashing, plain, "sha256").hex()

    def seal(self, number: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._aead.encrypt(nonce, number.encode("utf-8", "surrogatepass"), None)
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, text: str) -> str | None:
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
            plain = self._aead.decrypt(raw[:_NONCE], raw[_NONCE:], None)
        except (ValueError, InvalidTag):
            return None
        return plain.decode("utf-8", "surrogatepass")


def _plain(number: str) -> bytes:
    return normalise(number).encode("utf-8", "surrogatepass")


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, None, b"offhook records " + purpose).derive(key)


def new_key() -> str:
    """A new key for `OFFHOOK_RECORDS_KEY`: 32 random bytes in base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()
