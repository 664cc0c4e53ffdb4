"""Run 6: who believes to own a call and does not, must not act: crashes of the database, a clock
that jumps, a process that sleeps."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from msgspec import Struct

from bench.chaos.replica import Replica
from bench.chaos.stage import stage
from bench.chaos.talk import Crowd, intact
from bench.chaos.verdict import Demand, Verdict, exactly, none, told

SPEED = 4.0
HOUR = "3600"
FAKETIME = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
SETTLE_S = 4.0
UNHEARD = ("exactly once", "utterance")  # what only the sleeper was told, nobody else can know


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 90
    crashes: int = 3
    asleep_s: float = 10.0


QUICK = Size(calls=12, crashes=1, asleep_s=4.0)


class Clock:
    """The wall clock of one process, moved by libfaketime. Its other clocks go on as they are."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.env = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set("0")

    def set(self, offset: str) -> None:
        """So many seconds off, from now on; `+` or `-` first."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset if offset[0] in '+-' else '+' + offset}\n")
        fresh.replace(self._file)


def faketime() -> Path | None:
    """The library, where it is: Debian's package, or what OFFHOOK_CHAOS_FAKETIME names."""
    named = os.environ.get("OFFHOOK_CHAOS_FAKETIME")
    found = [Path(named)] if named else [p for g in FAKETIME for p in Path("/").glob(g[1:])]
    return next((p for p in found if p.exists()), None)


async def run(size: Size) -> Verdict:
    """Everything one after the other, while callers talk."""
    async with stage(SPEED) as place:
        library = faketime()
        clock = Clock(library, place.folder / "offset") if library else None
        sleeper, *_ = await place.start(2)
        await place.start(1, **(clock.env if clock else {}))
        place.go()
        crowd = Crowd(place)
        await crowd.call(size.calls, [r.webhook for r in place.replicas])
        for _ in range(size.crashes):
            await asyncio.to_thread(place.database.stop)
            await asyncio.sleep(1)
            await asyncio.to_thread(place.database.start)
            await asyncio.sleep(SETTLE_S)
        moved_by_crashes = _moved(crowd)
        if clock is not None:
            for offset in (f"+{HOUR}", f"-{HOUR}", "+0"):
                clock.set(offset)
                await asyncio.sleep(SETTLE_S)
        moved_by_steps = _moved(crowd) - moved_by_crashes
        await _sleeps(sleeper, size.asleep_s)
        await asyncio.sleep(SETTLE_S)
        taken = _moved(crowd) - moved_by_crashes - moved_by_steps
        await crowd.stop()
        demands, wrong = await intact(place, crowd.calls)
        had = sum(n % len(place.replicas) == 0 for n in range(size.calls))
        return Verdict(
            f"6. Crashes of PostgreSQL, clock steps, and {size.asleep_s:.0f} s of sleep",
            f"Three replicas, {size.calls} callers who talk all the time. PostgreSQL is stopped as "
            f"in a crash and started again, {size.crashes} times. The wall clock of one replica "
            f"jumps an hour ahead, two back, and to where it was. Another one, with {had} calls, "
            f"is stopped (SIGSTOP) for {size.asleep_s:.0f} s and continued. What the cloud said "
            "meanwhile, before another replica had its calls, nobody hears in time: the caller's "
            "next word, or the question whether anybody is there, brings the talk on again.",
            (
                none("calls that changed hands for a crash of the database", moved_by_crashes),
                _stepped(clock, moved_by_steps),
                exactly("calls that others took from the sleeper", had, taken),
                *_once(crowd),
                *(demand for demand in demands if not any(w in demand.what for w in UNHEARD)),
            ),
            tuple(wrong),
        )


async def _sleeps(replica: Replica, seconds: float) -> None:
    replica.signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        replica.signal(signal.SIGCONT)


def _moved(crowd: Crowd) -> int:
    return sum(len(call.attached_at) - 1 for call in crowd.calls)


def _stepped(clock: Clock | None, moved: int) -> Demand:
    if clock is None:
        return told("calls that changed hands for a clock step", "NOT TRIED: no libfaketime")
    return none("calls that changed hands for a clock step", moved)


def _once(crowd: Crowd) -> list[Demand]:
    """REST commands, as the cloud counts them."""
    accepts = sum(len(call.marks("accept")) for call in crowd.calls)
    others = sum(len(call.marks(kind)) for call in crowd.calls for kind in ("refer", "hangup"))
    return [
        exactly("accepts", len(crowd.calls), accepts),
        none("transfers and hang-ups that nobody asked for", others),
    ]
