"""Who was stopped does nothing before the next beat; who has lost the database goes on."""

from __future__ import annotations

import asyncio

import pytest

from offhook.runtime.pulse import Away, Pulse


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    pulse = Pulse(2.0, clock)
    pulse.confirm()
    return pulse


async def alive() -> bool:
    return True


async def dead() -> bool:
    return False


async def broken() -> bool:
    raise OSError


async def test_after_most_of_the_patience_without_a_beat_everything_waits(
    pulse: Pulse, clock: Clock
) -> None:
    clock.now += 1.4
    assert not pulse.stale
    clock.now += 0.2
    assert pulse.stale
    waiting = asyncio.create_task(pulse.fresh())
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await pulse.beat(alive) is True
    await waiting


async def test_one_that_others_have_taken_for_dead_is_not_fresh(pulse: Pulse, clock: Clock) -> None:
    clock.now += 5
    assert await pulse.beat(dead) is False
    assert pulse.stale


async def test_a_beat_counts_from_when_it_was_sent(pulse: Pulse, clock: Clock) -> None:
    async def slow() -> bool:
        clock.now += 1.6  # we were stopped between the question and the answer
        return True

    assert await pulse.beat(slow) is True
    assert pulse.stale


async def test_while_the_database_is_away_everybody_goes_on(pulse: Pulse, clock: Clock) -> None:
    clock.now += 5
    assert await pulse.beat(broken) is None
    assert pulse.away
    assert not pulse.stale


async def test_one_that_was_stopped_meanwhile_cannot_say_that_the_database_was_away(
    pulse: Pulse, clock: Clock
) -> None:
    async def stopped() -> bool:
        clock.now += 10
        raise TimeoutError

    assert await pulse.beat(stopped) is None
    assert pulse.stale


async def test_any_failure_of_the_database_is_its_absence(pulse: Pulse) -> None:
    with pytest.raises(Away, match="OSError"):
        await pulse.ask(broken())


async def test_one_slow_question_is_no_absence_while_others_are_answered(
    pulse: Pulse, clock: Clock
) -> None:
    never = asyncio.Event()
    slow = asyncio.create_task(pulse.ask(never.wait(), 0.01))
    clock.now += 3
    assert await pulse.ask(alive()) is True
    with pytest.raises(Away, match="TimeoutError"):
        await slow
    assert not pulse.away


async def test_a_database_that_is_silent_for_long_is_away_until_it_answers(
    pulse: Pulse, clock: Clock
) -> None:
    never = asyncio.Event()
    for away in (False, True):
        with pytest.raises(Away):
            await pulse.ask(never.wait(), 0.01)
        assert pulse.away is away
        clock.now += 3
    assert await pulse.ask(alive()) is True
    assert not pulse.away
