"""Simulated time keeps its order at any speed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from offhook.simulator.clock import Clock, Pause, Performance

SPEEDS = [50.0, 2000.0, float("inf")]


@pytest.mark.parametrize("speed", SPEEDS)
async def test_timers_run_in_the_order_of_their_times(speed: float) -> None:
    clock = Clock(speed)
    ran: list[float] = []
    over = asyncio.get_running_loop().create_future()
    for due in (3.0, 1.0, 2.0, 1.0005):
        clock.at(due, ran.append, due)
    clock.at(3.5, over.set_result, None)
    await over
    assert ran == [1.0, 1.0005, 2.0, 3.0]


@pytest.mark.parametrize("speed", SPEEDS)
async def test_within_a_timer_it_is_exactly_its_time(speed: float) -> None:
    clock = Clock(speed)
    times: list[float] = []
    over = asyncio.get_running_loop().create_future()

    def tick() -> None:
        times.append(clock.now())
        if len(times) < 4:
            clock.later(0.5, tick)
        else:
            over.set_result(None)

    clock.at(1.0, tick)
    await over
    assert times == [1.0, 1.5, 2.0, 2.5]


async def test_a_cancelled_timer_does_not_run() -> None:
    clock = Clock(float("inf"))
    ran: list[str] = []
    clock.later(1.0, ran.append, "cancelled").cancel()
    clock.later(2.0, ran.append, "kept")
    await clock.sleep(3.0)
    assert ran == ["kept"]


async def test_time_never_jumps_over_a_guard() -> None:
    clock = Clock(float("inf"))
    ran: list[str] = []
    guard = clock.guard(60.0, lambda: ran.append("guard"))
    await clock.sleep(3600.0)
    guard.cancel()
    assert ran == []


async def test_a_stopped_clock_forgets_everything() -> None:
    clock = Clock(1000.0)
    ran: list[str] = []
    clock.later(1.0, ran.append, "late")
    clock.stop()
    await Clock(1000.0).sleep(10.0)
    assert ran == []


def test_a_speed_is_above_zero() -> None:
    async def make() -> None:
        Clock(0.0)

    with pytest.raises(ValueError, match="above zero"):
        asyncio.run(make())


async def test_a_performance_waits_for_seconds_and_for_conditions() -> None:
    clock = Clock(float("inf"))
    seen: list[str] = []
    ready: list[bool] = []

    def play() -> Iterator[Pause]:
        seen.append("begin")
        yield 1.0
        seen.append("waited")
        yield lambda: bool(ready)
        seen.append("ready")

    performance = Performance(clock, play())
    performance.start()
    await clock.sleep(2.0)
    assert seen == ["begin", "waited"]
    ready.append(True)
    performance.poke()
    await clock.sleep(1.0)
    assert seen == ["begin", "waited", "ready"]
    assert performance.over
