"""The `offhook` command."""

from __future__ import annotations

import sys

import typer

from offhook._version import __version__
from offhook.cli import audit, drain, lines, play, privacy, records, serve, smoke, tokens, webhooks
from offhook.cli.problems import explain
from offhook.errors import UserError

app = typer.Typer(
    help="Answers phone calls with Azure OpenAI or OpenAI Realtime over SIP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

BAD_SETTINGS = 2


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


app.command()(play.demo)
app.command()(serve.serve)
app.command()(play.simulator)
app.command()(play.call)
app.command("test")(play.play_files)
app.command()(play.chaos)
app.command()(play.replay)
app.add_typer(records.calls, name="calls")
app.command()(records.stats)
app.command()(records.export)
app.command()(drain.drain)
app.add_typer(tokens.token, name="token")
app.add_typer(webhooks.webhooks, name="webhooks")
app.command()(lines.route)
app.add_typer(lines.outage, name="outage")
app.add_typer(smoke.smoke, name="smoke")
app.add_typer(privacy.privacy, name="privacy")
app.add_typer(audit.audit, name="audit")


def main() -> None:
    """Run the command. A user's own mistake ends it with status 2 and words, not a trace."""
    try:
        app()
    except UserError as error:
        explain(error)
        sys.exit(BAD_SETTINGS)
