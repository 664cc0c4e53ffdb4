"""Take personal data and secrets out of text, and leave in what makes a log worth reading.

What goes: phone numbers, e-mail addresses, payment cards, IBANs, digits that were read out,
credentials. What stays: ids, dates, amounts, addresses of machines, durations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from offhook.observe.emails import hide_emails
from offhook.observe.spoken import hide_spoken
from offhook.observe.written import Named, hide_written

_MAX_DEPTH = 64
_SECRET = "[secret]"  # noqa: S105

_E164 = re.compile(r"\+[0-9]{7,15}")
_SECRET_NAME = re.compile(
    r"authorization|api[-_]?key|secret|password|passwd|cookie|credential|token$", re.IGNORECASE
)
_SECRET_HINTS = ("sk-", "whsec_", "bearer ", "basic ", "key", "secret", "token", "passw", "authori")
_SECRET_IN_TEXT = re.compile(
    r"(?P<bare>\b(?:sk-[\w-]{12,}|whsec_[\w+/=-]{6,})|(?<=bearer )[\w.~+/=-]{8,}"
    r"|(?<=basic )[\w+/=-]{8,})"
    r"|(?P<name>\b[\w-]*(?:authorization|api[-_]?key|secret|password|passwd|token)[\"']?\s*[:=]\s*"
    r"(?:(?:bearer|basic)\s+)?+[\"']?)(?P<value>[^\s\"',;&}\[]{4,})",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return the text with `[phone]`, `[email]`, `[card]`, `[iban]`, `[digits]`, `[secret]`."""
    return _redact(text, _plain)


def redact_value(value: object) -> object:
    """Return a copy of nested data with every text redacted, keys too, at any depth.

    What is named like a secret becomes `[secret]` (`{"api-key": ...}`); numbers, booleans and
    `None` stay. Everything else that is no dict, list, tuple or set becomes its redacted text.
    """
    return _redact_value(value, _plain, 0)


def redact_field(name: str, value: object) -> object:
    """As `redact_value` for the value of a field that has a name of its own."""
    if _is_secret(name, value):
        return _SECRET
    return _redact_value(value, _plain, 0)


class Redactor:
    """Redacts with numbered placeholders: within one call `[phone:1]` is always the same number.

    Keeps the numbers in memory, so it should live no longer than its call.
    """

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, int]] = {}

    def redact(self, text: str) -> str:
        """As `redact`, with `[phone:1]` instead of `[phone]`."""
        return _redact(text, self._name)

    def redact_value(self, value: object) -> object:
        """As `redact_value`, with `[phone:1]` instead of `[phone]`."""
        return _redact_value(value, self._name, 0)

    def _name(self, kind: str, value: str) -> str:
        seen = self._seen.setdefault(kind, {})
        return f"[{kind}:{seen.setdefault(value, len(seen) + 1)}]"


def _plain(kind: str, value: str) -> str:
    return f"[{kind}]"


def _redact(text: str, named: Named) -> str:
    if len(text) < 4:
        return text
    if _E164.fullmatch(text):  # as it is logged at each ring; the long way round says the same
        return named("phone", text[1:])
    text = hide_emails(_hide_secrets(text), named)
    return hide_spoken(hide_written(text, named), named)


def _hide_secrets(text: str) -> str:
    lower = text.lower()
    for hint in _SECRET_HINTS:
        if hint in lower:
            return _SECRET_IN_TEXT.sub(lambda found: (found["name"] or "") + _SECRET, text)
    return text


def _redact_value(value: object, named: Named, depth: int) -> object:
    match value:
        case None | bool() | int() | float() | Decimal():
            return value
        case str():
            return _redact(value, named)
        case _ if depth >= _MAX_DEPTH:
            return "[too deep]"
        case Mapping():
            return {
                _redact(str(key), named): _SECRET
                if _is_secret(key, item)
                else _redact_value(item, named, depth + 1)
                for key, item in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_redact_value(item, named, depth + 1) for item in value]
        case bytes() | bytearray():
            return _redact(value.decode("utf-8", "replace"), named)
        case BaseException():
            return _redact(f"{type(value).__name__}: {value}", named)
        case _:
            return _redact(str(value), named)


def _is_secret(key: object, value: object) -> bool:
    """Whether the value must go for its name alone; a number of tokens is no token."""
    named_so = isinstance(key, str) and _SECRET_NAME.search(key) is not None
    return named_so and not isinstance(value, bool | int | float | None)
