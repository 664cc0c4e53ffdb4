"""Each rule has its own code and reason, and the first in order that speaks decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.admission import RULES, Codes, Load, Seen, check, explain
from offhook.core.end import FAULTS, EndReason, Fault, Forward, Refused
from offhook.core.party import Party
from offhook.dialplan import Line

ANN = Party("+15550142")
LINE = Line(name="shop", blocked=("+15550166", "+4990*"), anonymous=False, calls_per_hour=3)
FULL = Load(here=150, most_here=150)

# What makes each rule speak, in the order in which they are asked.
TROUBLE: dict[str, dict[str, Any]] = {
    "no_line": {"line": None},
    "outage": {"outage": "switched on"},
    "capacity": {"load": FULL},
    "rate": {"calls": 3},
    "blocked": {"caller": Party("+4990123")},
    "anonymous": {"caller": Party()},
    "hours": {"open": False},
    "minutes": {"over_minutes": "30 of 30"},
    "money": {"over_budget": "$5 of $5"},
}
CODES = {
    "no_line": (404, EndReason.NO_LINE),
    "outage": (503, EndReason.OUTAGE),
    "capacity": (503, EndReason.OVER_CAPACITY),
    "rate": (486, EndReason.TOO_MANY_CALLS),
    "blocked": (603, EndReason.BLOCKED),
    "anonymous": (433, EndReason.ANONYMOUS),
    "hours": (480, EndReason.CLOSED),
    "minutes": (503, EndReason.OVER_MINUTES),
    "money": (503, EndReason.OVER_BUDGET),
}


def seen(*names: str, **more: Any) -> Seen:
    facts: dict[str, Any] = {"line": LINE, "caller": ANN}
    for name in names:
        facts |= TROUBLE[name]
    return Seen(**(facts | more))


def refused(what: Seen) -> Refused:
    verdict = check(what)
    assert isinstance(verdict, Refused)
    return verdict


def test_a_call_without_trouble_comes_in() -> None:
    assert check(seen()) is None
    assert all(outcome.verdict is None for outcome in explain(seen()))


def test_the_rules_are_asked_in_the_order_that_is_documented() -> None:
    assert [rule.__name__ for rule in RULES] == list(TROUBLE)


@pytest.mark.parametrize("name", TROUBLE)
def test_each_rule_has_its_own_code_and_reason(name: str) -> None:
    verdict = refused(seen(name))
    assert (verdict.code, verdict.reason) == CODES[name]
    assert verdict.why


def test_no_two_rules_share_a_reason() -> None:
    assert len({reason for _, reason in CODES.values()}) == len(RULES)


@given(st.sets(st.sampled_from([n for n in TROUBLE if n not in ("no_line", "anonymous")])))
def test_whatever_comes_together_the_first_in_order_decides(names: set[str]) -> None:
    verdict = check(seen(*names))
    if not names:
        assert verdict is None
        return
    first = next(name for name in TROUBLE if name in names)
    assert isinstance(verdict, Refused)
    assert verdict.reason == CODES[first][1]


@given(st.sets(st.sampled_from([n for n in TROUBLE if n not in ("no_line", "anonymous")])))
def test_an_explanation_shows_every_rule_that_would_speak(names: set[str]) -> None:
    spoke = {each.rule for each in explain(seen(*names)) if each.verdict is not None}
    assert spoke == names


def test_codes_are_those_that_are_set() -> None:
    codes = Codes(1, 2, 3, 4, 5, 6, 7, 8)
    found = [refused(seen(name, codes=codes)).code for name in TROUBLE]
    assert found == [1, 2, 3, 4, 5, 6, 7, 8, 8]


def test_in_an_outage_calls_go_to_people_at_once_where_that_is_wanted() -> None:
    verdict = check(seen("outage", forward="support"))
    assert verdict == Forward("support", EndReason.OUTAGE, "switched on")


def test_out_of_hours_calls_go_where_the_line_says() -> None:
    line = Line(name="shop", when_closed="night")
    assert check(seen("hours", line=line)) == Forward("night", EndReason.CLOSED, "out of hours")


def test_a_withheld_number_is_neither_counted_nor_blocked() -> None:
    line = Line(name="shop", blocked=("*",), calls_per_hour=1)
    assert check(seen("rate", line=line, caller=Party())) is None


def test_anonymous_callers_come_in_unless_the_line_says_no() -> None:
    for anonymous in (None, True):
        assert check(seen(line=Line(name="shop", anonymous=anonymous), caller=Party())) is None


def test_who_is_not_let_in_for_good_reason_needs_nobodys_attention() -> None:
    ordinary = {EndReason.TOO_MANY_CALLS, EndReason.BLOCKED, EndReason.ANONYMOUS, EndReason.CLOSED}
    assert {r for _, r in CODES.values() if FAULTS[r] is Fault.CALLER} == ordinary
