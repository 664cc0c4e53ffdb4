"""Times as people type them at a command, and as we print them. All in UTC, as in the records."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from offhook.errors import UserError

ACCEPTED = "a date such as 2026-11-22, a time such as 2026-11-22T14:30, today, or 30m, 24h, 7d, 4w"

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse(text: str, option: str, now: datetime) -> int:
    """Unix milliseconds. Raises `UserError`, which names the option and says what it takes."""
    try:
        at = _at(text.strip().lower(), now.astimezone(UTC))
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UserError(f"{option}: {text!r} is no time. It takes {ACCEPTED}; in UTC.") from None


def _at(text: str, now: datetime) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if text == "today":
        return midnight
    if text == "yesterday":
        return midnight - timedelta(days=1)
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    given = datetime.fromisoformat(text.upper())
    at = given if given.tzinfo else given.replace(tzinfo=UTC)
    if at.timestamp() < 0:
        raise ValueError
    return at


def minute(ms: int) -> str:
    """A time to read: `2026-11-22 14:30`."""
    return f"{_utc(ms):%Y-%m-%d %H:%M}"


def iso(ms: int) -> str:
    """A time to read back: `2026-11-22T14:30:05.120Z`."""
    return f"{_utc(ms):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def length(ms: float | None) -> str:
    """A length to read: `0:07`, `12:34`, `1:02:03`; a dash if it is unknown."""
    if ms is None:
        return "-"
    seconds = round(ms / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _utc(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)
