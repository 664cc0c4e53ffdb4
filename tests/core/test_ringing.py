"""From the ring to the accept: never silent, never twice."""

import pytest

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.end import End, EndReason, Refused
from offhook.core.events import Refusal
from support.calls import Driven, phase


def refused(refusal: Refusal, *, unsure: bool = False) -> on.AcceptRefused:
    return on.AcceptRefused(refusal, "http 503", unsure)


def test_a_ring_is_accepted_at_once() -> None:
    assert Driven().commands == [do.Accept(variant=0, within=2.0)]


def test_an_accepted_call_is_joined() -> None:
    driven = Driven()
    assert driven.on(on.Accepted()) == [do.Attach(within=10.0)]
    assert driven.call.phase is Phase.JOINING


def test_a_caller_who_is_gone_ends_the_call_without_a_hang_up() -> None:
    driven = Driven()
    driven.on(refused(Refusal.GONE))
    assert driven.end == "caller_left_early"
    assert not driven.told(do.HangUp)


def test_a_call_that_somebody_else_took_is_left_alone() -> None:
    driven = Driven()
    driven.on(refused(Refusal.TAKEN))
    assert driven.end == "taken_elsewhere"
    assert not driven.told(do.Reject)
    assert not driven.told(do.HangUp)


def test_a_call_taken_after_a_lost_answer_was_taken_by_ourselves() -> None:
    driven = Driven()
    driven.on(refused(Refusal.BUSY, unsure=True))
    driven.wait(0.1)
    assert driven.on(refused(Refusal.TAKEN)) == [do.Attach(within=10.0)]


def test_a_busy_cloud_is_asked_again_within_the_ring_budget() -> None:
    driven = Driven(ring=4.0)
    for _ in range(3):
        driven.on(refused(Refusal.BUSY))
        driven.wait(0.5)
    assert len(driven.told(do.Accept)) == 4
    assert driven.on(on.Accepted()) == [do.Attach(within=10.0)]


def test_a_try_never_outlasts_the_ring_budget() -> None:
    driven = Driven(ring=3.0)
    driven.now += 1.95
    driven.on(refused(Refusal.BUSY))
    [accept] = driven.wait(0.1)
    assert isinstance(accept, do.Accept)
    assert accept.within == pytest.approx(0.95)


def test_a_call_that_cannot_be_accepted_is_rejected_so_that_the_trunk_fails_over() -> None:
    driven = Driven(ring=4.0)
    driven.on(refused(Refusal.BUSY))
    driven.wait(0.1)
    assert do.Reject(503) in driven.wait(4.0)
    driven.on(on.Rejected())
    assert driven.end == "accept_failed"


def test_a_wrong_request_is_rejected_without_another_try() -> None:
    driven = Driven()
    assert driven.on(refused(Refusal.WRONG)) == [do.Reject(503)]
    driven.on(on.Rejected())
    assert driven.end == "accept_refused"


def test_a_reject_that_fails_is_followed_by_a_hang_up() -> None:
    driven = Driven()
    driven.on(refused(Refusal.WRONG))
    assert driven.on(on.RejectFailed("http 409")) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "accept_refused"


def test_a_refused_voice_is_left_out_once() -> None:
    driven = Driven()
    assert driven.on(refused(Refusal.VARIANT)) == [do.Accept(variant=1, within=2.0)]
    assert driven.on(refused(Refusal.VARIANT)) == [do.Reject(503)]


def test_a_sideband_that_is_not_there_yet_is_tried_for_ten_seconds() -> None:
    driven = Driven(attach=10.0)
    driven.on(on.Accepted())
    began = driven.now
    while phase(driven.call) is Phase.JOINING:
        driven.on(on.AttachFailed(Refusal.GONE, "http 404"))
        driven.wait(0.2)
    assert driven.now - began == pytest.approx(10.0, abs=0.3)
    assert driven.commands == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "attach_failed"


def test_a_wrong_key_at_the_sideband_is_no_reason_to_wait() -> None:
    driven = Driven()
    driven.on(on.Accepted())
    assert driven.on(on.AttachFailed(Refusal.WRONG, "http 401")) == [do.HangUp()]


def test_the_greeting_waits_for_the_media_but_not_for_session_created() -> None:
    driven = Driven(greeting_delay=0.2)
    driven.on(on.Accepted())
    assert driven.on(on.Attached()) == []
    [say] = driven.wait(0.2)
    assert isinstance(say, do.Say)
    assert say.ref == "greeting"


def test_without_a_delay_the_greeting_goes_out_with_the_open_socket() -> None:
    driven = Driven(greeting_delay=0.0)
    driven.on(on.Accepted())
    assert [type(c) for c in driven.on(on.Attached())] == [do.Say]


def test_a_call_that_rings_while_we_leave_is_rejected() -> None:
    assert Driven().on(on.ShutDown()) == [do.Reject(503)]


def test_a_call_that_is_gone_when_it_cannot_be_joined_was_hung_up_by_its_caller() -> None:
    driven = Driven(attach=10.0)
    driven.on(on.Accepted())
    for _ in range(4):
        driven.on(on.AttachFailed(Refusal.GONE, "http 404"))
        driven.wait(2.5)
    assert driven.told(do.HangUp)
    driven.on(on.HungUp(gone=True))
    assert driven.end == "caller_hung_up"


def test_a_call_that_was_there_and_could_not_be_joined_is_the_cloud_s_fault() -> None:
    driven = Driven(attach=10.0)
    driven.on(on.Accepted())
    driven.wait(10.0)
    driven.on(on.HungUp())
    assert driven.end == "attach_failed"


def test_a_call_that_is_refused_is_turned_away_with_its_own_code_and_never_accepted() -> None:
    driven = Driven(verdict=Refused(480, EndReason.OVER_BUDGET, "all of it"))
    assert driven.all == [do.Reject(480)]
    assert driven.call.phase is Phase.REJECTING
    driven.on(on.Rejected())
    assert driven.call.end == End(EndReason.OVER_BUDGET, "all of it")
    assert not driven.told(do.Accept)


def test_a_refusal_that_the_cloud_does_not_take_still_ends_the_call() -> None:
    driven = Driven(verdict=Refused(503, EndReason.OVER_BUDGET))
    driven.on(on.RejectFailed("http 500"), on.HungUp(gone=True))
    assert driven.end == "over_budget"
