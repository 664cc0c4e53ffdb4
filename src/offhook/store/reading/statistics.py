"""Calls in numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.core.end import Fault
from offhook.core.transfer import TransferOutcome
from offhook.store.reading.filters import EVERYTHING, Filter
from offhook.store.reading.groups import day, day_name
from offhook.store.reading.narrowing import conditions
from offhook.store.reading.values import Count, Stats
from offhook.store.schema import calls, transfers

ORDINARY = (Fault.CALLER, Fault.BOT)  # whose endings are nobody's fault


async def stats(connection: AsyncConnection, wanted: Filter = EVERYTHING) -> Stats:
    """All the calls that fit, counted. Days are those of UTC."""
    where = await conditions(connection, wanted)
    total = (await connection.execute(_totals().where(*where))).one()
    tried, through = await _transfers(connection, where)
    return Stats(
        calls=total.calls,
        live=total.live,
        answered=total.answered,
        answered_share=_share(total.answered, total.calls),
        transfers=tried,
        transferred=through,
        transfer_success=_share(through, tried),
        cut_short=total.cut_short,
        average_length_ms=None if total.average is None else float(total.average),
        longest_ms=total.longest,
        cost_usd=total.cost,
        reasons=await _counts(connection, calls.c.reason, where),
        faults=await _counts(connection, calls.c.fault, where),
        days=await _days(connection, where),
    )


def _totals() -> Any:
    c = calls.c
    return select(
        func.count().label("calls"),
        _sum(c.ended_at.is_(None)).label("live"),
        func.count(c.accepted_at).label("answered"),
        _sum(c.fault.not_in(ORDINARY)).label("cut_short"),
        func.avg(c.length_ms).label("average"),
        func.max(c.length_ms).label("longest"),
        func.sum(c.cost_usd).label("cost"),
    ).select_from(calls)


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


async def _counts(
    connection: AsyncConnection, column: ColumnElement[str], where: list[ColumnElement[bool]]
) -> tuple[Count, ...]:
    """How often each value occurs, the most frequent first."""
    statement = select(column, func.count()).where(*where).group_by(column)
    rows = (await connection.execute(statement)).all()
    return tuple(Count(v, n) for v, n in sorted(rows, key=lambda r: (-r[1], r[0] or "")))


async def _days(connection: AsyncConnection, where: list[ColumnElement[bool]]) -> tuple[Count, ...]:
    number = day(calls.c.rang_at)
    first = literal_column("1", Integer)
    statement = select(number, func.count()).where(*where).group_by(first).order_by(first)
    return tuple(Count(day_name(d), n) for d, n in await connection.execute(statement))


async def _transfers(
    connection: AsyncConnection, where: list[ColumnElement[bool]]
) -> tuple[int, int]:
    """The attempts that have ended, and those of them that worked."""
    statement = (
        select(
            func.count(transfers.c.outcome),
            _sum(transfers.c.outcome == TransferOutcome.TRANSFERRED),
        )
        .select_from(transfers.join(calls, calls.c.call_id == transfers.c.call_id))
        .where(*where)
    )
    tried, through = (await connection.execute(statement)).one()
    return tried, through


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
