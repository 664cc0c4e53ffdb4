"""Rules of admission are asked in order, and the first to refuse decides."""

from __future__ import annotations

from offhook.core.end import EndReason, Refused
from offhook.core.party import UNKNOWN
from offhook.runtime.admission import Admission, Ring

RING = Ring("rtc_1", UNKNOWN, "+493023125000")


class Says:
    """A rule that always says the same, and remembers whom it was asked about."""

    def __init__(self, refused: Refused | None = None) -> None:
        self.refused = refused
        self.asked: list[Ring] = []

    def check(self, ring: Ring) -> Refused | None:
        self.asked.append(ring)
        return self.refused


def test_without_rules_everybody_comes_in() -> None:
    assert Admission().check(RING) is None


def test_a_call_that_no_rule_refuses_comes_in() -> None:
    rules = Says(), Says()
    assert Admission(rules).check(RING) is None
    assert [rule.asked for rule in rules] == [[RING], [RING]]


def test_the_first_rule_that_refuses_decides_and_no_other_is_asked() -> None:
    busy = Refused(486, EndReason.OVER_BUDGET, "first")
    rules = Says(), Says(busy), Says(Refused(603, EndReason.OVER_BUDGET, "second"))
    assert Admission(rules).check(RING) is busy
    assert [len(rule.asked) for rule in rules] == [1, 1, 0]
