"""The settings of what callers are told first. Each is declared here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from offhook.config.declare import Group, setting
from offhook.config.kinds import LowerCase


class Disclosure(Group):
    """What callers are told before all else."""

    consent: Annotated[Literal["notice", "opt-out", "opt-in", "none"] | None, LowerCase] = setting(
        "OFFHOOK_CONSENT",
        None,
        "What callers are told first: `notice`: that an AI answers; `opt-out`: also that the "
        "conversation is written down, and that they may refuse; `opt-in`: they are asked; "
        "`none`: nothing. See docs/consent.md",
        example="opt-out",
        unset="as the bot says; `notice` for the bundled one",
    )
