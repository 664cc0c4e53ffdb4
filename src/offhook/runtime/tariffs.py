"""The prices that the settings name: of which models, and from which file."""

from __future__ import annotations

from pathlib import Path

from offhook.config import Settings
from offhook.errors import Problem, SettingsError
from offhook.store.prices import Prices, Tariff, prices, read, tariff

OWN = "OFFHOOK_PRICES"
ALIASES = "OFFHOOK_PRICED_AS"


def make_tariff(settings: Settings) -> Tariff:
    """What the models of these settings cost. Raises `SettingsError`.

    Azure's names are those of deployments, which only `OFFHOOK_PRICED_AS` leads to a price.
    """
    return tariff(
        _prices(settings),
        settings.cloud.model,
        settings.session.transcription_model,
        by_name=settings.endpoint.provider != "azure",
    )


def _prices(settings: Settings) -> Prices:
    costs = settings.costs
    try:
        table = prices(Path(costs.prices) if costs.prices is not None else None)
    except ValueError as error:
        raise SettingsError([Problem(OWN, str(error), "prices.toml")]) from None
    try:
        return table.with_aliases(dict(costs.priced_as))
    except ValueError as error:
        example = f"{settings.cloud.model}=gpt-realtime-2.1"
        raise SettingsError([Problem(ALIASES, str(error), example)]) from None


def unreadable(path: str) -> str | None:
    """What is wrong with a file of prices, `None` if nothing is."""
    try:
        read(Path(path))
    except ValueError as error:
        return str(error)
    return None


def advice(settings: Settings, unknown: str) -> str:
    """What to do so that the cost of this model is known."""
    if settings.endpoint.provider == "azure":
        return f"say which model the deployment is: {ALIASES}={unknown}=gpt-realtime-2.1"
    return f"name a file with its price in {OWN}"
