"""`offhook smoke`: check a server, or the account in the cloud."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from offhook.cli.options import CloudName, DotEnv, EnvFile, Profile, Secret

smoke = typer.Typer(help="Check a server, or the account in the cloud.", no_args_is_help=True)


@smoke.command("webhook")
def smoke_webhook(
    url: Annotated[
        str, typer.Option(help="The webhook of the server.")
    ] = "http://127.0.0.1:8000/openai/webhook",
    secret: Secret = None,
    profile: Profile = CloudName.OPENAI,
    port: Annotated[
        int, typer.Option(help="The port of the simulated cloud, which the server must know.")
    ] = 9000,
    start: Annotated[
        bool, typer.Option("--start", help="Start the server, too, with the settings it needs.")
    ] = False,
    bot: Annotated[
        str | None, typer.Option(help="With --start: module:bot or file.py:bot; else the shop.")
    ] = None,
) -> None:
    """Ring a running server once, signed, with a simulated cloud; nothing leaves this machine."""
    from offhook.smoke.webhook import run

    out = Console(highlight=False)
    work = run(out, url=url, secret=secret, profile=profile.value, port=port, start=start, bot=bot)
    sys.exit(asyncio.run(work))


@smoke.command("realtime")
def smoke_realtime(
    env_file: EnvFile = DotEnv,
) -> None:
    """Check the account's access to Realtime with the real cloud. Costs a fraction of a cent."""
    from offhook.config import load
    from offhook.smoke.realtime import run

    sys.exit(asyncio.run(run(Console(highlight=False), load(env_file, serving=False))))
