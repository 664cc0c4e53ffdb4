"""`offhook drain`: have a process leave, from outside: its calls go to the others first."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from offhook.cli.options import DotEnv, EnvFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from offhook.runtime.vigil import Vigil
    from offhook.store.ownership import Ownership, Replica

LOOK_S = 0.2


def drain(
    replica: Annotated[
        str | None, typer.Option(help="Its id, as in the log; may be left out if there is one.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Until it has left.")] = True,
    env_file: EnvFile = DotEnv,
) -> None:
    """Have a server leave: it takes no more calls, and hands over those that it has."""

    async def work() -> None:
        from offhook.reports.opening import opened
        from offhook.runtime.vigil import Vigil
        from offhook.store.ownership import Ownership

        async with opened(env_file) as records:
            ownership = Ownership(records.database, "offhook drain")
            chosen = _chosen(await ownership.peers(), replica)
            await ownership.tell_to_leave(chosen.id)
            typer.echo(f"{chosen.id} is told to leave, with {chosen.live} calls.")
            if wait:
                vigil = Vigil(ownership.replica, records.settings.replicas.patience_s)
                await _left(ownership, chosen, vigil)

    asyncio.run(work())


def _chosen(peers: Sequence[Replica], wanted: str | None) -> Replica:
    """The one that is meant. Raises `UserError` that names those that there are."""
    from offhook.errors import UserError

    if not peers:
        raise UserError("There is no server to drain in this database.")
    ids = ", ".join(peer.id for peer in peers)
    if wanted is None and len(peers) > 1:
        raise UserError(f"Which one? There are {ids}: name it with --replica.")
    found = next((peer for peer in peers if wanted in (None, peer.id)), None)
    if found is None:
        raise UserError(f"There is no server {wanted}, only {ids}.")
    return found


async def _left(ownership: Ownership, chosen: Replica, vigil: Vigil) -> None:
    """Tell how many calls it still has, until it has none and has gone."""
    from offhook.errors import UserError

    live = chosen.live
    while True:
        peers = await ownership.peers()
        now = next((peer for peer in peers if peer.id == chosen.id), None)
        if now is None:
            typer.echo(f"{chosen.id} has left.")
            return
        if now in vigil.look(peers, time.monotonic()):
            raise UserError(f"{chosen.id} does not answer: it shows no sign of life.")
        if now.live != live:
            live = now.live
            typer.echo(f"{live} calls")
        await asyncio.sleep(LOOK_S)
