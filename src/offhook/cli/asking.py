"""How commands ask the database, and print what they have found."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from offhook.config import Settings
    from offhook.store.database import Database

T = TypeVar("T")


def ask_database(ask: Callable[[Database, Settings], Awaitable[T]], env_file: Path) -> T:
    """Ask the database that the settings name. Raises `UserError` if it cannot be asked."""

    async def work() -> T:
        from offhook.reports.opening import opened

        async with opened(env_file, make=True) as records:  # a token may be there before a call
            return await ask(records.database, records.settings)

    return asyncio.run(work())


def print_json(found: list[Any]) -> None:
    """Print values as JSON, indented."""
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())


def print_table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print a table; its ids are whole, whatever the width."""
    table = Table(box=None, pad_edge=False)
    for name in columns:  # an id is there to be copied
        table.add_column(name, overflow="fold", no_wrap=name == "ID")
    for row in rows:
        table.add_row(*map(str, row))
    Console(highlight=False).print(table if rows else "None.")


def time_of(ms: int | None, otherwise: str = "never") -> str:
    """A time in UTC, to the minute."""
    return otherwise if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}Z"
