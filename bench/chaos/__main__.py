"""`python -m bench.chaos`: everything is done to offhook that the field does, and counted.

`--quick` takes about a minute, `--only killed` plays one run, `--save` writes docs/chaos.md.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from time import monotonic

import uvloop

from bench.chaos import RUNS
from bench.chaos.verdict import Demand, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "chaos.md"
MOST_S = 900.0  # one run, whatever hangs

HEAD = """# Chaos

What `make chaos` does to offhook, and what came of it. Each run has real `offhook serve` processes,
a throw-away PostgreSQL and the [simulator](simulator.md), all on loopback. What the cloud saw is
the judge, together with the records in the database. Times are real seconds; where a run has
simulated ones, it says so. Saved by `python -m bench.chaos --save`.
"""


async def play(name: str, run: Callable[[], Awaitable[Verdict]]) -> Verdict:
    """One run, with an end. What breaks it is a verdict, too."""
    began = monotonic()
    try:
        async with asyncio.timeout(MOST_S):
            found = await run()
    except Exception as error:
        found = Verdict(name, "", (Demand("it can be played", "yes", repr(error)[:2000], False),))
    _tell(f"{name}: {'held' if found.held else 'NOT HELD'} ({monotonic() - began:.0f} s)")
    return found


async def chaos(names: Sequence[str], *, quick: bool, save: bool = False) -> list[Verdict]:
    """The runs one after the other: they share the machine. Each is printed as it ends."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    verdicts = []
    for name in names:
        verdicts.append(await play(name, partial(RUNS[name], quick)))
        print(verdicts[-1].text(), end="\n\n\n", flush=True)
        if save:
            text = "\n\n\n".join(verdict.text() for verdict in verdicts)
            DOCUMENT.write_text(f"{HEAD}\n```\n{text}\n```\n")
    return verdicts


def main() -> int:
    """Play, print, and save if asked to. 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, about a minute")
    parser.add_argument("--only", choices=list(RUNS), action="append", help="one run, or some")
    parser.add_argument("--save", action="store_true", help=f"write docs/{DOCUMENT.name}")
    options = parser.parse_args()
    if options.save and (options.only or options.quick):
        parser.error("--save writes all runs with full numbers: leave --only and --quick out")
    try:
        names = options.only or list(RUNS)
        verdicts = uvloop.run(chaos(names, quick=options.quick, save=options.save))
    except asyncio.CancelledError:  # told to stop: everything that was started has been ended
        return 1
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
