"""`offhook demo`, `simulator`, `call`, `test`, `chaos` and `replay`: calls without a phone."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from offhook.cli.options import BotName, CloudName, DotEnv, EnvFile, Profile, Secret
from offhook.errors import UserError

_SPEED = typer.Option(help="How much faster than in life people speak.", min=0.1)
Speed = Annotated[float, _SPEED]
MaybeSpeed = Annotated[float | None, _SPEED]
Url = Annotated[str | None, typer.Option(help="The webhook of a server that already runs.")]
Real = Annotated[
    bool, typer.Option("--real", help="Ask the real model of the settings, in text. Costs money.")
]
Yes = Annotated[bool, typer.Option("--yes", help="With --real: agree to the cost beforehand.")]
CloudPort = Annotated[int | None, typer.Option(help="The port of the simulated cloud.")]


def demo(
    speed: Speed = 4.0,
) -> None:
    """Play three phone calls on this machine, without a key, a network or an account."""
    from offhook.demo import run

    sys.exit(asyncio.run(run(speed)))


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
    env_file: EnvFile = DotEnv,
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
    env_file: EnvFile = DotEnv,
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
