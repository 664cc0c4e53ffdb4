"""Lines by dialled number, as values."""

from __future__ import annotations

from msgspec import Struct

from offhook.dialplan.hours import Hours

ANY = "*"


class Line(Struct, frozen=True, kw_only=True):
    """What holds for calls to some numbers. `None` means: as the settings say.

    `numbers` are E.164, or the beginning of some and a `*`. `bot` is `module:bot` or
    `file.py:bot`; `targets` replace the bot's own of the same name. Outside of `hours` a call is
    turned away, or transferred to the target `when_closed`. `capacity` is how many calls the
    line may have at once, `reserved` how many nobody else may take from it; `calls_per_hour` is
    for one caller. `blocked` are callers, as `numbers`.
    """

    name: str
    numbers: tuple[str, ...] = (ANY,)
    bot: str | None = None
    voice: str | None = None
    language: str | None = None
    targets: dict[str, str] = {}
    hours: Hours | None = None
    when_closed: str | None = None
    capacity: int | None = None
    reserved: int = 0
    calls_per_hour: int | None = None
    daily_minutes: float | None = None
    daily_budget: float | None = None
    max_call_minutes: float | None = None
    blocked: tuple[str, ...] = ()
    anonymous: bool | None = None


class DialPlan(Struct, frozen=True):
    """All lines."""

    lines: tuple[Line, ...] = (Line(name="default"),)


def matches(pattern: str, number: str | None) -> bool:
    """Whether a number is what a pattern stands for."""
    if pattern.endswith(ANY):
        return (number or "").startswith(pattern[:-1])
    return number == pattern
