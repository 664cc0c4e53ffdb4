"""The breaker opens after failures, tries once after a rest, and closes when the model speaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.admission import Breaker
from offhook.admission.breaker import LONGEST_REST_S, TRIAL_S, Limits, State

LIMITS = Limits(failures=3, window=60.0, rest=30.0)


def failing(breaker: Breaker, times: int, start: float = 0.0) -> Breaker:
    for n in range(times):
        breaker = breaker.failure(start + n, "server_error")
    return breaker


def test_enough_failures_open_it_with_the_last_as_the_reason() -> None:
    breaker = failing(Breaker(LIMITS), 2)
    assert breaker.state is State.CLOSED
    breaker = breaker.failure(2.0, "rate_limit_exceeded")
    assert (breaker.state, breaker.why) == (State.OPEN, "rate_limit_exceeded")
    assert breaker.refuses(31.9)
    assert not breaker.refuses(32.0)


def test_failures_far_apart_open_nothing() -> None:
    breaker = Breaker(LIMITS)
    for n in range(50):
        breaker = breaker.failure(n * 31.0, "x")
    assert breaker.state is State.CLOSED


def test_a_busy_line_with_some_failures_goes_on() -> None:
    breaker = Breaker(LIMITS)
    for n in range(300):
        at = n / 10
        breaker = breaker.failure(at, "x") if n % 3 == 0 else breaker.spoke(at)
    assert breaker.state is State.CLOSED


def test_never_is_never() -> None:
    assert failing(Breaker(Limits(failures=0)), 1000).state is State.CLOSED


def test_after_the_rest_one_call_tries_and_others_wait_for_it() -> None:
    breaker = failing(Breaker(LIMITS), 3).admitted(40.0)
    assert breaker.state is State.HALF_OPEN
    assert breaker.refuses(40.0 + TRIAL_S - 0.1)
    assert not breaker.refuses(40.0 + TRIAL_S)


def test_a_trial_in_which_the_model_speaks_closes_it() -> None:
    breaker = failing(Breaker(LIMITS), 3).admitted(40.0)
    assert breaker.success(41.0).state is State.HALF_OPEN  # to be accepted is not enough
    assert breaker.spoke(42.0) == Breaker(LIMITS)


def test_a_trial_that_fails_makes_the_rest_twice_as_long_up_to_a_limit() -> None:
    breaker, now, rests = failing(Breaker(LIMITS), 3), 2.0, []
    for _ in range(8):
        rests.append(breaker.until - now)
        now = breaker.until
        breaker = breaker.admitted(now).failure(now, "x")
    assert rests[:4] == [30.0, 60.0, 120.0, 240.0]
    assert rests[-1] == LONGEST_REST_S


def test_live_calls_that_work_or_fail_meanwhile_change_nothing() -> None:
    opened = failing(Breaker(LIMITS), 3)
    assert opened.spoke(5.0) is opened.failure(6.0, "y") is opened.success(7.0) is opened


def test_without_failures_nothing_is_remembered() -> None:
    breaker = Breaker(LIMITS)
    assert breaker.spoke(1.0) is breaker.success(2.0) is breaker


@given(st.lists(st.tuples(st.sampled_from(["failure", "spoke", "admit"]), st.floats(0, 40))))
def test_whatever_happens_it_is_never_shut_for_good(steps: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(LIMITS), 0.0
    for what, pause in steps:
        now += pause
        match what:
            case "failure":
                breaker = breaker.failure(now, "x")
            case "spoke":
                breaker = breaker.spoke(now)
            case _ if not breaker.refuses(now):
                breaker = breaker.admitted(now)
        assert len(breaker.last) <= 2 * LIMITS.failures
        assert not breaker.refuses(now + LONGEST_REST_S)
