"""The settings of many processes that share the calls. Each is declared here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal

from offhook.config.declare import Group, setting
from offhook.config.kinds import LowerCase


class Replicas(Group):
    """Whose a call is, and what becomes of it when its process dies or leaves."""

    max_calls: int = setting(
        "OFFHOOK_MAX_CALLS",
        150,
        "How many calls this process is for; those of a dead one are spread by what is free",
        span=(1, 100_000),
    )
    beat_s: float = setting(
        "OFFHOOK_BEAT_S",
        0.5,
        "How often a process shows in the database that it is alive",
        span=(0.05, 60),
        unit="s",
    )
    patience_s: float = setting(
        "OFFHOOK_PATIENCE_S",
        2.0,
        "A process whose beats stand still for so long is dead, and others take its calls; at "
        "least three beats",
        span=(0.15, 600),
        unit="s",
    )
    handover: Annotated[Literal["attach_first", "let_go_first"], LowerCase] = setting(
        "OFFHOOK_HANDOVER",
        "attach_first",
        "When calls are handed over: the new process listens before the old one lets go, or "
        "after, for a cloud that allows a call only one sideband",
    )
    drain_then: Annotated[Literal["goodbye", "transfer"], LowerCase] = setting(
        "OFFHOOK_DRAIN_THEN",
        "goodbye",
        "What becomes of calls that nobody takes and that last longer than `OFFHOOK_DRAIN_S`: a "
        "goodbye, or a transfer to the first target",
    )
