"""What latencies and costs are grouped by: the model, the line, or the day of the call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, null

from offhook.store.schema import calls

By: TypeAlias = Literal["model", "line", "day"]

DAY_MS = 86_400_000


def group(by: By | None) -> ColumnElement[Any]:
    """The column to group by; without one, all are one group."""
    match by:
        case None:
            return null()
        case "day":
            return day(calls.c.rang_at)
        case name:
            return calls.c[name]


def day(at: ColumnElement[int]) -> ColumnElement[int]:
    """The number of the day in UTC, from 1970 on."""
    return at // DAY_MS


def day_name(number: int) -> str:
    """The day as 2026-11-22."""
    return f"{datetime.fromtimestamp(number * DAY_MS // 1000, UTC):%Y-%m-%d}"


def group_name(by: By | None, value: Any) -> str | None:
    """The group's name; `None` for all, and for calls whose value is unknown."""
    return day_name(value) if by == "day" else value
