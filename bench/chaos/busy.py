"""Run 8: an hour of a busy line: is its last quarter as cheap as the first?"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from collections.abc import Sequence
from time import monotonic

from msgspec import Struct

from bench.chaos.cloud import Watched
from bench.chaos.replica import Replica
from bench.chaos.stage import PATIENT, Stage, stage
from bench.chaos.talk import HEARS_S, Clerk
from bench.chaos.verdict import Demand, Verdict, none, told, within
from offhook.simulator import HangsUp, Hears, Says, Script, Waits

QUARTERS = 4
TURNS = 6  # of a call
SAMPLE_S = 1.0
WARM = 2  # generations of calls come and go before anything is measured
WARM_S = 180.0  # and are waited for at most


class Size(Struct, frozen=True):
    """How much is done. Of `pause_s` simulated seconds each turn of a caller begins with one."""

    calls: int = 500
    hour_s: float = 3600.0
    speed: float = 12.0
    pause_s: float = 100.0
    flat: float = 5.0  # per cent


QUICK = Size(calls=40, hour_s=160.0, speed=8.0, pause_s=4.0, flat=60.0)


class Sample(Struct, frozen=True):
    """The line at one moment: turns so far, CPU seconds so far (ours, the cloud's), and bytes."""

    turns: int
    cpu: float
    cloud: float
    memory: float


class Quarter(Struct, frozen=True):
    """What a quarter of all turns took: CPU seconds for each, and bytes on average.

    `cloud` is the simulator's CPU for each: what a busy machine adds, it adds to both.
    """

    turns: int
    cpu: float
    cloud: float
    memory: float


async def run(size: Size) -> Verdict:
    """So many callers at once; who hangs up is followed by the next."""
    async with stage(size.speed) as place:
        (replica,) = await place.start(1, **PATIENT)
        place.go()
        line = Line(place, replica.webhook, size)
        slots = [asyncio.create_task(line.slot(n)) for n in range(size.calls)]
        await place.until(lambda: line.ended >= WARM * size.calls, WARM_S)
        ended, began = line.ended, monotonic()
        samples = await _watch(line, replica, size.hour_s / size.speed)
        took, ended = monotonic() - began, line.ended - ended
        line.open = False
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
        lost = [f"{each}: {_why(replica, each)}" for each in line.lost]
        return _verdict(size, samples, took, ended, lost, place.bugs())


async def _watch(line: Line, replica: Replica, seconds: float) -> list[Sample]:
    samples, until = [], monotonic() + seconds
    while True:
        times = os.times()
        here = times.user + times.system
        samples.append(Sample(line.turns, replica.cpu(), here, replica.memory()))
        if monotonic() >= until:
            return samples
        await asyncio.sleep(SAMPLE_S)


def quarters(samples: Sequence[Sample]) -> list[Quarter]:
    """Four stretches with as many turns in each, as far as samples allow."""
    first, last = samples[0].turns, samples[-1].turns
    marks = [first + (last - first) * n / QUARTERS for n in range(QUARTERS + 1)]
    cuts = [min(range(len(samples)), key=lambda n: abs(samples[n].turns - m)) for m in marks]
    return [_quarter(samples[begin : end + 1]) for begin, end in itertools.pairwise(cuts)]


def _quarter(samples: Sequence[Sample]) -> Quarter:
    first, last = samples[0], samples[-1]
    turns = last.turns - first.turns
    cpu, cloud = last.cpu - first.cpu, last.cloud - first.cloud
    memory = sum(sample.memory for sample in samples) / len(samples)
    return Quarter(turns, cpu / max(turns, 1), cloud / max(turns, 1), memory)


def _verdict(
    size: Size, samples: list[Sample], took: float, ended: int, lost: list[str], bugs: list[str]
) -> Verdict:
    first, *_, last = quarters(samples)
    busy = [(getattr(samples[-1], n) - getattr(samples[0], n)) / took for n in ("cpu", "cloud")]
    return Verdict(
        f"8. {size.hour_s / 60:.0f} minutes of a busy line, {size.calls} calls at once",
        f"{size.speed:.0f} simulated seconds pass in a real one: {took:.0f} s in all, from when "
        f"{WARM} calls in each place have come and gone. A call has {TURNS} turns, and each begins "
        f"with up to {size.pause_s:.0f} s of silence; every third takes a tool. Records are kept, "
        "logs are as in production. The quarters have as many turns each. CPU and memory (without "
        "mapped files) are those of the replica alone.",
        (
            told("turns", f"{samples[-1].turns - samples[0].turns:,}"),
            told("calls that came and went", f"{ended:,}"),
            told("load of the replica, of the simulator", "{:.0%}, {:.0%}".format(*busy)),
            *_flat(size.flat, "CPU for each turn", "{:.2f} ms", first.cpu * 1e3, last.cpu * 1e3),
            told("the same of the simulator", f"{_more(last.cloud, first.cloud):+.1f} %"),
            *_flat(size.flat, "memory", "{:.1f} MB", first.memory / 2**20, last.memory / 2**20),
            none("calls that ended otherwise than by their callers", lost),
            none("own mistakes in the logs", bugs),
        ),
        (*lost[:3], *bugs),
    )


def _flat(most: float, what: str, form: str, first: float, last: float) -> tuple[Demand, ...]:
    return (
        told(f"{what}, first quarter", form.format(first)),
        told(f"{what}, last quarter", form.format(last)),
        within(f"{what}, last against first", most, _more(last, first)),
    )


def _more(last: float, first: float) -> float:
    """In per cent."""
    return 100 * (last / max(first, 1e-9) - 1)


def _why(replica: Replica, call_id: str) -> str:
    """What the replica has logged of the end of a call."""
    for line in replica.text.splitlines():
        if call_id in line and line.startswith("{"):
            entry = json.loads(line)
            if entry["event"] in ("ended", "refused"):
                return f"{entry.get('reason')}, {entry.get('detail')}"
    return "nothing was logged"


class Line:
    """Keeps its slots busy, and counts."""

    def __init__(self, place: Stage, webhook: str, size: Size) -> None:
        self.open = True
        self.ended = 0
        self.lost: list[str] = []
        self._done = 0
        self._place = place
        self._webhook = webhook
        self._size = size
        self._live: dict[int, Watched] = {}

    @property
    def turns(self) -> int:
        """Sentences that the bot has said, in all calls."""
        return self._done + sum(len(call.marks("bot_said")) for call in self._live.values())

    async def slot(self, number: int) -> None:
        """One call after the other; the slots begin and pause at different times."""
        size, cloud, dice = self._size, self._place.cloud, random.Random(number)
        await asyncio.sleep(size.pause_s * (TURNS / 2) / size.speed * number / size.calls)
        while self.open:
            said = [
                step
                for n in range(TURNS)
                for step in (
                    Waits(dice.uniform(0, size.pause_s)),
                    Says(f"Sentence {n + 1}."),
                    Hears(timeout_s=HEARS_S),
                )
            ]
            script = Script(steps=(Hears(timeout_s=HEARS_S), *said, HangsUp()), improviser=Clerk)
            call = self._live[number] = await cloud.phone(self._webhook, script)
            await call.finished(600)
            self._done += len(call.marks("bot_said"))
            del self._live[number], cloud.calls[call.call_id]
            self.ended += 1
            if call.reason != "caller_hung_up":
                self.lost.append(call.call_id)
