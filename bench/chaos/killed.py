"""Run 2: a replica is killed in the middle of all its calls, while their tools are at work."""

from __future__ import annotations

import asyncio
import signal
from time import monotonic

from msgspec import Struct

from bench.chaos.cloud import Watched
from bench.chaos.stage import PATIENCE_S, PATIENT, Stage, stage
from bench.chaos.talk import HEARS_S, RATE, intact
from bench.chaos.verdict import Verdict, below, exactly, p99, told
from offhook.simulator import CallsTools, HangsUp, Hears, Replies, Says, Script

SPEED = 4.0
MOST_S = 3.0
EVENTUALLY_S = 30.0


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 200
    survivors: int = 2


QUICK = Size(calls=20)


def script(number: int) -> Script:
    """Half of the calls pay, half look something up; then there is one more turn."""
    tool = ("pays", {"amount": number}) if number % 2 else ("looks", {"number": number})
    waits = Hears("All is done.", timeout_s=HEARS_S)
    return Script(
        steps=(Hears(), Says("Go on."), waits, Says("Thanks."), Hears(), HangsUp()),
        model=(CallsTools(tool), Replies("All is done."), Replies("Goodbye.")),
    )


async def run(size: Size) -> Verdict:
    """All calls come in at one replica, whose tools never end; then it is killed."""
    async with stage(SPEED) as place:
        first, *_ = await place.start(1 + size.survivors, **PATIENT)
        calls = await at_work(place, first.webhook, size.calls)
        ran_before = len(place.ran())
        first.signal(signal.SIGKILL)
        killed_at = monotonic()
        served = await place.until(lambda: all(_served(c) for c in calls), EVENTUALLY_S)
        place.go()
        await place.until(lambda: all(c.over for c in calls), EVENTUALLY_S)
        after = [c.attached_at[1] - killed_at for c in calls if _served(c)]
        demands, wrong = await intact(place, calls)
        late = p99(after) - PATIENCE_S if served else float("nan")
        return Verdict(
            f"2. kill -9 of a replica with {size.calls} live calls, tools running",
            f"{size.calls} calls at one of {1 + size.survivors} replicas, half of them in a tool "
            "with effects, half in one without, which end only after the kill. A lease is good "
            f"for {PATIENCE_S:.0f} s from the last heartbeat.",
            (
                told("tools at work when it was killed", f"{ran_before:,}"),
                exactly("calls served again", size.calls, len(after)),
                below("served again after the lease ran out, p99", MOST_S, late, "s", 2),
                told("served again after the kill, p99", f"{p99(after):.2f} s"),
                *demands,
            ),
            tuple(wrong),
        )


async def at_work(place: Stage, webhook: str, number: int) -> list[Watched]:
    """So many calls, each in the middle of its tool."""
    calls = []
    for n in range(number):
        calls.append(await place.cloud.phone(webhook, script(n)))
        await asyncio.sleep(1 / RATE)
    if not await place.until(lambda: len(place.ran()) == number, EVENTUALLY_S):
        raise RuntimeError(f"{len(place.ran())} of {number} tools are at work")
    return calls


def _served(call: Watched) -> bool:
    return len(call.attached_at) > 1
