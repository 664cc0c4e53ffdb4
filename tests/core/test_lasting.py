"""How long a call may last: no longer than we let it, and than the cloud's session does."""

from __future__ import annotations

import pytest

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.alarms import Alarm
from offhook.core.call import Phase
from offhook.core.end import EndReason
from offhook.core.lasting import SKEW_S, SOON_S
from offhook.core.outcomes import Transfer
from offhook.core.resume import resume
from support.calls import Driven, phase

HALF_AN_HOUR = 1800.0


def long_call() -> Driven:
    """A live call in which somebody speaks, so that nobody is called silent."""
    call = Driven().live()
    call.on(on.BotStarted())
    return call


def rings(call: Driven, alarm: Alarm) -> float | None:
    """When an alarm rings, in seconds from now."""
    at = call.call.alarms.times.get(alarm)
    return None if at is None else at - call.now


def test_who_would_be_cut_off_is_warned_and_hears_a_goodbye_before() -> None:
    call = long_call()
    ends_at = call.now + HALF_AN_HOUR
    call.on(on.ExpiryTold(ends_at))
    lines, limits = call.call.rules.lines, call.call.rules.limits
    goodbye_at = ends_at - SKEW_S - limits.goodbye
    call.wait(goodbye_at - limits.wrap_up - 1 - call.now)
    assert call.told(do.Say)[1:] == []
    (warning,) = call.wait(2)
    assert isinstance(warning, do.Say)
    assert warning.order == lines.wrap_up
    call.wait(limits.wrap_up)
    goodbye = call.told(do.Say)[-1]
    assert (phase(call.call), goodbye.order) == (Phase.LEAVING, lines.time_up)
    assert goodbye.until is not None
    assert goodbye.until <= ends_at - SKEW_S + 1e-6
    call.on(on.SayEnded("goodbye", on.SayEnd.HEARD), on.HungUp())
    assert call.end == EndReason.MAX_LENGTH
    assert call.call.end is not None
    assert call.call.end.detail == "the session was about to expire"


def test_a_session_that_outlives_the_longest_call_changes_nothing() -> None:
    call = long_call()
    before = call.call.alarms
    call.on(on.ExpiryTold(call.now + 3600))
    assert call.call.alarms == before
    call.wait(55 * 60)
    call.on(on.SayEnded("goodbye", on.SayEnd.HEARD), on.HungUp())
    assert call.call.end is not None
    assert (call.call.end.reason, call.call.end.detail) == (EndReason.MAX_LENGTH, "")


@pytest.mark.parametrize("ahead", [-1_764_000_000.0, -1.0, 0.0, SOON_S - 1])
def test_an_end_that_has_gone_by_or_is_too_near_is_not_believed(ahead: float) -> None:
    call = long_call()
    before = call.call
    assert call.on(on.ExpiryTold(call.now + ahead)) == []
    assert call.call == before


def test_a_session_that_is_made_longer_is_believed() -> None:
    call = long_call()
    call.on(on.ExpiryTold(call.now + HALF_AN_HOUR))
    call.wait(60)
    call.on(on.ExpiryTold(call.now + HALF_AN_HOUR))
    assert rings(call, Alarm.MAX_LENGTH) == pytest.approx(HALF_AN_HOUR - SKEW_S - 10)


def test_who_takes_the_call_over_ends_it_in_time() -> None:
    call = long_call()
    ends_at = call.now + HALF_AN_HOUR
    call.on(on.ExpiryTold(ends_at))
    other = Driven()
    other.now = call.now + 300
    other.call, _ = resume(call.call, other.now)
    assert rings(other, Alarm.MAX_LENGTH) == pytest.approx(ends_at - other.now - SKEW_S - 10)
    assert rings(other, Alarm.WRAP_UP) == pytest.approx(ends_at - other.now - SKEW_S - 70)


def test_nobody_is_warned_while_he_is_being_transferred() -> None:
    call = long_call()
    call.on(on.ToolAsked("call_1", "handoff_human", "{}"))
    call.on(on.ToolEnded("call_1", Transfer("support")))
    call.on(on.ExpiryTold(call.now + HALF_AN_HOUR))
    assert rings(call, Alarm.WRAP_UP) is None
    assert rings(call, Alarm.MAX_LENGTH) == pytest.approx(HALF_AN_HOUR - SKEW_S - 10)
