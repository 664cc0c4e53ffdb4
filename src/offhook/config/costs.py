"""The settings of what calls cost, and of how much may be spent."""

from __future__ import annotations

import re
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from offhook.config.declare import Group, setting
from offhook.config.kinds import none_if

_NAMES = r"[A-Za-z0-9][\w.:/-]{0,127}"
_PAIR = re.compile(rf"({_NAMES})\s*=\s*({_NAMES})", re.ASCII)


def _pairs(value: object) -> object:
    """`a=b, c=d` as pairs."""
    if not isinstance(value, str):
        return value
    found = [_PAIR.fullmatch(part.strip()) for part in value.split(",") if part.strip()]
    if not all(found):
        raise ValueError
    return tuple(pair.groups() for pair in found if pair is not None)


def _zone(name: str) -> str:
    if name == "UTC":  # known even where the system has no table of time zones
        return name
    try:
        ZoneInfo(name)
    except (ValueError, KeyError, OSError):  # not found is a KeyError, a folder an OSError
        raise ValueError from None
    return name


Aliases = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)]
TimeZone = Annotated[str, AfterValidator(_zone)]


class Costs(Group):
    """What calls cost, and how much may be spent."""

    prices: str | None = setting(
        "OFFHOOK_PRICES",
        None,
        "A TOML file of your own prices, which go before the list prices",
        accepts="the path of a file",
        example="prices.toml",
        unset="list prices",
    )
    priced_as: Aliases = setting(
        "OFFHOOK_PRICED_AS",
        (),
        "Which models your deployments are, as their names do not tell what they cost",
        accepts="deployment=model, and more of them separated by commas",
        example="my-deployment=gpt-realtime-2.1",
        unset="on Azure, costs are unknown",
    )
    daily_budget: Annotated[float | None, none_if("off")] = setting(
        "OFFHOOK_DAILY_BUDGET",
        None,
        "US dollars that calls may cost in a day, by all replicas together: at 80 % the log warns, "
        "at 100 % new calls are refused; calls that are live go on",
        span=(0.01, 100_000),
        unit="US dollars",
        example="50",
        unset="no limit",
    )
    budget_code: int = setting(
        "OFFHOOK_BUDGET_CODE",
        503,
        "The SIP status of a call that is refused because of the budget",
        span=(300, 699),
    )
    timezone: TimeZone = setting(
        "OFFHOOK_TIMEZONE",
        "UTC",
        "The time zone whose midnight begins a day",
        accepts="a time zone such as UTC or Europe/Berlin",
        example="Europe/Berlin",
    )
