"""What tokens cost: the public list prices of realtime models, and how a response is billed.

Prices of the models' own pages at developers.openai.com/api/docs/models, in US dollars. Azure's
are taken to be the same; a contract or a region may have others. A model that is not here has no
known price, which is not the same as none: every sum is then `None`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

AS_OF: Final = "2026-11-22"
"""The day on which the table was last held against its sources."""

_MILLION = 1_000_000
_SNAPSHOT = re.compile(r"-\d{4}-\d\d-\d\d$")


class Price(Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens of each kind."""

    text_in: float
    text_cached: float
    text_out: float
    audio_in: float
    audio_cached: float
    audio_out: float


class Tokens(Struct, frozen=True, kw_only=True):
    """How many tokens of each kind. What was cached is not counted again under `..._in`."""

    text_in: int = 0
    text_cached: int = 0
    text_out: int = 0
    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        both = {name: getattr(self, name) + getattr(other, name) for name in _KINDS}
        return Tokens(**both)

    @property
    def read(self) -> int:
        """All that the model was given."""
        return self.text_in + self.text_cached + self.audio_in + self.audio_cached

    @property
    def made(self) -> int:
        """All that the model has made, thoughts included."""
        return self.text_out + self.audio_out


_KINDS: Final = Tokens.__struct_fields__

_LARGE: Final = Price(
    text_in=4.00, text_cached=0.40, text_out=16.00,
    audio_in=32.00, audio_cached=0.40, audio_out=64.00,
)  # fmt: skip
_LARGE_2: Final = Price(
    text_in=4.00, text_cached=0.40, text_out=24.00,
    audio_in=32.00, audio_cached=0.40, audio_out=64.00,
)  # fmt: skip
_MINI: Final = Price(
    text_in=0.60, text_cached=0.06, text_out=2.40,
    audio_in=10.00, audio_cached=0.30, audio_out=20.00,
)  # fmt: skip

PRICES: Final[Mapping[str, Price]] = {
    "gpt-realtime": _LARGE,
    "gpt-realtime-1.5": _LARGE,
    "gpt-realtime-2": _LARGE_2,
    "gpt-realtime-2.1": _LARGE_2,
    "gpt-realtime-mini": _MINI,
    "gpt-realtime-2.1-mini": _MINI,
}


def price_of(model: str) -> Price | None:
    """The price of a model, or of the one that a dated snapshot is of; `None` if unknown."""
    return PRICES.get(model) or PRICES.get(_SNAPSHOT.sub("", model))


def cost(price: Price | None, tokens: Tokens) -> float | None:
    """US dollars for these tokens; `None` where there is no known price."""
    if price is None:
        return None
    each: list[float] = [getattr(price, kind) * getattr(tokens, kind) for kind in _KINDS]
    return sum(each) / _MILLION


def billed(usage: Mapping[str, Any] | None) -> Tokens:
    """The tokens of one response, from the `usage` of its `response.done`.

    The cloud counts cached tokens among the input; details that are missing count as text.
    """
    usage = usage or {}
    read, made = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    audio, cached = read.get("audio_tokens") or 0, read.get("cached_tokens") or 0
    audio_cached = (read.get("cached_tokens_details") or {}).get("audio_tokens") or 0
    audio_out = made.get("audio_tokens") or 0
    text = (usage.get("input_tokens") or 0) - audio
    text_cached = cached - audio_cached
    return Tokens(
        text_in=max(text - text_cached, 0),
        text_cached=text_cached,
        text_out=max((usage.get("output_tokens") or 0) - audio_out, 0),
        audio_in=max(audio - audio_cached, 0),
        audio_cached=audio_cached,
        audio_out=audio_out,
    )


def dollars(amount: float | None) -> str:
    """An amount in words that a person can read; an unknown one is called unknown."""
    match amount:
        case None:
            return "unknown price"
        case _ if 0 < amount < 0.01:
            return f"${amount:.4f}"
        case _:
            return f"${amount:.2f}"
