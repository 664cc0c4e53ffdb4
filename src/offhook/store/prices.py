"""What a call costs: a table of list prices, and the bill for what was used.

The prices are in `prices.toml`; a file of the user's own goes before it. Cached tokens are a part
of the input and have their own price. What has no known price is unknown, which is not nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

from offhook.core.usage import Tokens, Usage

_MILLION = 1_000_000
_MINUTE = 60.0
_SNAPSHOT = re.compile(r"-20\d\d-[01]\d-[0-3]\d")  # gpt-realtime-2025-08-28

_Dollars: TypeAlias = Annotated[float, Meta(ge=0, le=1e6)]


class Rates(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """US dollars for a million tokens of one kind; `None` where there is no such price."""

    in_: _Dollars | None = field(default=None, name="in")
    cached: _Dollars | None = None
    out: _Dollars | None = None


_NONE = Rates()


class Price(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What one model costs: by tokens of each kind, or by the `minute` of audio."""

    text: Rates = _NONE
    audio: Rates = _NONE
    image: Rates = _NONE
    minute: _Dollars | None = None

    def of_tokens(self, tokens: Tokens) -> float | None:
        """US dollars for these tokens; `None` if one kind of them has no price."""
        return _sum(
            (tokens.text_in, self.text.in_),
            (tokens.text_cached, self.text.cached),
            (tokens.text_out, self.text.out),
            (tokens.audio_in, self.audio.in_),
            (tokens.audio_cached, self.audio.cached),
            (tokens.audio_out, self.audio.out),
            (tokens.image_in, self.image.in_),
            (tokens.image_cached, self.image.cached),
        )

    def of_seconds(self, seconds: float) -> float | None:
        """US dollars for this much audio; `None` if it has no price by the minute."""
        if not seconds:
            return 0.0
        return None if self.minute is None else seconds / _MINUTE * self.minute


_UNKNOWN = Price()


def _sum(*parts: tuple[int, float | None]) -> float | None:
    total = 0.0
    for count, dollars in parts:
        if count and dollars is None:
            return None
        total += count * (dollars or 0.0)
    return total / _MILLION


class Prices(Struct, frozen=True, kw_only=True):
    """A table of prices. `edition` tells later which prices a cost was worked out with.

    `aliases` say for a deployment's name which model it is: a deployment may have any name.
    """

    edition: str
    models: dict[str, Price]
    aliases: dict[str, str] = {}

    def of(self, model: str) -> Price | None:
        """The price of a model; `None` if it is unknown.

        A name counts as it is, else without the date of a snapshot. `gpt-realtime-2.1-mini` is
        no `gpt-realtime-2.1`, so no other beginning of a name does.
        """
        name = self.aliases.get(model, model)
        snapshot = _SNAPSHOT.search(name)
        plain = name[: snapshot.start()] if snapshot and snapshot.end() == len(name) else name
        return self.models.get(name) or self.models.get(plain)

    def with_aliases(self, aliases: Mapping[str, str]) -> Prices:
        """The same prices for these names, too. Raises `ValueError` if a model has no price."""
        for name, model in aliases.items():
            if self.of(model) is None:
                known = ", ".join(sorted(self.models))
                raise ValueError(
                    f"{name} is to be priced as {model}, of which there is no price; "
                    f"there are prices of {known}"
                )
        return Prices(edition=self.edition, models=self.models, aliases=dict(aliases))


class Bill(Struct, frozen=True, gc=False):
    """What something costs: `known` US dollars, and whether that is all of it."""

    known: float = 0.0
    complete: bool = True

    @property
    def usd(self) -> float | None:
        """US dollars, `None` if a part of it is unknown."""
        return self.known if self.complete else None


class Tariff(Struct, frozen=True, kw_only=True):
    """The prices of the models that one line uses; `None` where unknown.

    `transcriber` is the model that writes down the caller's words, if one does.
    """

    edition: str
    model: str
    price: Price | None
    transcriber: str | None = None
    transcriber_price: Price | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of models that have no price."""
        pairs = ((self.model, self.price), (self.transcriber, self.transcriber_price))
        return tuple(name for name, price in pairs if name is not None and price is None)

    def bill(self, usage: Usage) -> Bill:
        """What a call costs that has used this so far."""
        model, transcriber = self.price or _UNKNOWN, self.transcriber_price or _UNKNOWN
        parts = (
            model.of_tokens(usage.responses),
            transcriber.of_tokens(usage.transcripts),
            transcriber.of_seconds(usage.seconds),
        )
        known = [part for part in parts if part is not None]
        return Bill(sum(known), not usage.unknown and len(known) == len(parts))


def tariff(prices: Prices, model: str, transcriber: str | None, *, by_name: bool = True) -> Tariff:
    """The prices of these models. Not `by_name` where names are those of deployments.

    A deployment says nothing by its name: then only an alias tells which model it is.
    """

    def of(name: str) -> Price | None:
        return prices.of(name) if by_name or name in prices.aliases else None

    return Tariff(
        edition=prices.edition,
        model=model,
        price=of(model),
        transcriber=transcriber,
        transcriber_price=of(transcriber) if transcriber is not None else None,
    )


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of prices."""

    date: date
    models: dict[str, Price]
    source: str = ""


@cache
def list_prices() -> Prices:
    """The public list prices that offhook brings with it."""
    table = _read((files("offhook.store") / "prices.toml").read_bytes())
    return Prices(edition=table.date.isoformat(), models=table.models)


def prices(own: Path | None = None) -> Prices:
    """The list prices, with those of the user's own file before them.

    Raises `ValueError` that says what is wrong with the file.
    """
    table = list_prices()
    if own is None:
        return table
    theirs = read(own)
    edition = f"{table.edition}, own {theirs.date.isoformat()}"
    return Prices(edition=edition, models={**table.models, **theirs.models})


def read(path: Path) -> _Table:
    """A file of prices. Raises `ValueError` that says what is wrong with it."""
    try:
        return _read(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # msgspec's own, among them: not TOML, or not a table of prices
        raise ValueError(f"{path}: {error}") from None


def _read(raw: bytes) -> _Table:
    return msgspec.toml.decode(raw, type=_Table)


def dollars(amount: float | None) -> str:
    """An amount for people to read; an unknown one is called unknown."""
    match amount:
        case None:
            return "unknown price"
        case _ if 0 < amount < 0.01:
            return f"${amount:.4f}"
        case _:
            return f"${amount:.2f}"
