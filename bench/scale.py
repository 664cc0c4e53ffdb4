"""`python -m bench.scale`: many live calls on one core, and what records and ownership add.

The same calls three times: written down nowhere, in SQLite, and in PostgreSQL with each call
leased from it. About five minutes; `--quick` for a look; `--save` into SCALE.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from msgspec import Struct

from bench.postgres import cluster
from bench.programs import OFFHOOK
from bench.report import KB, MS, RATE_SHARE, US, share, target
from bench.trial import Near, Size, near

SAVED = Path(__file__).parent / "SCALE.md"
MOST_S = 900.0

TURN_S = 8.0  # the caller speaks, the bot answers
FRAMES = 65  # of a turn, on the average of this cloud
LIVE = 2000
MEMORY_MOST = 60 * KB
TOOL_MOST_S = 0.025
OWNED_MOST = 1.3  # times the CPU per event without records and leases


class Setting(Struct, frozen=True):
    """Where the calls are written down."""

    name: str
    url: str


def size(live: int, window_s: float) -> Size:
    """So many live calls, each with a turn in eight seconds."""
    return Size(
        rounds=1,
        warm_up=5,
        rung=live,
        ring_rate=60,
        live=live,
        event_rate=live * FRAMES / TURN_S,
        ramp_s=4,
        window_s=window_s,
        idle_s=1,
    )


@contextmanager
def settings() -> Iterator[list[Setting]]:
    """The three, the databases made for them alone."""
    with TemporaryDirectory(prefix="offhook-scale-") as folder, cluster() as server:
        yield [
            Setting("no records", "off"),
            Setting("SQLite", f"sqlite:///{folder}/offhook.sqlite3"),
            Setting("PostgreSQL, leased", server.create()),
        ]


async def measure(wanted: Size) -> dict[str, Near]:
    """Each setting in turn."""
    found = {}
    with settings() as choices:
        for choice in choices:
            print(f"{wanted.live} live calls: {choice.name}", file=sys.stderr, flush=True)
            more = {
                "OFFHOOK_DATABASE_URL": choice.url,
                "OFFHOOK_MAX_CALLS": str(wanted.rung + 100),
                "OFFHOOK_LOG_LEVEL": "warning",
                # The greeting is finished when all calls are there: ringing takes half a minute,
                # and a cloud that leaves many responses unfinished begins outage mode.
                "OFFHOOK_RESPONSE_LIMIT_S": "300",
            }
            found[choice.name] = await near(OFFHOOK, wanted, more)
    return found


def text(found: dict[str, Near], wanted: Size) -> str:
    """What was measured, and whether each target was reached."""
    rows: list[tuple[str, Callable[[Near], float], int]] = [
        ("CPU per sideband event, µs", lambda n: n.event_cpu * US, 1),
        ("CPU to set a call up, ms", lambda n: n.setup_cpu * MS, 2),
        ("memory per live call, KB", lambda n: n.memory / KB, 1),
        ("events sent a second", lambda n: n.event_rate, 0),
        ("share of one processor meanwhile, %", lambda n: n.share * 100, 1),
        ("ring to greeting, p99 ms", lambda n: share(n.to_greeting, 0.99) * MS, 1),
        ("tool asked to answer sent, p50 ms", lambda n: share(n.tool, 0.5) * MS, 2),
        ("tool asked to answer sent, p99 ms", lambda n: share(n.tool, 0.99) * MS, 2),
    ]
    lines = [f"{'':36}" + "".join(f"{name:>20}" for name in found)]
    lines += [
        f"{title:36}" + "".join(f"{value(n):>20.{decimals}f}" for n in found.values())
        for title, value, decimals in rows
    ]
    return "\n".join([*lines, "", *_targets(found, wanted)])


def _targets(found: dict[str, Near], wanted: Size) -> list[str]:
    bare, owned = found["no records"], found["PostgreSQL, leased"]
    ratio = owned.event_cpu / bare.event_cpu
    lines = [
        target(
            ratio <= OWNED_MOST,
            f"CPU per event with PostgreSQL, records and leases {ratio:.2f} of at most "
            f"{OWNED_MOST} times that without",
        )
    ]
    for name, near_ in list(found.items())[1:]:
        tool, rate = share(near_.tool, 0.99), near_.event_rate
        lines += [
            target(
                tool < TOOL_MOST_S and rate > RATE_SHARE * wanted.event_rate,
                f"{name}: {wanted.live} live calls, {rate:.0f} of {wanted.event_rate:.0f} events "
                f"a second, tool answers p99 {tool * MS:.1f} of less than {TOOL_MOST_S * MS:.0f} "
                "ms",
            ),
            target(
                near_.memory <= MEMORY_MOST,
                f"{name}: memory {near_.memory / KB:.1f} of at most 60 KB a live call",
            ),
        ]
    return lines


def main() -> None:
    """Measure, print, and save if asked to. Missing a target is no failure; breaking is."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few calls, rough numbers")
    parser.add_argument("--live", type=int, default=LIVE, help="how many live calls")
    parser.add_argument("--save", action="store_true", help=f"write {SAVED.name}")
    options = parser.parse_args()
    wanted = size(100, 2) if options.quick else size(options.live, 10)
    report = f"{_about(wanted)}\n\n{text(uvloop.run(_bounded(wanted)), wanted)}"
    print(report)
    if options.save:
        SAVED.write_text(
            "# Many live calls on one core\n\nSaved by `python -m bench.scale --save`.\n\n"
            f"```\n{report}\n```\n"
        )


async def _bounded(wanted: Size) -> dict[str, Near]:
    async with asyncio.timeout(MOST_S):
        return await measure(wanted)


def _about(wanted: Size) -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {version}; "
        f"{wanted.live} live calls, a turn each {TURN_S:.0f} s; one process for offhook, one for "
        "the load, PostgreSQL beside them"
    )


if __name__ == "__main__":
    main()
