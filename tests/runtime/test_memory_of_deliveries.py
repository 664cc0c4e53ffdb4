"""Repeats are known for a day, in bounded memory."""

from offhook.runtime.switchboard import REMEMBER_S, Memory


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
    assert not memory.is_new("wh_999", 1000.0)


def test_what_is_older_than_a_day_makes_room() -> None:
    memory = Memory()
    for n in range(100):
        memory.is_new(f"wh_{n}", 0.0)
    for n in range(100):
        memory.is_new(f"new_{n}", REMEMBER_S + 1)
    assert len(memory) == 100
    assert memory.is_new("wh_5", REMEMBER_S + 2)
