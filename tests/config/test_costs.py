"""Settings of what calls cost and of what may be spent."""

from __future__ import annotations

import pytest

from offhook.config import Costs, load
from offhook.errors import SettingsError


def costs(**env: str) -> Costs:
    return load(None, env, serving=False).costs


def fault(**env: str) -> str:
    with pytest.raises(SettingsError) as error:
        load(None, env, serving=False)
    (problem,) = error.value.problems
    assert problem.setting == next(iter(env))
    return problem.what


def test_nothing_is_limited_unless_asked_for() -> None:
    unset = costs()
    assert (unset.daily_budget, unset.prices, unset.priced_as) == (None, None, ())
    assert (unset.budget_code, unset.timezone) == (503, "UTC")
    assert costs(OFFHOOK_DAILY_BUDGET="off").daily_budget is None


def test_a_budget_is_in_dollars() -> None:
    assert costs(OFFHOOK_DAILY_BUDGET="49.50").daily_budget == 49.5


@pytest.mark.parametrize("budget", ["0", "-1", "lots", "1e9"])
def test_a_budget_that_lets_nobody_in_or_is_no_number_is_refused(budget: str) -> None:
    assert "from 0.01 to" in fault(OFFHOOK_DAILY_BUDGET=budget)


def test_deployments_are_given_with_their_models() -> None:
    given = costs(OFFHOOK_PRICED_AS="phone=gpt-realtime-2.1, words = gpt-realtime-whisper,")
    assert given.priced_as == (
        ("phone", "gpt-realtime-2.1"),
        ("words", "gpt-realtime-whisper"),
    )


@pytest.mark.parametrize("text", ["phone", "phone=", "=gpt", "a=b=c", "a b=c", "a=b;c=d"])
def test_what_is_no_pair_is_refused(text: str) -> None:
    assert fault(OFFHOOK_PRICED_AS=text).startswith("must be deployment=model")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_day_may_begin_in_any_time_zone(zone: str) -> None:
    assert costs(OFFHOOK_TIMEZONE=zone).timezone == zone


@pytest.mark.parametrize("zone", ["Berlin", "Europe", "../etc/passwd", "/etc/localtime", "CET+9"])
def test_a_time_zone_that_is_none_is_refused(zone: str) -> None:
    assert fault(OFFHOOK_TIMEZONE=zone).startswith("must be a time zone")
