"""Reservations: what is set aside is always there, and what is not is shared."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.admission import Load
from offhook.dialplan import Line

MOST = 20
LINES = st.lists(
    st.tuples(st.integers(0, 6), st.none() | st.integers(6, 12)), min_size=1, max_size=3
)


def lines_of(shapes: list[tuple[int, int | None]]) -> list[Line]:
    return [
        Line(name=f"l{n}", numbers=(f"+{n + 1}*",), reserved=reserved, capacity=capacity)
        for n, (reserved, capacity) in enumerate(shapes)
    ]


def reserved_of(lines: list[Line]) -> dict[str, int]:
    return {line.name: line.reserved for line in lines}


class Room:
    """A room that lines fill and empty."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.live: Counter[str] = Counter()

    def full(self, line: Line) -> str | None:
        load = Load(self.live.total(), MOST, self.live, MOST)
        return load.full(line, reserved_of(self.lines))

    def ring(self, line: Line) -> bool:
        if self.full(line) is not None:
            return False
        self.live[line.name] += 1
        return True


@given(LINES, st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=120))
def test_whatever_rings_and_ends_a_line_can_have_all_that_it_has_reserved(
    shapes: list[tuple[int, int | None]], happens: list[tuple[int, bool]]
) -> None:
    lines = lines_of(shapes)
    room = Room(lines)
    for which, rings in happens:
        line = lines[which % len(lines)]
        if rings:
            room.ring(line)
        elif room.live[line.name]:
            room.live[line.name] -= 1
        assert room.live.total() <= MOST
        for other in lines:  # nobody has starved anybody
            if room.live[other.name] < other.reserved:
                assert room.full(other) is None


@given(LINES)
def test_a_line_with_reservations_takes_no_more_than_its_own_and_the_shared_room(
    shapes: list[tuple[int, int | None]],
) -> None:
    lines = lines_of(shapes)
    room = Room(lines)
    first = lines[0]
    while room.ring(first):
        pass
    shared = MOST - sum(line.reserved for line in lines)
    most = first.reserved + shared
    assert room.live[first.name] == min(most, first.capacity or most)


def test_a_line_that_is_at_its_capacity_leaves_the_others_alone() -> None:
    small, other = Line(name="small", capacity=2), Line(name="other")
    load = Load(2, 10, {"small": 2}, 10)
    assert load.full(small, {}) == "2 of 2 calls on the line"
    assert load.full(other, {}) is None


@pytest.mark.parametrize("here", [9, 10, 11])
def test_a_process_that_is_full_takes_nothing_whatever_is_reserved(here: int) -> None:
    line = Line(name="a", reserved=50)
    assert (Load(here, 10, {}, 100).full(line, {"a": 50}) is None) is (here < 10)


def test_calls_of_other_processes_count_for_what_is_shared() -> None:
    line = Line(name="a")
    assert Load(0, 10, {"a": 15}, 20).full(line, {"b": 5}) is not None
    assert Load(0, 10, {"a": 14}, 20).full(line, {"b": 5}) is None


def test_more_reservations_than_room_leave_nothing_to_share() -> None:
    assert Load(0, 10, {}, 10).full(Line(name="a"), {"b": 30}) is not None
