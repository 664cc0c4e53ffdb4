"""The settings of who may come in. Each is declared here and nowhere else."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from offhook.config.declare import Group, setting
from offhook.config.kinds import LowerCase, none_if

_PATTERN = re.compile(r"\+[1-9]\d{1,14}|(\+[1-9]\d{0,13})?\*|\d{2,8}")
_CODES = (300, 699)


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_PATTERN.fullmatch(each) for each in patterns):
        raise ValueError
    return patterns


Patterns = Annotated[tuple[str, ...], AfterValidator(_patterns), BeforeValidator(_split)]


class Admission(Group):
    """Who may come in, and what callers' networks are told about those who may not."""

    lines: str | None = setting(
        "OFFHOOK_LINES",
        None,
        "The TOML file of lines: bot, voice, hours, limits and more by dialled number",
        accepts="the path of a file",
        example="lines.toml",
        unset="one line, which takes every number",
    )
    calls_per_hour: int | None = setting(
        "OFFHOOK_CALLS_PER_HOUR",
        None,
        "How many calls of one number are let in per hour and line",
        span=(1, 100_000),
        example="20",
        unset="no limit, since a whole company may call from one number",
    )
    blocked: Patterns = setting(
        "OFFHOOK_BLOCKED",
        (),
        "Callers who are turned away: numbers, or the beginning of some and a `*`",
        accepts="numbers such as +493023125077 or +4930*, separated by commas",
        example="+493023125077,+49900*",
        unset="nobody",
    )
    anonymous: Annotated[Literal["accept", "reject"], LowerCase] = setting(
        "OFFHOOK_ANONYMOUS", "accept", "What becomes of callers who withhold their number"
    )
    daily_minutes: Annotated[float | None, none_if("off")] = setting(
        "OFFHOOK_DAILY_MINUTES",
        None,
        "Minutes that calls may last in a day, all of them and all replicas together; then new "
        "calls are refused, and those that are live go on",
        span=(1, 900_000),
        unit="min",
        example="3000",
        unset="no limit",
    )
    outage_policy: Annotated[Literal["reject", "transfer"], LowerCase] = setting(
        "OFFHOOK_OUTAGE_POLICY",
        "reject",
        "In outage mode: reject calls, so that the trunk goes on to people, or accept each and "
        "transfer it to the first target at once",
    )
    outage_failures: int = setting(
        "OFFHOOK_OUTAGE_FAILURES",
        10,
        "So many failures of the cloud within `OFFHOOK_OUTAGE_WINDOW_S`, if they are at least half "
        "of what was tried, begin outage mode; 0 = never",
        span=(0, 10_000),
    )
    outage_window_s: float = setting(
        "OFFHOOK_OUTAGE_WINDOW_S",
        60.0,
        "How far back failures of the cloud are counted",
        span=(1, 3600),
        unit="s",
    )
    outage_rest_s: float = setting(
        "OFFHOOK_OUTAGE_REST_S",
        30.0,
        "How long outage mode lasts before one call tries whether the cloud is back; doubled, up "
        "to ten minutes, each time it is not",
        span=(1, 600),
        unit="s",
    )
    no_line_code: int = setting(
        "OFFHOOK_NO_LINE_CODE",
        404,
        "The SIP status for a number that no line answers: it does not exist here",
        span=_CODES,
    )
    outage_code: int = setting(
        "OFFHOOK_OUTAGE_CODE",
        503,
        "The SIP status in outage mode: most carriers go on to the next target, to people",
        span=_CODES,
    )
    capacity_code: int = setting(
        "OFFHOOK_CAPACITY_CODE",
        503,
        "The SIP status without room for the call: most carriers go on to the next target",
        span=_CODES,
    )
    rate_code: int = setting(
        "OFFHOOK_RATE_CODE",
        486,
        "The SIP status of a caller who calls too often: busy, so nobody else is tried",
        span=_CODES,
    )
    blocked_code: int = setting(
        "OFFHOOK_BLOCKED_CODE",
        603,
        "The SIP status of a blocked caller: declined everywhere, so nobody else is tried",
        span=_CODES,
    )
    anonymous_code: int = setting(
        "OFFHOOK_ANONYMOUS_CODE",
        433,
        "The SIP status of a caller without a number: anonymity disallowed (RFC 5079)",
        span=_CODES,
    )
    closed_code: int = setting(
        "OFFHOOK_CLOSED_CODE",
        480,
        "The SIP status out of hours: temporarily unavailable; many carriers go to voicemail",
        span=_CODES,
    )
