"""`python -m bench.chaos`: everything is done to offhook that the field does, and counted.

`--quick` takes about a minute, `--only killed` plays one run, `--save` puts what was played into
docs/chaos.md and leaves the rest of it as it is. `--only weather --seed 3` throws other dice.
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
from bench.chaos.document import revised
from bench.chaos.verdict import Demand, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "chaos.md"
MOST_S = 900.0  # one run, whatever hangs


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


async def chaos(
    names: Sequence[str], *, quick: bool, save: bool = False, seed: int = 0
) -> list[Verdict]:
    """The runs one after the other: they share the machine. Each is printed as it ends."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    verdicts = []
    for name in names:
        verdicts.append(await play(name, partial(RUNS[name], quick, seed)))
        print(verdicts[-1].text(), end="\n\n\n", flush=True)
        if save and verdicts[-1].done:  # one that broke has nothing to tell
            known = DOCUMENT.read_text() if DOCUMENT.exists() else ""
            DOCUMENT.write_text(revised(known, verdicts[-1:]))
    return verdicts


def main() -> int:
    """Play, print, and save if asked to. 1 if something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, about a minute")
    parser.add_argument("--only", choices=list(RUNS), action="append", help="one run, or some")
    parser.add_argument("--seed", type=int, default=0, help="other dice for the run `weather`")
    parser.add_argument("--save", action="store_true", help=f"into docs/{DOCUMENT.name}")
    options = parser.parse_args()
    if options.save and options.quick:
        parser.error("--save is for full numbers: leave --quick out")
    try:
        names = options.only or list(RUNS)
        verdicts = uvloop.run(
            chaos(names, quick=options.quick, save=options.save, seed=options.seed)
        )
    except asyncio.CancelledError:  # told to stop: everything that was started has been ended
        return 1
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
