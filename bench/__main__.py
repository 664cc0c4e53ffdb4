"""`python -m bench`: about four minutes; `--quick` for a look; `--save` into RESULTS.md.

`--only programs` or `--only simulator` measures one of its two halves.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil
import uvloop

from bench import report
from bench import simulated as simulator
from bench.programs import PROGRAMS
from bench.report import Results
from bench.simulated import QUICK_WORK, Work, simulated
from bench.trial import QUICK, Size, distant, near

RESULTS = Path(__file__).parent / "RESULTS.md"
MOST_S = 600.0  # the whole run, whatever hangs


async def play(size: Size) -> Results:
    """All rounds, in turns and in alternating order, so that noise hits all alike."""
    results = Results(size, {p.name: [] for p in PROGRAMS}, {})
    for number in range(size.rounds):
        for program in PROGRAMS if number % 2 == 0 else PROGRAMS[::-1]:
            _tell(f"round {number + 1} of {size.rounds}, loopback: {program.name}")
            results.near[program.name].append(await near(program, size))
    for program in PROGRAMS:
        _tell(f"40 ms away, TLS: {program.name}")
        results.far[program.name] = await distant(program, size)
    return results


async def measure(only: str | None, size: Size, work: Work) -> list[str]:
    """The parts of the report, one after the other: they share the machine."""
    parts = []
    async with asyncio.timeout(MOST_S):
        if only != "simulator":
            parts.append(f"{_about(size)}\n\n{report.text(await play(size))}")
        if only != "programs":
            _tell("the simulator")
            parts.append(simulator.text(await simulated(work), work))
    return parts


def main() -> None:
    """Measure, print, and save if asked to. Missing a target is no failure; breaking is."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute, rough numbers")
    parser.add_argument("--save", action="store_true", help=f"write {RESULTS.name}")
    parser.add_argument("--only", choices=("programs", "simulator"), help="one half of it")
    options = parser.parse_args()
    size, work = (QUICK, QUICK_WORK) if options.quick else (Size(), Work())
    if options.save and options.only:
        parser.error("--save writes the whole report: leave --only out")
    text = "\n\n".join([_machine(), *uvloop.run(measure(options.only, size, work))])
    print(text)
    if options.save:
        RESULTS.write_text(
            f"# Results of `make bench`\n\nSaved by `python -m bench --save`.\n\n```\n{text}\n```\n"
        )


def _machine() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    memory = round(psutil.virtual_memory().total / 2**30)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, a machine with {os.cpu_count()} cores and {memory} GB, "
        f"Python {version}, uvloop; one process per program, one for the load"
    )


def _about(size: Size) -> str:
    return (
        f"{size.rounds} x {size.rung} calls set up at {size.ring_rate:.0f} a second, then "
        f"{size.live} of them live with {size.event_rate:.0f} events a second in total; "
        "medians over the rounds"
    )


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
