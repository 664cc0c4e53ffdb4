"""Repeats are known for a day, in memory that is there from the start."""

import tracemalloc

from offhook.runtime.memory import REMEMBER_MOST, REMEMBER_S, Memory


def test_an_id_is_new_once() -> None:
    memory = Memory()
    assert memory.is_new("wh_1", 0.0)
    assert not memory.is_new("wh_1", REMEMBER_S - 1)
    assert memory.is_new("wh_2", 0.0)


def test_a_flood_does_not_fill_the_memory() -> None:
    memory = Memory(most=100)
    for n in range(1000):
        assert memory.is_new(f"wh_{n}", float(n))
    assert len(memory) == 100
    assert not any(memory.is_new(f"wh_{n}", 1000.0) for n in range(950, 1000))


def test_as_many_as_fit_are_all_known() -> None:
    memory = Memory()
    ids = [f"rtc_{n}" for n in range(REMEMBER_MOST)]
    assert all(memory.is_new(each, 0.0) for each in ids)
    assert not any(memory.is_new(each, 1.0) for each in ids)


def test_an_id_is_known_for_a_day_and_forgotten_after_two() -> None:
    memory = Memory()
    assert memory.is_new("old", 0.0)
    assert memory.is_new("late", REMEMBER_S - 1)
    assert memory.is_new("next day", REMEMBER_S + 1)
    assert not memory.is_new("late", 2 * REMEMBER_S - 2)
    assert memory.is_new("day after", 2 * REMEMBER_S + 2)
    assert memory.is_new("old", 2 * REMEMBER_S + 3)


def test_a_clock_that_starts_late_forgets_nothing() -> None:
    memory = Memory()
    assert memory.is_new("wh_1", 50 * REMEMBER_S)
    assert not memory.is_new("wh_1", 50 * REMEMBER_S + 1)


def test_what_is_remembered_takes_no_more_memory_than_was_there_before() -> None:
    memory = Memory(most=20_000)
    tracemalloc.start()
    try:
        for n in range(9_000):
            memory.is_new(f"wh_{n}", 0.0)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 9_000  # a byte each would be too much
