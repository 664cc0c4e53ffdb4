"""The settings of what looks for dead air. Each is declared here and nowhere else."""

from __future__ import annotations

from offhook.config.declare import Group, setting


class Watchdogs(Group):
    """When something that should go on does not, and what is done about it."""

    filler_s: float = setting(
        "OFFHOOK_FILLER_S",
        4.0,
        "A tool that takes longer is excused to the caller, at most twice; 0 = never",
        span=(0, 60),
        unit="s",
    )
    catch_up: bool = setting(
        "OFFHOOK_CATCH_UP",
        True,
        "After a time without a sideband the cloud is asked what happened meanwhile, so that the "
        "caller gets an answer; it is not documented that its echoes tell that",
    )
    stall_ms: int = setting(
        "OFFHOOK_STALL_MS",
        250,
        "Code that blocks all calls for longer is named in the log; 0 = do not look",
        span=(0, 60000),
        unit="ms",
    )
