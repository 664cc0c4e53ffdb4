"""Cursors: where a page ended, as text that only we read.

A cursor holds the sort key of the last item, not a count, so what is added meanwhile moves nothing.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from offhook.errors import UserError


class CursorError(UserError):
    """The cursor is not one that we gave. Start again without one."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """The last item of a page: its time, and its key, a call's id or a delivery's number."""

    at: int
    key: str | int


def encode(position: Position) -> str:
    """The cursor for what comes after this position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def decode(cursor: str, key: type[str] | type[int]) -> Position:
    """The position of a cursor. Raises `CursorError` if it is broken or of another list."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True)
        position = msgspec.json.decode(text, type=Position)
    except (UnicodeError, binascii.Error, msgspec.DecodeError):
        raise CursorError(_BROKEN) from None
    if type(position.key) is not key or not 0 <= position.at < 2**53:
        raise CursorError(_BROKEN)
    return position


_BROKEN = "This cursor is broken. Pass `next` of the page before, unchanged, or no cursor at all."
