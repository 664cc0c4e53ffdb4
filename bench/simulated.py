"""What the simulator itself costs: one short call, and each event of a long one.

The simulator has this process to itself; the program that it rings is another process, so none of
its work is counted here. CPU is that of this process, in user and in kernel: building and posting
the webhook, the requests, every frame on a real socket, the script and the rules that play caller
and model. Time that is only waited for costs nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from statistics import median
from time import perf_counter, process_time

from msgspec import Struct

from bench.cloud import API_KEY
from bench.programs import FLOOR, OFFHOOK, Program, Running, running
from bench.report import target
from bench.trial import settings
from offhook.simulator import Call, HangsUp, Hears, Replies, Says, Script, Simulator
from offhook.simulator.shelf import find

CALL_MOST_S = 0.005
EVENTS_LEAST = 15_000.0
MS, US = 1e3, 1e6

SHORT = "order-status"  # of the catalogue: a greeting, a tool, an answer, a goodbye
TALK = (
    "Your order has left our warehouse in Hamburg on Monday evening, and the parcel service says "
    "that it will be with you on Thursday between ten and twelve. "
) * 4
LONG = Script(
    steps=(Hears(), *[step for _ in range(12) for step in (Says("Go on."), Hears())], HangsUp()),
    model=(Replies(TALK, repeat=True),),
)


class Work(Struct, frozen=True):
    """How much is done: in each round short calls so many `at_once` and a few one by one; in the
    end long ones all at once."""

    warm_up: int = 5
    rounds: int = 5
    short: int = 80
    at_once: int = 16
    alone: int = 15
    long: int = 40


QUICK_WORK = Work(warm_up=2, rounds=1, short=48, long=15)


class Simulated(Struct, frozen=True):
    """What it took, in seconds of this process's CPU; medians over the rounds."""

    call_cpu: float  # of a short call while the simulator is busy
    alone_cpu: float  # of one with nothing beside it: the process wakes up cold for every step
    call_frames: float
    event_cpu: float
    per_second: float  # events that were really sent in a second of the clock

    @property
    def rate(self) -> float:
        """Events for each second of one core."""
        return 1 / self.event_cpu


async def simulated(work: Work) -> Simulated:
    """Short calls against offhook, long ones against the bench's floor, as fast as can be."""
    busy, alone, frames = await _short(work)
    event_cpu, per_second = await _long(work)
    return Simulated(busy, alone, frames, event_cpu, per_second)


async def _short(work: Work) -> tuple[float, float, float]:
    script = find(SHORT).script
    async with _cloud() as cloud, _rung(OFFHOOK, cloud) as run:
        await _hold(cloud, run, script, work.warm_up)
        alone, busy = [], []
        for _ in range(work.rounds):
            alone.append((await _hold(cloud, run, script, work.alone))[0] / work.alone)
            cpu, calls = await _hold(cloud, run, script, work.short, work.at_once)
            busy.append(cpu / work.short)
    frames = sum(call.frames_sent for call in calls) / work.short
    return median(busy), median(alone), frames


async def _long(work: Work) -> tuple[float, float]:
    async with _cloud() as cloud, _rung(FLOOR, cloud) as run:
        await _hold(cloud, run, LONG)
        began = perf_counter()
        cpu, calls = await _hold(cloud, run, LONG, work.long, work.long)
        lasted = perf_counter() - began
    events = sum(call.frames_sent for call in calls)
    return cpu / events, events / lasted


async def _hold(
    cloud: Simulator, run: Running, script: Script, number: int = 1, at_once: int = 1
) -> tuple[float, list[Call]]:
    """The CPU of all these calls, and they themselves."""
    few = asyncio.Semaphore(at_once)

    async def one() -> Call:
        async with few:
            call = await cloud.ring(run.webhook, script)
            await call.finished(60)
            return call

    before = process_time()
    calls = await asyncio.gather(*(one() for _ in range(number)))
    return process_time() - before, calls


def _cloud() -> Simulator:
    return Simulator(api_key=API_KEY, speed=float("inf"))


def _rung(program: Program, cloud: Simulator) -> AbstractAsyncContextManager[Running]:
    return running(program, settings(cloud.webhook_secret, cloud.base_url))


def text(found: Simulated, work: Work) -> str:
    """The section of the report."""
    rows = [
        (f"CPU of a call, {work.at_once} at a time, ms", f"{found.call_cpu * MS:.2f}"),
        ("CPU of a call with nothing beside it, ms", f"{found.alone_cpu * MS:.2f}"),
        ("events of such a call", f"{found.call_frames:.0f}"),
        ("CPU per event of long calls, µs", f"{found.event_cpu * US:.1f}"),
        ("events for each second of one core", f"{found.rate:.0f}"),
        ("events really sent a second", f"{found.per_second:.0f}"),
    ]
    targets = [
        target(
            found.call_cpu < CALL_MOST_S,
            f"a simulated call at full speed costs {found.call_cpu * MS:.2f} of less than "
            f"{CALL_MOST_S * MS:.0f} ms of CPU beyond the product's own",
        ),
        target(
            found.rate >= EVENTS_LEAST,
            f"the simulator drives {found.rate:.0f} of at least {EVENTS_LEAST:.0f} events a second "
            "on one core",
        ),
    ]
    title = f"The simulator at full speed: calls of {SHORT!r} against offhook, long ones the floor"
    return "\n\n".join(
        [title, "\n".join(f"{name:42}{value:>9}" for name, value in rows), "\n".join(targets)]
    )
