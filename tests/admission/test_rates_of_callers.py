"""How often a number has called within the hour, whatever calls in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.admission import Rates

callers = st.sampled_from(["+15550142", "+15550166", "+15550199"])
rings = st.lists(st.tuples(callers, st.floats(0, 5000)), max_size=60)


@given(rings)
def test_the_count_is_that_of_the_calls_within_the_window(rings: list[tuple[str, float]]) -> None:
    rates = Rates(window=3600)
    now = 0.0
    rang: list[tuple[str, float]] = []
    for caller, pause in rings:
        now += pause
        expected = sum(1 for who, at in rang if who == caller and at > now - 3600)
        assert rates.count("shop", caller, now) == expected
        rates.add("shop", caller, now)
        rang.append((caller, now))


def test_each_line_counts_for_itself() -> None:
    rates = Rates()
    rates.add("shop", "+15550142", 1.0)
    assert rates.count("shop", "+15550142", 2.0) == 1
    assert rates.count("office", "+15550142", 2.0) == 0


def test_a_flood_of_numbers_is_forgotten_oldest_first() -> None:
    rates = Rates(most=100)
    for n in range(1000):
        rates.add("shop", f"+1555{n:04}", float(n))
    assert len(rates) == 100
    assert rates.count("shop", "+15550999", 1000.0) == 1
    assert rates.count("shop", "+15550000", 1000.0) == 0


def test_who_calls_again_is_remembered_longer() -> None:
    rates = Rates(most=2)
    for who, at in (("a", 1.0), ("b", 2.0), ("a", 3.0), ("c", 4.0)):
        rates.add("shop", who, at)
    assert [rates.count("shop", who, 5.0) for who in "abc"] == [2, 0, 1]


def test_what_is_over_leaves_the_memory() -> None:
    rates = Rates(window=10, most=1000)
    for n in range(500):
        rates.add("shop", f"+1555{n:04}", float(n))
    assert len(rates) <= 12
