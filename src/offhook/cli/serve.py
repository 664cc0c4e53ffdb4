"""`offhook serve`: answer phone calls."""

from __future__ import annotations

from typing import Annotated

import typer

from offhook.cli.options import DotEnv, EnvFile
from offhook.cli.problems import explain
from offhook.errors import UserError


def serve(
    bot: Annotated[
        str | None,
        typer.Argument(help="module:bot or file.py:bot; without it the bundled shop answers."),
    ] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart on changed files, between calls.")
    ] = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """Answer phone calls."""
    from offhook.serving import serve as run
    from offhook.serving import wait_for_change

    try:
        again = run(bot, env_file, reload=reload)
    except UserError as error:
        if not reload:
            raise
        explain(error)  # a file that is being worked on is often broken for a moment
        wait_for_change(bot)
        again = True
    if again:
        from offhook.web.server import start_again

        start_again()
