"""From a table to values: the columns that a struct names, and the struct made of each row."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import ColumnElement, FromClause, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

S = TypeVar("S", bound=Struct)


def columns(kind: type[Struct], table: FromClause) -> list[ColumnElement[Any]]:
    """The columns of the table that the struct has fields for."""
    return [table.c[name] for name in kind.__struct_fields__ if name in table.c]


async def fetch(
    connection: AsyncConnection, kind: type[S], statement: Select[Any]
) -> tuple[S, ...]:
    """Each row as a struct; its columns are named as the struct's fields."""
    result = await connection.execute(statement)
    names = tuple(result.keys())
    return tuple(kind(**dict(zip(names, row, strict=True))) for row in result)


async def of_call(
    connection: AsyncConnection, kind: type[S], table: FromClause, call_id: str, *order: str
) -> tuple[S, ...]:
    """The rows that one call has in a table, in the order of these columns."""
    statement = select(*columns(kind, table)).where(table.c.call_id == call_id)
    return await fetch(connection, kind, statement.order_by(*(table.c[name] for name in order)))
