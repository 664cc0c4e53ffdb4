"""`python -m offhook.store.copying FROM TO`: all records from one database into another.

What the other has already is left as it is, so it may be in use, and copying twice does no harm.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import typer
from sqlalchemy import Table, select
from sqlalchemy.exc import DBAPIError

from offhook.store.database import Database
from offhook.store.schema import metadata

ROWS = 1000  # at a time
OWN = ("checkpoints", "leases", "replicas")  # of the processes that run now, not of the calls


async def copy(source: Database, target: Database) -> dict[str, int]:
    """Copy every table; how many rows each had. The target's tables are made if need be."""
    await source.open()
    await target.open()
    tables = [table for table in metadata.sorted_tables if table.name not in OWN]
    return {table.name: await _copy(table, source, target) for table in tables}


async def _copy(table: Table, source: Database, target: Database) -> int:
    insert = target.insert(table).on_conflict_do_nothing()
    given = [column for column in table.columns if column.computed is None]
    count = 0
    async with source.read() as connection:
        found = await connection.stream(select(*given).order_by(*table.primary_key))
        async for rows in found.mappings().partitions(ROWS):
            async with target.write() as writing:
                await writing.execute(insert, [dict(row) for row in rows])
            count += len(rows)
    return count


async def _main(source: str, target: str) -> None:
    databases = Database(source), Database(target)
    try:
        for table, count in (await copy(*databases)).items():
            typer.echo(f"{count:>10}  {table}")
    finally:
        for database in databases:
            await database.close()


def main(arguments: Sequence[str]) -> int:
    """Copy, and say how much that was. The status of the process."""
    if len(arguments) != 2:
        typer.echo(__doc__, err=True)
        return 2
    try:
        asyncio.run(_main(*arguments))
    except (DBAPIError, OSError, ValueError, KeyError) as error:
        cause = getattr(error, "orig", None) or error
        typer.echo(f"These could not be copied: {type(cause).__name__}: {cause}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
