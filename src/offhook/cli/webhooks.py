"""`offhook webhooks`: what others were told of calls, and what they were not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from offhook.cli.asking import ask_database, print_json, time_of
from offhook.cli.options import AsJson, DotEnv, EnvFile
from offhook.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from offhook.config import Settings
    from offhook.store.database import Database
    from offhook.store.outbox import State
    from offhook.web.admin.api.outgoing import Sending

webhooks = typer.Typer(help="See to the webhooks that we owe to others.", no_args_is_help=True)


@webhooks.command("list")
def sendings(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """List webhooks to others, the newest first."""
    _sendings(None, limit, as_json, env_file)


@webhooks.command("dead")
def dead(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """List those that nobody took, and that are not tried any more."""
    from offhook.store.outbox import State

    _sendings(State.DEAD, limit, as_json, env_file)


@webhooks.command("retry")
def retry(
    webhook_id: Annotated[str, typer.Argument(help="Its id, msg_...")],
    env_file: EnvFile = DotEnv,
) -> None:
    """Try a dead one again; the server that runs does so within seconds."""

    async def again(database: Database, _: Settings) -> bool:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.outbox import Outbox

        done = await Outbox(database).retry(webhook_id)
        if done:
            await Audit(database).note(shell_actor(), "webhook.retried", subject=webhook_id)
        return done

    if not ask_database(again, env_file):
        raise UserError(
            "There is no dead webhook with this id; `offhook webhooks dead` shows them."
        )
    typer.echo(f"{webhook_id} is tried again.")


def _sendings(state: State | None, limit: int, as_json: bool, env_file: Path) -> None:
    async def ask(database: Database, _: Settings) -> list[Any]:
        from offhook.store.outbox import Outbox
        from offhook.web.admin.api.outgoing import shown

        return [shown(each) for each in await Outbox(database).letters(state, most=limit)]

    found = ask_database(ask, env_file)
    if as_json:
        print_json(found)
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    out.print("\n".join(map(_in_lines, found)) or "None.")


def _in_lines(sending: Sending) -> str:
    """One webhook in a few lines, as an id must be whole to be copied."""
    from offhook.telephony.numbers import clean

    tries = "1 try" if sending.tries == 1 else f"{sending.tries} tries"
    call = f" of {sending.call_id}" if sending.call_id else ""
    lines = [
        f"{time_of(sending.made_at)}  {sending.state}, {tries}",
        f"  {sending.id}",
        f"  {sending.kind}{call} to {sending.host}",
    ]
    return "\n".join([*lines, *([f"  {clean(sending.error, 400)}"] if sending.error else [])])
