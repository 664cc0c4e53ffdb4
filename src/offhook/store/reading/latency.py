"""How fast: percentiles of the latencies of turns and of calls, by nearest rank.

The nearest rank of p is the smallest value that at least p per cent do not exceed. It is a value
that occurred, and both databases find the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, FromClause, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.filters import EVERYTHING, Filter
from offhook.store.reading.groups import By, group, group_name
from offhook.store.reading.narrowing import conditions
from offhook.store.reading.values import Percentiles
from offhook.store.schema import calls, deliveries, turns

Measure: TypeAlias = Literal[
    "latency",  # of a turn: from the end of the caller's speech to the first audio of the answer
    "tool",  # of a turn: the time of its tools
    "own",  # of a turn: our own share
    "ring_to_200",  # of the webhook that announced the call, until its answer
    "accept",  # from the ring on, as the next two
    "attach",
    "first_word",
]
STARTED = "started"  # the result of the delivery that began a call
MEASURES: tuple[Measure, ...] = get_args(Measure)


async def percentiles(
    connection: AsyncConnection,
    *,
    by: By | None = None,
    wanted: Filter = EVERYTHING,
    measures: Iterable[Measure] = MEASURES,
) -> tuple[Percentiles, ...]:
    """p50, p95 and p99 of each measure and group; a group in which none is known is left out."""
    where = await conditions(connection, wanted)
    found: list[Percentiles] = []
    for measure in measures:
        rows = await connection.execute(_ranked(measure, by, where))
        found += [
            Percentiles(
                measure=measure, group=group_name(by, key), count=n, p50=p50, p95=p95, p99=p99
            )
            for key, n, p50, p95, p99 in rows
        ]
    return tuple(found)


def _ranked(measure: Measure, by: By | None, where: list[ColumnElement[bool]]) -> Any:
    value, source = _measured(measure)
    key = group(by).label("key")
    inner = select(
        key,
        value.label("value"),
        func.row_number().over(partition_by=group(by), order_by=value).label("rank"),
        func.count().over(partition_by=group(by)).label("n"),
    ).select_from(source)
    ranked = inner.where(value.is_not(None), *where).subquery()

    def at(percent: int) -> ColumnElement[float]:
        rank = (ranked.c.n * percent + 99) // 100
        return func.max(case((ranked.c.rank == rank, ranked.c.value)))

    statement = select(ranked.c.key, ranked.c.n, at(50), at(95), at(99))
    return statement.group_by(ranked.c.key, ranked.c.n).order_by(ranked.c.key)


def _measured(measure: Measure) -> tuple[ColumnElement[Any], FromClause]:
    """What is measured, in milliseconds, and where it is."""
    c = calls.c
    match measure:
        case "latency" | "tool" | "own":
            of_turns = turns.join(calls, c.call_id == turns.c.call_id)
            return turns.c[f"{measure}_ms"], of_turns
        case "ring_to_200":
            first = and_(c.call_id == deliveries.c.call_id, deliveries.c.result == STARTED)
            rings = deliveries.join(calls, first)  # the cloud may deliver it again
            return deliveries.c.took_us / 1000.0, rings
        case "accept":
            return c.accepted_at - c.rang_at, calls
        case "attach":
            return c.attached_at - c.rang_at, calls
        case "first_word":
            return c.greeted_at - c.rang_at, calls
