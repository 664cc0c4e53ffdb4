"""What the simulator itself costs: one short call, and each event of a long one.

The simulator has this process to itself; the program that it rings is another process, so none of
its work is counted here. CPU is that of this process, in user and in kernel: building and posting
the webhook, the requests, every frame on a real socket, the script and the rules that play caller
and model. Time that is only waited for costs nothing.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, process_time

from msgspec import Struct

from bench.cloud import API_KEY
from bench.programs import FLOOR, OFFHOOK, Program, Running, running
from offhook.simulator import Call, HangsUp, Hears, Replies, Says, Script, Simulator
from offhook.simulator.shelf import find

CALL_MOST_S = 0.005
EVENTS_LEAST = 15_000.0

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
    """How much is done: short calls one by one, long ones all at once."""

    warm_up: int = 5
    short: int = 100
    long: int = 40


QUICK_WORK = Work(warm_up=2, short=30, long=15)


class Simulated(Struct, frozen=True):
    """What it took. Seconds of this process's CPU, but for `per_second`."""

    call_cpu: float  # for a short call
    call_frames: float
    events: int
    event_cpu: float
    per_second: float  # events that were really sent in a second of the clock

    @property
    def rate(self) -> float:
        """Events for each second of one core."""
        return 1 / self.event_cpu


async def simulated(work: Work) -> Simulated:
    """Short calls against offhook, long ones against the bench's floor, as fast as can be."""
    call_cpu, frames = await _short(work)
    events, cpu, lasted = await _long(work)
    return Simulated(call_cpu, frames, events, cpu / events, events / lasted)


async def _short(work: Work) -> tuple[float, float]:
    script = find(SHORT).script
    async with Simulator(api_key=API_KEY, speed=float("inf")) as cloud, _rung(OFFHOOK, cloud) as run:
        for _ in range(work.warm_up):
            await _hold(cloud, run, script)
        cpu = process_time()
        calls = [await _hold(cloud, run, script) for _ in range(work.short)]
        cpu = process_time() - cpu
    return cpu / work.short, sum(call.frames_sent for call in calls) / work.short


async def _long(work: Work) -> tuple[int, float, float]:
    async with Simulator(api_key=API_KEY, speed=float("inf")) as cloud, _rung(FLOOR, cloud) as run:
        await _hold(cloud, run, LONG)
        began, cpu = perf_counter(), process_time()
        calls = await asyncio.gather(*(_hold(cloud, run, LONG) for _ in range(work.long)))
        cpu, lasted = process_time() - cpu, perf_counter() - began
    return sum(call.frames_sent for call in calls), cpu, lasted


async def _hold(cloud: Simulator, run: Running, script: Script) -> Call:
    call = await cloud.ring(run.webhook, script)
    await call.finished(60)
    return call


def _rung(program: Program, cloud: Simulator):
    return running(
        program,
        {
            "OPENAI_API_KEY": API_KEY,
            "OPENAI_WEBHOOK_SECRET": cloud.webhook_secret,
            "OPENAI_BASE": f"{cloud.base_url}/v1",
            "LOG_FORMAT": "json",
            "OFFHOOK_GREETING_DELAY_MS": "0",
            "OFFHOOK_DRAIN_S": "0",
        },
    )
