"""`python -m bench.records`: the list of a million calls in SQLite, with every filter and pair.

For each the first page, the second, and one of a year ago.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import combinations, islice
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from bench.made_records import DAY_MS, NOW, make
from offhook.store.database import Database
from offhook.store.reading import Filter, page
from offhook.store.reading.cursors import Position, encode

SAVED = Path(__file__).parent / "RECORDS.md"
CALLS = 1_000_000
MOST_MS = 50.0
TIMES = 5
WORST = 15  # pairs and triples that are printed
EVERY = 20  # triples: one of so many
LONG_AGO = encode(Position(NOW - 365 * DAY_MS, ""))

# For each filter a value that many calls have, and one that few or none have.
SINGLE: dict[str, Filter] = {
    "since a week ago": Filter(since=NOW - 7 * DAY_MS),
    "until a year ago": Filter(until=NOW - 365 * DAY_MS),
    "number, frequent": Filter(number_hashes=(f"{1:064x}",)),
    "number, once": Filter(number_hashes=(f"{7001:064x}",)),
    "reason, half of all": Filter(reason="caller_hung_up"),
    "reason, 5 %": Filter(reason="caller_left_early"),
    "reason, 100 calls": Filter(reason="bug"),
    "fault, most": Filter(fault="caller"),
    "fault, 1 %": Filter(fault="cloud"),
    "line": Filter(line="+493023125001"),
    "line, another bot's": Filter(line="+15550110"),
    "model, most": Filter(model="gpt-realtime"),
    "model, a third": Filter(model="gpt-realtime-mini"),
    "model, unknown": Filter(model="gpt-4"),
    "bot, most": Filter(bot="shop"),
    "bot, 0.1 %": Filter(bot="pilot"),
    "live": Filter(live=True),
    "ended": Filter(live=False),
    "target": Filter(target="service-team-1"),
    "a minute or longer": Filter(min_length_ms=60_000),
    "an hour or longer": Filter(min_length_ms=3_600_000),
    "2 cents or more": Filter(min_cost_usd=0.02),
    "2 dollars or more": Filter(min_cost_usd=2.0),
    "text, in all": Filter(text="hello"),
    "text, beginning of a word in all": Filter(text="assist"),
    "text, one letter": Filter(text="a"),
    "text, 1 % and more": Filter(text="bein"),
    "text, two words": Filter(text="order wur"),
    "text, an order": Filter(text="acme-01234"),
    "text, nowhere": Filter(text="zebra"),
}


class Timing(Struct, frozen=True):
    """How long one list took, in milliseconds; `cpu` is what others on the machine cannot spoil."""

    title: str
    cpu: float
    p50: float
    worst: float
    rows: int


def sets(count: int) -> Iterator[tuple[str, Filter]]:
    """Every so many filters, none two of which are about the same field."""
    for some in combinations(SINGLE, count):
        fields = [_set(SINGLE[title]) for title in some]
        joined = {name: value for each in fields for name, value in each.items()}
        if len(joined) == sum(map(len, fields)):
            yield " + ".join(some), Filter(**joined)


def _set(wanted: Filter) -> dict[str, Any]:
    fields = msgspec.structs.asdict(wanted)
    return {name: value for name, value in fields.items() if value not in (None, ())}


async def measure(database: Database, title: str, wanted: Filter, times: int = TIMES) -> Timing:
    """Ask for the first page, the one after it, and one of long ago, some times."""
    took, work, rows = [], [], 0
    async with database.read() as connection:
        for _ in range(times):
            cursor = None
            for place in range(3):
                began, busy = time.perf_counter(), time.process_time()
                found = await page(connection, wanted, cursor=cursor)
                took.append((time.perf_counter() - began) * 1000)
                work.append((time.process_time() - busy) * 1000)
                rows = max(rows, len(found.items))
                cursor = LONG_AGO if place else found.next or LONG_AGO
    return Timing(title, median(work), median(took), max(took), rows)


def table(timings: Sequence[Timing]) -> str:
    """One line for each."""
    lines = [f"{'':92}{'cpu ms':>9}{'p50 ms':>9}{'worst ms':>10}{'rows':>6}"]
    lines += [f"{t.title:92}{t.cpu:9.2f}{t.p50:9.2f}{t.worst:10.2f}{t.rows:6}" for t in timings]
    return "\n".join(lines)


async def run(file: str, count: int, times: int = TIMES) -> str:
    """Make the calls if the file is not there, measure, and tell."""
    missing = not os.path.exists(file)
    database = Database(f"sqlite:///{file}")
    await database.open()
    if missing:
        await asyncio.to_thread(make, file, count, _tell)
    try:
        timings = {
            kind: [await measure(database, *each, times) for each in some]
            for kind, some in (
                ("filters", SINGLE.items()),
                ("pairs", sets(2)),
                ("triples", islice(sets(3), 0, None, EVERY)),
            )
        }
    finally:
        await database.close()
    return report(timings, count, os.stat(file).st_size)


def report(timings: Mapping[str, Sequence[Timing]], count: int, size: int) -> str:
    """All filters, the slowest of their sets, and whether it is fast enough."""
    parts = [
        f"{count:,} calls in SQLite, {size / 2**30:.1f} GB; pages of 50: "
        "the first, the second, and one of a year before",
        table(timings["filters"]),
    ]
    for kind in ("pairs", "triples"):
        slowest = sorted(timings[kind], key=lambda t: -t.p50)[:WORST]
        parts += [f"The slowest of {len(timings[kind])} {kind}", table(slowest)]
    for kind, some in timings.items():
        fast = sum(t.p50 < MOST_MS for t in some)
        verdict = "reached    " if fast == len(some) else "NOT REACHED"
        parts.append(f"{verdict}  {fast} of {len(some)} {kind}: less than {MOST_MS:.0f} ms (p50)")
    return "\n\n".join(parts)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.records", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--file", type=Path, help="made if it is missing, and kept")
    parser.add_argument("--save", action="store_true", help=f"write {SAVED.name}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="offhook-bench-") as folder:
        file = options.file or Path(folder) / "records.sqlite3"
        found = asyncio.run(run(str(file), options.calls))
    text = f"{_machine()}\n\n{found}"
    print(text)
    if options.save:
        head = "# Lists of a million calls\n\nSaved by `python -m bench.records --save`.\n\n"
        SAVED.write_text(f"{head}```\n{text}\n```\n", "utf-8")


def _machine() -> str:
    day, version = datetime.now(UTC), platform.python_version()
    return (
        f"{day:%Y-%m-%d}, {os.cpu_count()} cores, Python {version}, SQLite {sqlite3.sqlite_version}"
    )


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
