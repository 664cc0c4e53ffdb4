"""`offhook drain`: have a process leave, from outside: its calls go to the others first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from offhook.cli.options import DotEnv, EnvFile

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 10.0  # for a server whose settings are not ours


def drain(
    replica: Annotated[
        str | None, typer.Option(help="Its id, as in the log; may be left out if there is one.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Until it has left.")] = True,
    url: Annotated[
        str | None,
        typer.Option(help="Where a server answers, such as http://host:8000; else the database."),
    ] = None,
    token: Annotated[
        str, typer.Option(help="Of the role admin, for --url.", envvar="OFFHOOK_TOKEN")
    ] = "",
    env_file: EnvFile = DotEnv,
) -> None:
    """Have a server leave: it takes no more calls, and hands over those that it has."""
    asyncio.run(_there(url, token, replica, wait) if url else _here(env_file, replica, wait))


async def _here(env_file: Path, replica: str | None, wait: bool) -> None:
    from offhook.draining import drain
    from offhook.reports.opening import opened
    from offhook.store.ownership import Ownership

    async with opened(env_file) as records:
        fleet = Ownership(records.database, "offhook drain")
        patience = records.settings.replicas.patience_s
        await drain(fleet, replica, typer.echo, wait=wait, patience=patience)


async def _there(url: str, token: str, replica: str | None, wait: bool) -> None:
    from offhook.draining import Remote, drain
    from offhook.errors import UserError

    if not token:
        raise UserError("--url needs a token of the role admin in OFFHOOK_TOKEN.")
    async with Remote(url, token) as fleet:
        await drain(fleet, replica, typer.echo, wait=wait, patience=PATIENCE_S)
