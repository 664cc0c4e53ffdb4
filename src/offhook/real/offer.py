"""What playing scenarios with the real model will cost, before it starts; then the bill."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.prompt import Confirm

from offhook.core.usage import Tokens
from offhook.errors import UserError
from offhook.real.session import MOST_RESPONSES
from offhook.realtime.session import SessionConfig
from offhook.simulator import Says
from offhook.simulator.scenario import Scenario
from offhook.store.prices import dollars, list_prices

CHARS_PER_TOKEN = 4
RESPONSES_PER_LINE = 2  # a function call, and the answer that follows it
RESPONSES_BESIDES = 2  # greeting and goodbye
MADE = 80  # tokens of one response, thoughts included
GROWTH = 120  # tokens by which the history grows with each response


class Offer(Struct, frozen=True):
    """What is about to be done, and what it may take. `played` and `skipped` count scenarios."""

    model: str
    played: int
    skipped: int
    tokens: Tokens

    @property
    def cost(self) -> float | None:
        """US dollars, `None` if the price is unknown. Nothing is assumed to be cached."""
        return _cost(self.model, self.tokens)


def estimate(scenario: Scenario, config: SessionConfig) -> Tokens:
    """Tokens of one scenario: each response reads the bot's session and all that was said."""
    lines = sum(isinstance(step, Says) for step in scenario.script.steps)
    responses = RESPONSES_BESIDES + lines * RESPONSES_PER_LINE
    fixed = len(config.instructions) + len(msgspec.json.encode(config.tools))
    history = GROWTH * responses * (responses - 1) // 2
    return Tokens(text_in=responses * fixed // CHARS_PER_TOKEN + history, text_out=responses * MADE)


def accepted(offer: Offer, out: Console, *, yes: bool) -> bool:
    """Say what it will cost, and ask unless that was answered with `yes` beforehand.

    Raises `UserError` where nobody is there to be asked.
    """
    tell(offer, out)
    if not offer.played or yes:
        return True
    if not sys.stdin.isatty():
        raise UserError("This costs money, and nobody is here to be asked: say --yes to agree.")
    return Confirm.ask("Go on?", console=out, default=False)


def tell(offer: Offer, out: Console) -> None:
    """The offer in words."""
    skipped = f", {offer.skipped} skipped" if offer.skipped else ""
    scenarios = "scenario" if offer.played == 1 else "scenarios"
    out.print(
        f"[bold]{offer.played} {scenarios} with the real model {escape(offer.model)}[/]{skipped}. "
        f"Estimate: {offer.tokens.input:,} tokens in, {offer.tokens.output:,} out.",
        soft_wrap=True,
    )
    if offer.cost is None:
        out.print(
            f"[yellow]The price of {escape(offer.model)} is unknown here[/], so the cost is, too: "
            "look it up before you go on.",
            soft_wrap=True,
        )
    else:
        out.print(
            f"That is about {dollars(offer.cost)} (list prices of {list_prices().edition}, nothing "
            f"cached). More function calls cost more; after {MOST_RESPONSES} responses a scenario "
            "is stopped.",
            soft_wrap=True,
        )


def bill(model: str, used: Tokens, out: Console) -> None:
    """What was really used, as the cloud has counted it."""
    cached = f" ({used.cached:,} of them cached)"
    out.print(
        f"Used: {used.input:,} tokens in{cached}, {used.output:,} out: "
        f"{dollars(_cost(model, used))}.",
        soft_wrap=True,
    )


def _cost(model: str, tokens: Tokens) -> float | None:
    price = list_prices().of(model)
    return None if price is None else price.of_tokens(tokens)


def total(tokens: Sequence[Tokens]) -> Tokens:
    """All of them together."""
    return sum(tokens, start=Tokens())
