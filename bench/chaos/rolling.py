"""Run 3: every replica is replaced while callers talk."""

from __future__ import annotations

import asyncio
import signal
from time import monotonic

from msgspec import Struct

from bench.chaos.replica import Replica
from bench.chaos.stage import Stage, stage
from bench.chaos.talk import Crowd, intact
from bench.chaos.verdict import Verdict, below, p99, told

SPEED = 2.0
LEAVE_S = 20.0
GAP_MS = 500.0
TALK_S = 3.0  # before, between and after


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 200
    replicas: int = 2


QUICK = Size(calls=16)


async def run(size: Size) -> Verdict:
    """New ones come, old ones are told to leave, one after the other."""
    async with stage(SPEED) as place:
        old = await place.start(size.replicas)
        place.go()  # tools end at once
        crowd = Crowd(place)
        await crowd.call(size.calls, [replica.webhook for replica in old])
        left = [await _replaced(place, replica) for replica in old]
        await asyncio.sleep(TALK_S)
        await crowd.stop()
        gaps = [max(call.gaps, default=0.0) * 1000 for call in crowd.calls]
        demands, wrong = await intact(place, crowd.calls)
        moved = sum(len(call.attached_at) - 1 for call in crowd.calls)
        return Verdict(
            f"3. Rolling restart under {size.calls} live calls",
            f"{size.replicas} replicas, {size.calls} callers who talk all the time, every third "
            "sentence with a tool. For each replica a new one is started, then the old one gets "
            "SIGTERM.",
            (
                told("sidebands that were opened anew", f"{moved:,}"),
                below("without a sideband, the longest of each call, p99", GAP_MS, p99(gaps), "ms"),
                below("a process leaves within, the longest", LEAVE_S, max(left), "s", 1),
                *demands,
            ),
            tuple(wrong),
        )


async def _replaced(place: Stage, replica: Replica) -> float:
    """How long the old one took to leave, in seconds."""
    await asyncio.sleep(TALK_S)
    await place.start()
    replica.signal(signal.SIGTERM)
    began = monotonic()
    status = await replica.gone(LEAVE_S + 5)
    if status is None:
        return float("inf")
    if status:
        raise RuntimeError(f"{replica.name} left with {status}:\n{replica.text[-3000:]}")
    return monotonic() - began
