"""Budgets of lines and of all lines: what is spent on one counts for both."""

from __future__ import annotations

from offhook.config import load
from offhook.dialplan import DialPlan, Line
from offhook.observe.metrics import Metrics
from offhook.runtime.budget import Kind
from offhook.runtime.quotas import Quotas
from offhook.store.spending import Spent

NOON = 1_795_348_800.0


def quotas(*lines: Line, **env: str) -> Quotas:
    made = Quotas(load(None, env, serving=False), Metrics(), clock=lambda: NOON)
    made.of_lines(DialPlan(lines))
    return made


def test_without_limits_nothing_is_counted() -> None:
    assert not quotas(Line(name="a"))


def test_a_line_that_has_spent_its_own_leaves_the_others_alone() -> None:
    both = quotas(Line(name="a", daily_budget=1.0), Line(name="b"))
    both.spend(2.0, 1.0, "a")
    assert both.over(Kind.MONEY, "a") == "$2.00 of $1.00 spent today on the line"
    assert both.over(Kind.MONEY, "b") is None
    assert both.over(Kind.MINUTES, "a") is None


def test_what_all_have_spent_together_stops_all() -> None:
    both = quotas(Line(name="a"), Line(name="b"), OFFHOOK_DAILY_MINUTES="10")
    both.talked(6.0, 60.0, "a")
    both.talked(5.0, 60.0, "b")
    assert both.over(Kind.MINUTES, "a") == "11 of 10 minutes used today"


def test_the_records_tell_what_each_line_has_used() -> None:
    both = quotas(
        Line(name="a", daily_minutes=5), Line(name="b", daily_minutes=5), OFFHOOK_DAILY_BUDGET="3"
    )
    told = {"a": Spent(usd=1.0, minutes=6.0), "gone": Spent(usd=2.5, minutes=1.0)}
    both.recorded(told, both.day()[0])
    assert both.over(Kind.MINUTES, "a") is not None
    assert both.over(Kind.MINUTES, "b") is None
    assert both.over(Kind.MONEY, "b") == "$3.50 of $3.00 spent today"


def test_after_a_reload_what_was_spent_is_still_known() -> None:
    one = quotas(Line(name="a", daily_budget=5.0))
    one.spend(4.0, 1.0, "a")
    one.of_lines(DialPlan((Line(name="a", daily_budget=5.0),)))
    assert one.over(Kind.MONEY, "a") is None
    one.of_lines(DialPlan((Line(name="a", daily_budget=3.0),)))
    assert one.over(Kind.MONEY, "a") is not None
    one.of_lines(DialPlan((Line(name="a"),)))
    assert not one
