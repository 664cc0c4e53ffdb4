"""`offhook chaos`: the catalogue under faults that a seed chooses, and a table of what held.

A fault may take from a scenario what can no longer be true, such as a transfer that is refused.
What is true of every good call is never taken: it ends, nothing is answered twice, no address
reaches the model, and no bug of ours ends it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from offhook.rehearsal import Played, Rehearsal
from offhook.simulator import FailsWith, Faults, Silent
from offhook.simulator.must import Must
from offhook.simulator.scenario import Scenario

SPEED = 20.0
AT_ONCE = 8
MOST = 2  # faults that one call gets
BUG = "bug"


class Twist(Struct, frozen=True):
    """One thing that goes wrong. `forgives` names what must then no longer be true."""

    name: str
    apply: Callable[[Scenario, random.Random], Scenario]
    forgives: tuple[str, ...] = ("count",)


def _cloud(**knobs: Any) -> Callable[[Scenario, random.Random], Scenario]:
    """Turn knobs of the cloud, but leave alone those that the scenario turns itself."""

    def apply(scenario: Scenario, dice: random.Random) -> Scenario:
        default = Faults()
        free = {
            name: value(dice) if callable(value) else value
            for name, value in knobs.items()
            if getattr(scenario.faults, name) == getattr(default, name)
        }
        return replace(scenario, faults=replace(scenario.faults, **free))

    return apply


def _fails(scenario: Scenario, dice: random.Random) -> Scenario:
    """One response of the model fails, or is empty."""
    code = dice.choice(("server_error", "rate_limit_exceeded"))
    acts = (FailsWith(code, to="."), *scenario.script.model)
    return replace(scenario, script=dataclasses.replace(scenario.script, model=acts))


def _falls_silent(scenario: Scenario, dice: random.Random) -> Scenario:
    acts = (*scenario.script.model, Silent(to="."))
    return replace(scenario, script=dataclasses.replace(scenario.script, model=acts))


def _slow(scenario: Scenario, dice: random.Random) -> Scenario:
    return replace(scenario, bot=replace(scenario.bot, slow_tools_s=dice.choice((0.05, 0.2, 0.5))))


WORDS = ("said", "tools", "in_order", "stuck")
OUTCOME = ("ended", "recorded_as", "transferred_to")
TWISTS = (
    Twist("webhook three times", _cloud(duplicate_webhooks=2)),
    Twist("accept busy once", _cloud(accept_status=(503,))),
    Twist("accept's answer lost", _cloud(accept_answer_lost=1)),
    Twist("sideband late", _cloud(attach_404_for_s=lambda dice: dice.uniform(1, 4))),
    Twist(
        "sideband drops",
        _cloud(drop_sideband_after=lambda dice: dice.randrange(10, 150)),
        ("count", *WORDS, *OUTCOME),
    ),
    Twist("a response fails", _fails, ("count", *WORDS, *OUTCOME)),
    Twist("a response is empty", _falls_silent, ("count", *WORDS, *OUTCOME)),
    Twist("transfer refused", _cloud(refer=500), ("count", "in_order", "stuck", *OUTCOME)),
    Twist("transfer silent", _cloud(refer="silent"), ("count", "in_order", "stuck", *OUTCOME)),
    Twist("slow tools", _slow, ("count", "in_order")),
    Twist("late transcripts", _cloud(transcription="late")),
    Twist("no transcripts", _cloud(transcription="failed")),
    Twist("responses end twice", _cloud(duplicate_response_done=True)),
    Twist("unknown events", _cloud(novelties=True)),
)


class Ordeal(Struct, frozen=True):
    """A scenario, what is done to it, and what came of it."""

    scenario: Scenario
    twists: tuple[Twist, ...]
    played: Played | None = None

    @property
    def broken(self) -> list[str]:
        """What should have held all the same."""
        played = self.played
        if played is None:
            return ["it was not played"]
        forgiven = {field for twist in self.twists for field in twist.forgives}
        bug = ["a bug of ours ended the call"] if played.recorded_as == BUG else []
        waits = "the caller waited in vain" if "stuck" in forgiven else "\0"
        return bug + [line for line in played.untrue if not line.startswith(waits)]


def ordeals(scenarios: Iterable[Scenario], seed: int) -> list[Ordeal]:
    """Each scenario with faults; the same seed chooses the same ones."""
    return [_ordeal(scenario, random.Random(f"{seed} {scenario.name}")) for scenario in scenarios]  # noqa: S311


def _ordeal(scenario: Scenario, dice: random.Random) -> Ordeal:
    twists = tuple(dice.sample(TWISTS, dice.randint(1, MOST)))
    for twist in twists:
        scenario = twist.apply(scenario, dice)
    forgiven = {field for twist in twists for field in twist.forgives}
    untouched = {f: getattr(scenario.must, f) for f in Must.__struct_fields__ if f not in forgiven}
    return Ordeal(replace(scenario, must=Must(**untouched)), twists)


async def run(scenarios: Sequence[Scenario], seed: int, stage: Rehearsal, out: Console) -> int:
    """Play them all, some at a time, and print the table. Returns 0 if all of them held."""
    out.print(f"[bold]{len(scenarios)} calls under faults, seed {seed}[/]")
    few = asyncio.Semaphore(AT_ONCE)

    async def play(ordeal: Ordeal) -> Ordeal:
        async with few:
            return replace(ordeal, played=await stage.play(ordeal.scenario))

    async with stage:
        done = await asyncio.gather(*map(play, ordeals(scenarios, seed)))
    out.print(table(done))
    held = sum(not each.broken for each in done)
    out.print(f"{held} of {len(done)} held. --seed {seed} repeats this choice of faults.")
    return 0 if held == len(done) else 1


def table(done: Iterable[Ordeal]) -> Table:
    """What was done to each call, how it ended, and whether what must hold did."""
    told = Table(box=None, pad_edge=False)
    for column in ("call", "faults", "ended", "held"):
        told.add_column(column)
    for each in done:
        broken = each.broken
        verdict = "[green]yes[/]" if not broken else f"[red]{escape('; '.join(broken))}[/]"
        end = (each.played.recorded_as if each.played else None) or "-"
        told.add_row(each.scenario.name, ", ".join(t.name for t in each.twists), end, verdict)
    return told
