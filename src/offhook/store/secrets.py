"""Secrets that open the door: made with all the chance there is, kept as their hash alone."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256


def make(prefix: str = "") -> str:
    """A new secret of 256 bits, fit for an address or a header."""
    return prefix + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of it. No salt and no stretching: nobody guesses 256 bits."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, told in a time that says nothing about where they differ."""
    return hmac.compare_digest(
        one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    )
