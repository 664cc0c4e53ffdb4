"""What calls cost."""

from __future__ import annotations

from sqlalchemy import Integer, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from offhook.store.reading.filters import EVERYTHING, Filter
from offhook.store.reading.groups import By, group, group_name
from offhook.store.reading.narrowing import conditions
from offhook.store.reading.values import Cost
from offhook.store.schema import calls


async def costs(
    connection: AsyncConnection, *, by: By | None = None, wanted: Filter = EVERYTHING
) -> tuple[Cost, ...]:
    """The sum for each group, in the order of the groups. A call without a price adds nothing."""
    priced = func.count(calls.c.cost_usd)
    first = literal_column("1", Integer)
    statement = (
        select(group(by), func.count(), func.count() - priced, func.sum(calls.c.cost_usd))
        .select_from(calls)
        .where(*await conditions(connection, wanted))
    )
    if by is not None:
        statement = statement.group_by(first).order_by(first)
    rows = await connection.execute(statement)
    return tuple(
        Cost(group=group_name(by, key), calls=n, unpriced=unpriced, cost_usd=usd)
        for key, n, unpriced, usd in rows
        if n
    )
