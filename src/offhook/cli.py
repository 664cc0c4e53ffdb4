"""The `offhook` command."""

from __future__ import annotations

import asyncio
import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from offhook import cli_admin, cli_audit, cli_drain, cli_privacy, cli_records
from offhook._version import __version__
from offhook.errors import SettingsError, UserError

app = typer.Typer(
    help="Answers phone calls with Azure OpenAI or OpenAI Realtime over SIP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
errors = Console(stderr=True, highlight=False)

BAD_SETTINGS = 2


class CloudName(StrEnum):
    """The clouds that the simulator can be."""

    OPENAI = "openai"
    AZURE = "azure"


# Options that several commands have.
_SPEED = typer.Option(help="How much faster than in life people speak.", min=0.1)
Speed = Annotated[float, _SPEED]
MaybeSpeed = Annotated[float | None, _SPEED]
BotName = Annotated[
    str | None, typer.Option(help="module:bot or file.py:bot; else the bundled shop.")
]
Url = Annotated[str | None, typer.Option(help="The webhook of a server that already runs.")]
Secret = Annotated[
    str | None,
    typer.Option(help="That server's webhook secret.", envvar="OPENAI_WEBHOOK_SECRET"),
]
Profile = Annotated[CloudName, typer.Option(help="Which cloud to be.")]
Real = Annotated[
    bool, typer.Option("--real", help="Ask the real model of the settings, in text. Costs money.")
]
Yes = Annotated[bool, typer.Option("--yes", help="With --real: agree to the cost beforehand.")]
EnvFile = Annotated[Path, typer.Option(help="Where the settings are.")]
CloudPort = Annotated[int | None, typer.Option(help="The port of the simulated cloud.")]


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command()
def demo(
    speed: Speed = 4.0,
) -> None:
    """Play three phone calls on this machine, without a key, a network or an account."""
    from offhook.demo import run

    sys.exit(asyncio.run(run(speed)))


@app.command()
def serve(
    bot: Annotated[
        str | None,
        typer.Argument(help="module:bot or file.py:bot; without it the bundled shop answers."),
    ] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Restart on changed files, between calls.")
    ] = False,
    env_file: EnvFile = Path(".env"),
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


@app.command()
def simulator(
    profile: Profile = CloudName.OPENAI,
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 9000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    speed: Speed = 1.0,
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", help="A fault or a belief, such as refer=500; see docs/simulator.md"),
    ] = None,
) -> None:
    """Be the cloud: take a bot's requests, and call it when told to over HTTP."""
    from msgspec import ValidationError

    from offhook.simulator import standalone

    try:
        cloud = standalone.simulator(profile.value, host, port, speed, switches or ())
        asyncio.run(standalone.run(cloud, typer.echo))
    except ValidationError as error:
        raise UserError(f"--set: {error}.") from None
    except OSError as error:
        raise UserError(error.strerror or str(error)) from None


@app.command()
def call(
    names: Annotated[
        list[str] | None, typer.Argument(help="Scenarios: names of the catalogue, or .toml files.")
    ] = None,
    bot: BotName = None,
    url: Url = None,
    secret: Secret = None,
    speed: MaybeSpeed = None,
    profile: Profile = CloudName.OPENAI,
    port: CloudPort = None,
    talk: Annotated[bool, typer.Option("--talk", help="Be the caller yourself.")] = False,
    real: Real = False,
    yes: Yes = False,
    env_file: EnvFile = Path(".env"),
    shelf: Annotated[bool, typer.Option("--list", help="List the catalogue.")] = False,
) -> None:
    """Ring the bot as a scenario says, or by hand, and say what held."""
    from offhook import calling

    out = Console(highlight=False)
    if shelf:
        out.print(calling.shelf())
        return
    if real:
        _only_text(url, talk=talk)
        model, chosen = calling.with_the_model(bot, env_file), calling.scenarios(_named(names))
        play = partial(calling.play, _named(names), model, out)
        sys.exit(calling.paid(model, chosen, play, out, yes=yes))
    pace = speed or (1.0 if talk else 4.0)
    stage = calling.rehearsal(
        bot, url=url, secret=secret if url else None, speed=pace, profile=profile.value, port=port
    )
    if talk:
        from offhook.talk import talk as run

        sys.exit(asyncio.run(run(stage, out)))
    sys.exit(asyncio.run(calling.play(_named(names), stage, out)))


def _named(names: list[str] | None) -> list[str]:
    if not names:
        raise UserError("Which call? `offhook call --list` shows them; --talk lets you speak.")
    return names


