"""What the tools answer the model: small values with a `result` word, never a guess."""

from __future__ import annotations

from msgspec import Struct


class NotFound(Struct, tag_field="result", tag="not_found", omit_defaults=True, frozen=True):
    """Nothing fits. `hint` says what to ask; `did_you_mean` are near matches to offer."""

    hint: str
    did_you_mean: tuple[str, ...] = ()


class Refused(Struct, tag_field="result", tag="refused", omit_defaults=True, frozen=True):
    """Understood, but not possible. `next_possible` is the first moment that would be."""

    reason: str
    next_possible: str | None = None


def euros(cents: int) -> str:
    """`34.90 EUR` for 3490."""
    return f"{cents // 100}.{cents % 100:02} EUR"
