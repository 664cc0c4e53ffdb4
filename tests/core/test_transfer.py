"""Transfers: told first, asked once, watched, and never lost."""

import pytest

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.outcomes import Answered, InvalidArguments, Transfer
from offhook.core.rules import Floor
from offhook.core.transfer import TransferOutcome
from support.calls import Driven, rules


def asked(driven: Driven, target: str = "support", ref: str = "call_1") -> list[do.Command]:
    driven.on(on.ToolAsked(ref, "handoff_human", "{}"))
    return driven.on(on.ToolEnded(ref, Transfer(target, "wants a person")))


def announced(driven: Driven) -> list[do.Command]:
    asked(driven)
    return driven.on(on.SayEnded("announce", on.SayEnd.HEARD))


def test_the_caller_is_told_before_anything_is_sent() -> None:
    driven = Driven().live()
    commands = asked(driven)
    assert [type(c) for c in commands] == [do.AnswerTool, do.SetFloor, do.Say]
    assert isinstance(commands[2], do.Say)
    assert "our support team" in (commands[2].order or "")
    assert not driven.told(do.Refer)


def test_the_refer_goes_out_once_the_announcement_was_heard() -> None:
    driven = Driven().live()
    assert announced(driven) == [do.Refer("support")]


def test_an_announcement_that_is_never_heard_does_not_hold_the_transfer_up() -> None:
    driven = Driven(announce=8.0).live()
    asked(driven)
    assert driven.wait(8.0) == [do.Refer("support")]


def test_an_announcement_that_we_lose_sight_of_is_given_its_time() -> None:
    driven = Driven(announce=8.0).live()
    asked(driven)
    lost = driven.on(on.SidebandLost(), on.SayEnded("announce", on.SayEnd.CUT))
    assert not [c for c in lost if isinstance(c, do.Refer)]
    driven.on(on.Attached())
    assert driven.wait(8.0) == [do.Refer("support")]


def test_a_caller_who_leaves_during_the_announcement_is_not_transferred() -> None:
    driven = Driven().live()
    asked(driven)
    driven.on(on.SidebandLost(), on.SayEnded("announce", on.SayEnd.CUT))
    driven.on(on.AttachFailed(on.Refusal.GONE, "http 404"))
    assert driven.end == "caller_hung_up"
    assert [a.outcome for a in driven.call.transfer.attempts] == [TransferOutcome.ABANDONED]


def test_an_announcement_that_the_model_has_just_made_is_only_waited_for() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "handoff_human", "{}", spoke=True))
    commands = driven.on(on.ToolEnded("call_1", Transfer("support")))
    assert [c.order for c in commands if isinstance(c, do.Say)] == [None]


def test_the_target_that_the_model_reads_of_is_a_name() -> None:
    commands = asked(Driven().live())
    assert isinstance(commands[0], do.AnswerTool)
    assert commands[0].output == '{"status":"transferring","target":"support"}'


def test_a_sideband_that_closes_in_time_means_transferred() -> None:
    driven = Driven().live()
    announced(driven)
    driven.on(on.Referred())
    driven.gone()
    assert driven.end == "transferred"
    assert [a.outcome for a in driven.call.transfer.attempts] == [TransferOutcome.TRANSFERRED]


def test_a_call_that_goes_before_the_answer_to_the_refer_is_transferred_too() -> None:
    driven = Driven().live()
    announced(driven)
    driven.gone()
    assert driven.end == "transferred"


def test_a_caller_who_leaves_during_the_announcement_was_not_transferred() -> None:
    driven = Driven().live()
    asked(driven)
    driven.gone()
    assert driven.end == "caller_hung_up"
    assert [a.outcome for a in driven.call.transfer.attempts] == [TransferOutcome.ABANDONED]


def test_a_sideband_lost_during_the_watch_is_attached_again_and_the_watch_goes_on() -> None:
    driven = Driven(refer_watch=12.0).live()
    announced(driven)
    driven.on(on.Referred(), on.SidebandLost(), on.Attached())
    assert driven.call.phase is Phase.LIVE
    driven.wait(12.0)
    assert [a.outcome for a in driven.call.transfer.attempts] == [TransferOutcome.STILL_HERE]


@pytest.mark.parametrize("how", ["refused", "still_here"])
def test_a_failed_transfer_is_told_and_something_else_is_offered(how: str) -> None:
    driven = Driven(refer_watch=12.0).live()
    announced(driven)
    if how == "refused":
        commands = driven.on(on.ReferFailed("http 500"))
    else:
        driven.on(on.Referred())
        commands = driven.wait(12.0)
    assert commands[0] == do.SetFloor(Floor.OPEN)
    assert isinstance(commands[1], do.Say)
    assert "our support team" in (commands[1].order or "")
    assert "sales" in (commands[1].order or "")
    assert "callback" in (commands[1].order or "")
    assert [a.outcome for a in driven.call.transfer.attempts] == [how]
    assert driven.call.phase is Phase.LIVE


def test_the_refer_is_never_repeated_by_itself() -> None:
    driven = Driven().live()
    announced(driven)
    driven.on(on.ReferFailed("http 500"))
    driven.wait(30.0)
    assert len(driven.told(do.Refer)) == 1


def test_after_a_failure_another_target_can_be_tried() -> None:
    driven = Driven().live()
    announced(driven)
    driven.on(on.ReferFailed("http 500"))
    asked(driven, "sales", "call_2")
    assert driven.on(on.SayEnded("announce", on.SayEnd.HEARD)) == [do.Refer("sales")]


def test_a_caller_is_not_sent_round_in_circles() -> None:
    driven = Driven(transfers=1).live()
    announced(driven)
    driven.on(on.ReferFailed("http 500"))
    asked(driven, "sales", "call_2")
    assert isinstance(driven.call.tools.calls["call_2"].outcome, InvalidArguments)
    assert len(driven.told(do.Refer)) == 1


def test_a_target_that_is_not_there_is_refused_with_the_names_of_those_that_are() -> None:
    [answer] = asked(Driven().live(), "tel:+15550100")
    assert isinstance(answer, do.AnswerTool)
    assert "support, sales" in answer.output


def test_without_any_target_nothing_is_referred() -> None:
    driven = Driven(rules(targets={})).live()
    [answer] = asked(driven)
    assert isinstance(answer, do.AnswerTool)
    assert answer.reply


def test_two_transfers_at_once_are_one() -> None:
    driven = Driven().live()
    asked(driven)
    asked(driven, "sales", "call_2")
    driven.on(on.SayEnded("announce", on.SayEnd.HEARD))
    assert driven.told(do.Refer) == [do.Refer("support")]


def test_other_tools_of_the_same_breath_are_answered_but_do_not_speak_over_the_announcement() -> (
    None
):
    driven = Driven().live()
    driven.on(on.ToolAsked("call_0", "lookup", "{}"))
    asked(driven)
    assert driven.on(on.ToolEnded("call_0", Answered("x"))) == [
        do.AnswerTool("call_0", "x", reply=False)
    ]
