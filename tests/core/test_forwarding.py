"""A call that is only to be transferred: accepted, referred at once, and never spoken to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.end import End, EndReason, Forward
from offhook.core.events import Refusal
from offhook.core.resume import resume
from offhook.core.transfer import TransferOutcome
from support.calls import Driven, phase
from support.core_events import events

CLOSED = Forward("support", EndReason.CLOSED, "out of hours")


def forwarded() -> Driven:
    driven = Driven(verdict=CLOSED)
    driven.on(on.Accepted())
    return driven


def test_it_is_transferred_as_soon_as_its_sideband_is_open_and_never_greeted() -> None:
    driven = forwarded()
    driven.on(on.Attached())
    assert driven.told(do.Refer) == [do.Refer("support")]
    driven.on(on.Referred())
    driven.gone()
    assert driven.call.end == End(EndReason.TRANSFERRED, "support")
    assert not driven.told(do.Say)
    (attempt,) = driven.call.transfer.attempts
    assert (attempt.reason, attempt.outcome) == ("closed", TransferOutcome.TRANSFERRED)


def test_a_cloud_whose_sideband_cannot_be_opened_is_asked_to_transfer_all_the_same() -> None:
    for refusal in (Refusal.WRONG, Refusal.BUSY):
        driven = forwarded()
        driven.on(on.AttachFailed(refusal))
        driven.wait(3.5)
        assert driven.told(do.Refer) == [do.Refer("support")]
        driven.on(on.Referred(), on.AttachFailed(Refusal.GONE))
        assert driven.end == "transferred"


def test_when_the_transfer_fails_nobody_is_left_in_silence() -> None:
    driven = forwarded()
    driven.on(on.Attached(), on.ReferFailed("http 500"))
    assert phase(driven.call) is Phase.HANGING_UP
    driven.on(on.HungUp())
    assert driven.call.end == End(EndReason.TRANSFER_FAILED, "closed")
    assert not driven.told(do.Say)


def test_a_caller_who_is_still_there_after_the_transfer_is_not_kept() -> None:
    driven = forwarded()
    driven.on(on.Attached(), on.Referred())
    driven.wait(13.0)
    assert phase(driven.call) is Phase.HANGING_UP


def test_a_caller_who_was_gone_before_the_transfer_has_hung_up() -> None:
    driven = forwarded()
    driven.on(on.AttachFailed(Refusal.GONE))
    driven.wait(3.5)
    driven.on(on.ReferFailed("http 404"), on.HungUp(gone=True))
    assert driven.end == "caller_hung_up"


def test_it_is_sent_once_however_often_the_sideband_is_lost() -> None:
    driven = forwarded()
    driven.on(on.Attached(), on.SidebandLost(), on.Attached(), on.Referred())
    assert len(driven.told(do.Refer)) == 1


def test_whoever_takes_it_over_transfers_it_too() -> None:
    driven = forwarded()
    driven.call, _ = resume(driven.call, driven.now)
    driven.on(on.Attached())
    assert driven.told(do.Refer) == [do.Refer("support")]


@given(st.lists(events, max_size=30))
def test_whatever_happens_it_is_referred_at_most_once_until_somebody_says_otherwise(
    happenings: list[on.Event],
) -> None:
    driven = Driven(verdict=CLOSED)
    for happening in happenings:
        if not isinstance(happening, on.Directed):
            driven.on(happening)
    assert len(driven.told(do.Refer)) <= 1
    assert all(say.ref != "greeting" for say in driven.told(do.Say))
