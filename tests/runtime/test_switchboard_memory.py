"""What the switchboard remembers, so that a call told twice is answered once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.runtime.switchboard import REMEMBER_S, Memory


def test_an_id_is_new_once() -> None:
    memory = Memory()
    assert memory.is_new("wh_1", 0.0)
    assert not memory.is_new("wh_1", 1.0)
    assert memory.is_new("wh_2", 2.0)


def test_an_id_is_known_for_a_day() -> None:
    memory = Memory()
    assert memory.is_new("wh_1", 0.0)
    assert not memory.is_new("wh_1", REMEMBER_S - 1)


def test_old_ids_are_forgotten_as_new_ones_come() -> None:
    memory = Memory()
    for number in range(100):
        memory.is_new(f"old_{number}", 0.0)
    for number in range(100):
        memory.is_new(f"new_{number}", REMEMBER_S + 1)
    assert all(memory.is_new(f"old_{number}", REMEMBER_S + 2) for number in range(100))
    assert len(memory) <= 200


def test_a_flood_cannot_fill_the_memory() -> None:
    memory = Memory(50)
    for number in range(1000):
        assert memory.is_new(f"wh_{number}", 0.0)
    assert len(memory) == 50
    assert not memory.is_new("wh_999", 0.0)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 3600)), max_size=60))
def test_within_a_day_the_first_is_new_and_no_other(told: list[tuple[str, float]]) -> None:
    memory, seen = Memory(), set()
    for key, at in sorted(told, key=lambda each: each[1]):
        assert memory.is_new(key, at) is (key not in seen)
        seen.add(key)
