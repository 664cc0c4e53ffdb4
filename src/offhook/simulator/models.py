"""Families of models: what a session of each begins with, and what its answers carry."""

from __future__ import annotations

import re

from msgspec import Struct


class Family(Struct, frozen=True):
    """Models that behave alike.

    `voice` and `silence_ms` (the pause that ends a turn) are a session's defaults. `phases`: a
    message says whether it is commentary before a tool or the final answer. `reasons`: the model
    may be told how hard to think, and counts what it thought; the others refuse to be told.
    """

    voice: str
    silence_ms: int
    phases: bool
    reasons: bool


FIRST = Family(voice="alloy", silence_ms=200, phases=False, reasons=False)
"""gpt-realtime and its minis, as recorded."""
SECOND = Family(voice="marin", silence_ms=500, phases=True, reasons=True)
"""gpt-realtime-2, 2.1 and 2.1-mini, as recorded."""
LATE_FIRST = Family(voice="marin", silence_ms=500, phases=False, reasons=False)
"""gpt-realtime-1.5 where `Beliefs.late_first_defaults` says that it begins as its successors do."""

_SECOND = re.compile(r"gpt-realtime-2(?!\d)")  # and not gpt-realtime-2025-08-28
_LATE_FIRST = re.compile(r"gpt-realtime-1\.5")


def family(model: str, *, late_first_defaults: bool = False) -> Family:
    """The family of a model; one that nobody knows is of the first."""
    if _SECOND.match(model):
        return SECOND
    if late_first_defaults and _LATE_FIRST.match(model):
        return LATE_FIRST
    return FIRST