def _only_text(url: str | None, *, talk: bool = False) -> None:
    if url is not None or talk:
        raise UserError("--real plays scenarios in text, with the bot here: no --url, no --talk.")


@app.command("test")
def play_files(
    places: Annotated[list[Path], typer.Argument(help="Folders of scenario files, or files.")],
    bot: BotName = None,
    url: Url = None,
    secret: Secret = None,
    speed: Speed = 20.0,
    profile: Profile = CloudName.OPENAI,
    port: CloudPort = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write a JUnit report to this file, too.")
    ] = None,
    real: Real = False,
    yes: Yes = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Play scenario files as tests."""
    from offhook import calling
    from offhook.suite import files, readable, run

    out, paths = Console(highlight=False), files(places)
    if real:
        _only_text(url)
        model = calling.with_the_model(bot, env_file)
        play = partial(run, paths, model, out, junit)
        sys.exit(calling.paid(model, readable(paths), play, out, yes=yes))
    stage = calling.rehearsal(
        bot, url=url, secret=secret if url else None, speed=speed, profile=profile.value, port=port
    )
    sys.exit(asyncio.run(run(paths, stage, out, junit)))


@app.command()
def chaos(
    names: Annotated[
        list[str] | None, typer.Argument(help="Scenarios; without any, the whole catalogue.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Chooses the faults; the same seed, the same faults.")
    ] = None,
    bot: BotName = None,
    speed: Speed = 20.0,
    profile: Profile = CloudName.OPENAI,
) -> None:
    """Play the catalogue under faults, and print what held."""
    import secrets

    from offhook import calling
    from offhook.chaos import run

    stage = calling.rehearsal(bot, speed=speed, profile=profile.value)
    chosen = seed if seed is not None else secrets.randbelow(10_000)
    scenarios = calling.scenarios(names or [])
    sys.exit(asyncio.run(run(scenarios, chosen, stage, Console(highlight=False))))


@app.command()
def replay(
    journal: Annotated[Path, typer.Argument(help="A file that OFFHOOK_JOURNAL=1 has written.")],
    scenario: Annotated[
        bool, typer.Option("--as-scenario", help="Print the call as a scenario file.")
    ] = False,
) -> None:
    """Step a call's journal through today's code, and show where it decides otherwise."""
    from offhook import replay as replaying

    if scenario:
        from offhook.retelling import as_scenario

        typer.echo(as_scenario(replaying.load(journal)), nl=False)
        return
    sys.exit(replaying.replay(journal, Console(highlight=False)))


app.add_typer(cli_records.calls, name="calls")
app.command()(cli_records.stats)
app.command()(cli_records.export)
app.command()(cli_drain.drain)
app.add_typer(cli_admin.token, name="token")
app.add_typer(cli_admin.webhooks, name="webhooks")

smoke = typer.Typer(help="Check a server, or the account in the cloud.", no_args_is_help=True)
app.add_typer(smoke, name="smoke")
app.add_typer(cli_privacy.privacy, name="privacy")
app.add_typer(cli_audit.audit, name="audit")


@smoke.command("webhook")
def smoke_webhook(
    url: Annotated[
        str, typer.Option(help="The webhook of the server.")
    ] = "http://127.0.0.1:8000/openai/webhook",
    secret: Annotated[
        str | None,
        typer.Option(help="The server's webhook secret.", envvar="OPENAI_WEBHOOK_SECRET"),
    ] = None,
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
    env_file: EnvFile = Path(".env"),
) -> None:
    """Check the account's access to Realtime with the real cloud. Costs a fraction of a cent."""
    from offhook.config import load
    from offhook.smoke.realtime import run

    sys.exit(asyncio.run(run(Console(highlight=False), load(env_file, serving=False))))


def main() -> None:
    """Run the command. A user's own mistake ends it with status 2 and words, not a trace."""
    try:
        app()
    except UserError as error:
        explain(error)
        sys.exit(BAD_SETTINGS)


def explain(error: UserError) -> None:
    """Say what the user can mend, and how."""
    if not isinstance(error, SettingsError):
        errors.print(f"[bold red]{escape(str(error))}[/]")
        return
    errors.print("[bold red]The settings need your attention:[/]")
    for problem in error.problems:
        errors.print(f"  [bold]{escape(problem.setting)}[/] {escape(problem.what)}")
        if problem.example:
            errors.print(f"      for example: {escape(problem.line)}", soft_wrap=True)
