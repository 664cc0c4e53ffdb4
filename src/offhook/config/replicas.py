"""The settings of many processes that share the calls. Each is declared here and nowhere else."""

from __future__ import annotations

from offhook.config.declare import Group, setting


class Replicas(Group):
    """Whose a call is, and what becomes of it when its process dies or leaves."""

    max_calls: int = setting(
        "OFFHOOK_MAX_CALLS",
        150,
        "How many calls this process is for; those of a dead one are spread by what is free",
        span=(1, 100_000),
    )
