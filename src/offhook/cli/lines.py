"""`offhook route` and `offhook outage`: where a call would go; to send all calls to people."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from offhook.cli.options import BotName, DotEnv, EnvFile

outage = typer.Typer(help="Send all calls to people, on all replicas.", no_args_is_help=True)


def route(
    called: Annotated[str, typer.Argument(help="The dialled number, such as +493023125000.")],
    caller: Annotated[str, typer.Argument(help="Who calls; or the word anonymous.")],
    at: Annotated[
        str | None, typer.Option(help="When, in the time of the line: 2026-12-24 19:00.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    bot: BotName = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Say what would happen to a call, and why: each rule, the line, the bot, the code."""
    from offhook import routing
    from offhook.config import load
    from offhook.loading import load_bot
    from offhook.serving import bundled

    settings = load(env_file, serving=False)
    answering = load_bot(bot) if bot else bundled(settings)
    told = asyncio.run(routing.route(settings, answering, called, caller, at=at))
    typer.echo(routing.as_json(told) if json else routing.as_text(told))


@outage.command("on")
def outage_on(
    lasting: Annotated[
        str | None, typer.Option("--for", help="How long, such as 30m; else until `off`.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for those who look at it later.")] = "",
    env_file: EnvFile = DotEnv,
) -> None:
    """Take no calls, as OFFHOOK_OUTAGE_POLICY says. Calls that are live go on."""
    from offhook.switching import switch

    typer.echo(asyncio.run(switch(env_file, on=True, lasting=lasting, reason=reason)))


@outage.command("off")
def outage_off(env_file: EnvFile = DotEnv) -> None:
    """Take calls again."""
    from offhook.switching import switch

    typer.echo(asyncio.run(switch(env_file, on=False)))


@outage.command("status")
def outage_status(env_file: EnvFile = DotEnv) -> None:
    """Say how the switch stands."""
    from offhook.switching import status

    typer.echo(asyncio.run(status(env_file)))
