"""A replica is dead when its count was seen to stand still, and for no other reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.runtime.vigil import Vigil, share
from offhook.store.ownership import Replica, State


def _replica(name: str, beats: int = 0, *, capacity: int = 10, live: int = 0) -> Replica:
    return Replica(
        id=name,
        state=State.SERVING,
        beats=beats,
        capacity=capacity,
        live=live,
        version="1",
        host="h",
        began_at=0,
    )


def test_one_that_beats_is_alive() -> None:
    vigil = Vigil("a", 2.0)
    assert [vigil.look([_replica("b", n)], n * 0.5) for n in range(20)] == [[]] * 20


def test_one_that_stands_still_for_as_long_as_our_patience_is_dead() -> None:
    vigil = Vigil("a", 2.0)
    stopped = [vigil.look([_replica("b", 7)], n * 0.5) for n in range(5)]
    assert stopped == [[], [], [], [], [_replica("b", 7)]]


def test_a_single_beat_starts_our_patience_anew() -> None:
    vigil = Vigil("a", 2.0)
    for n in range(4):
        vigil.look([_replica("b", 7)], n * 0.5)
    assert vigil.look([_replica("b", 8)], 2.0) == []
    assert vigil.look([_replica("b", 8)], 2.5) == []


def test_time_in_which_we_could_not_look_does_not_count() -> None:
    vigil = Vigil("a", 2.0)
    vigil.look([_replica("b", 7)], 0.0)
    assert vigil.look([_replica("b", 7)], 30.0) == []
    assert vigil.look([_replica("b", 7)], 30.5) == []


def test_we_do_not_declare_ourselves_dead() -> None:
    vigil = Vigil("a", 2.0)
    assert [vigil.look([_replica("a", 1)], n * 0.5) for n in range(10)] == [[]] * 10


def test_a_replica_that_comes_back_under_its_name_is_new() -> None:
    vigil = Vigil("a", 2.0)
    for n in range(4):
        vigil.look([_replica("b", 7)], n * 0.5)
    vigil.look([], 2.0)
    assert vigil.look([_replica("b", 7)], 2.5) == []


@pytest.mark.parametrize(
    ("orphans", "free", "ours"),
    [(200, (100, 100), 100), (10, (30, 10), 8), (5, (0, 10), 0), (3, (0, 0), 3), (0, (5, 5), 0)],
)
def test_orphans_are_spread_by_free_capacity(
    orphans: int, free: tuple[int, int], ours: int
) -> None:
    me, other = (_replica(n, capacity=c) for n, c in zip("ab", free, strict=True))
    assert share(orphans, me, [me, other]) == ours


@given(st.integers(0, 500), st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_all_together_take_all_orphans(orphans: int, free: list[int]) -> None:
    replicas = [_replica(str(n), capacity=c) for n, c in enumerate(free)]
    assert sum(share(orphans, r, replicas) for r in replicas) >= orphans
