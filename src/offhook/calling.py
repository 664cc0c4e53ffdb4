"""`offhook call`: play a scenario of the catalogue or of a file, and say what held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhook.errors import UserError
from offhook.loading import load_bot
from offhook.observe.logs import configure
from offhook.real import stage as real
from offhook.real.offer import accepted, bill
from offhook.rehearsal import PORT, Played, Rehearsal, Stage, settings_for
from offhook.simulator.profile import ProfileName
from offhook.simulator.scenario import Scenario, ScenarioError
from offhook.simulator.shelf import catalogue, find
from offhook.simulator.trace import Told
from offhook.simulator.written import BotSide
from offhook.story import tell


def rehearsal(
    spec: str | None = None,
    *,
    url: str | None = None,
    secret: str | None = None,
    speed: float = 4.0,
    profile: ProfileName = "openai",
    port: int | None = None,
) -> Rehearsal:
    """A stage with quiet logs; the cloud's port is fixed where a running server must find it."""
    if url is not None and spec is not None:
        raise UserError("Either a bot is started here, or --url rings one that runs; not both.")
    configure("pretty", "critical")
    bot = load_bot(spec) if spec is not None else None
    if port is None:
        port = 0 if url is None else PORT
    return Rehearsal(bot=bot, url=url, secret=secret, speed=speed, profile=profile, port=port)


def with_the_model(spec: str | None, env_file: Path) -> real.RealStage:
    """A stage with the real model of the settings. Raises `UserError` for no key."""
    settings = real.settings(env_file)
    configure("pretty", "critical")
    return real.RealStage(settings, load_bot(spec) if spec is not None else None)


def paid(
    stage: real.RealStage,
    scenarios: Sequence[Scenario],
    run: Callable[[], Coroutine[Any, Any, int]],
    out: Console,
    *,
    yes: bool,
) -> int:
    """Run something on that stage, once somebody has agreed to what it costs; then the bill.

    Returns what it returns, or 1 for a no.
    """
    if not accepted(stage.offer(scenarios), out, yes=yes):
        out.print("Nothing was asked of the cloud.")
        return 1
    try:
        return asyncio.run(run())
    finally:
        bill(stage.model, stage.used, out)


def scenario(name: str) -> Scenario:
    """The scenario of that name or file. Raises `UserError`."""
    try:
        return find(name)
    except ScenarioError as error:
        raise UserError(str(error)) from None


def scenarios(names: Sequence[str]) -> list[Scenario]:
    """The named ones; without names, the whole catalogue."""
    return [scenario(name) for name in names] or list(catalogue().values())


async def play(names: Sequence[str], stage: Stage, out: Console) -> int:
    """Play scenarios one after the other, each as a story. Returns 0 if all of them held."""
    chosen = scenarios(names)
    held = True
    async with stage:
        if isinstance(stage, Rehearsal):
            introduce(stage, out)
        for each in chosen:
            played = await one(stage, each, out)
            held &= played.held and not played.skipped
    return 0 if held else 1


async def one(stage: Stage, what: Scenario, out: Console) -> Played:
    """Play one scenario and print its story and its verdict."""

    async def watch(call: Told) -> None:
        await tell(call, what.caller_name or "Caller", stage.speed, out)

    out.print(f"\n[bold cyan]{escape(what.title)}[/] [dim]({what.name})[/]")
    if what.about:
        out.print(f"[dim]{escape(what.about)}[/]")
    if isinstance(stage, Rehearsal) and stage.url is not None and what.bot != BotSide():
        out.print(r"[yellow]What the scenario says under \[bot] cannot be done to that server.[/]")
    played = await stage.play(what, watch)
    _judge(played, out)
    return played


def _judge(played: Played, out: Console) -> None:
    if played.skipped:
        out.print(f"[yellow]Skipped[/]: {escape(played.skipped)}.", soft_wrap=True)
        return
    if played.error:
        out.print(f"[bold red]FAILED[/] {escape(played.error)}", soft_wrap=True)
    for line in played.untrue:
        out.print(f"[bold red]NOT TRUE[/] {escape(line)}", soft_wrap=True)
    if played.unchecked:
        out.print(f"[dim]Not checked: {escape('; '.join(played.unchecked))}.[/]", soft_wrap=True)
    if played.held:
        end = f", on record as {played.recorded_as}" if played.recorded_as else ""
        out.print(f"[green]Everything held[/]{end}.")


def introduce(stage: Rehearsal, out: Console) -> None:
    """Say how fast it is, and what a server must know that was started elsewhere."""
    if stage.speed != 1:
        out.print(f"People speak {stage.speed:g} times faster than in life; times are as measured.")
    if stage.url is None:
        return
    cloud = stage.cloud
    out.print(f"[bold]Ringing {escape(stage.url)}[/]; the server there must have been started with")
    for setting, value in settings_for(cloud).items():
        out.print(f"  {setting}={escape(value)}", soft_wrap=True)


def shelf() -> Table:
    """The catalogue as a table."""
    table = Table(box=None, pad_edge=False)
    table.add_column("scenario", style="bold", no_wrap=True)
    table.add_column("what happens")
    for each in catalogue().values():
        table.add_row(each.name, escape(each.title))
    return table
