"""What people tell a live call from outside: carried out, kept for later, or refused."""

import pytest

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.directives import (
    Directive,
    Effect,
    EndCall,
    MuteTools,
    SayThis,
    TransferTo,
    Whisper,
)
from offhook.core.events import SayEnd
from offhook.core.outcomes import Answered
from offhook.core.rules import Floor, aside, exactly
from support.calls import Driven, phase


def tell(driven: Driven, *directives: Directive) -> list[do.Command]:
    """Alice gives each of them."""
    return driven.on(*(on.Directed(d, "alice") for d in directives))


def effects(driven: Driven) -> list[Effect]:
    """What came of each so far."""
    return [i.effect for i in driven.call.instructions]


def test_words_are_said_exactly_and_interrupt_nothing() -> None:
    driven = Driven().live()
    [say] = tell(driven, SayThis("One moment."))
    assert isinstance(say, do.Say)
    assert (say.ref, say.order) == ("say:0", exactly("One moment."))


def test_words_for_now_cut_off_what_is_being_said() -> None:
    commands = tell(Driven().live(), SayThis("Stop.", now=True))
    assert [type(c) for c in commands] == [do.CutOff, do.Say]


@pytest.mark.parametrize("how", SayEnd)
def test_how_words_ended_is_on_record(how: SayEnd) -> None:
    driven = Driven().live()
    tell(driven, SayThis("One moment."))
    assert effects(driven) == [Effect.SAYING]
    driven.now += 3
    driven.on(on.SayEnded("say:0", how))
    [noted] = driven.call.instructions
    assert (noted.effect, noted.by) == (how.value, "alice")
    assert noted.changed_at - noted.at == 3
    assert driven.call.phase is Phase.LIVE


def test_words_that_end_while_the_goodbye_is_said_or_later_are_on_record_too() -> None:
    for ending in ([on.Directed(EndCall(), "bob")], [on.SidebandLost(), on.ShutDown()]):
        driven = Driven().live()
        tell(driven, SayThis("One moment."))
        driven.on(*ending, on.SayEnded("say:0", SayEnd.CUT))
        assert effects(driven)[0] is Effect.CUT


def test_a_whisper_is_a_note_to_the_model_and_asks_for_no_answer() -> None:
    driven = Driven().live()
    assert tell(driven, Whisper("She is angry.")) == [do.Whisper(aside("She is angry."))]
    assert effects(driven) == [Effect.DONE]


def test_a_transfer_goes_the_way_of_a_tools_transfer() -> None:
    driven = Driven().live()
    floor, say = tell(driven, TransferTo("sales", "asked for"))
    assert floor == do.SetFloor(Floor.HELD)
    assert isinstance(say, do.Say)
    assert say.ref == "announce"
    assert driven.on(on.SayEnded("announce", SayEnd.HEARD)) == [do.Refer("sales")]
    assert driven.call.transfer.reason == "asked for"


def test_a_transfer_to_nobody_is_refused_with_the_names_that_there_are() -> None:
    driven = Driven().live()
    assert tell(driven, TransferTo("nobody")) == []
    [noted] = driven.call.instructions
    assert noted.effect is Effect.REFUSED
    assert "support, sales" in noted.why


def test_a_second_transfer_and_words_during_one_are_refused() -> None:
    driven = Driven().live()
    tell(driven, TransferTo("sales"))
    assert tell(driven, TransferTo("support"), SayThis("Hold on.")) == []
    assert effects(driven) == [Effect.DONE, Effect.REFUSED, Effect.REFUSED]


def test_a_call_is_ended_after_a_goodbye_and_at_once_when_told_again() -> None:
    driven = Driven().live()
    said = tell(driven, EndCall("wrong number"))
    assert [s.ref for s in said if isinstance(s, do.Say)] == ["goodbye"]
    assert tell(driven, EndCall()) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "ended_by_command"
    assert driven.call.end is not None
    assert driven.call.end.detail == "wrong number"


def test_a_call_that_still_rings_is_turned_away_and_one_that_joins_is_hung_up() -> None:
    ringing = Driven()
    assert tell(ringing, EndCall()) == [do.Reject(503)]
    ringing.on(on.Rejected())
    assert ringing.end == "ended_by_command"
    joining = Driven()
    joining.on(on.Accepted())
    assert tell(joining, EndCall()) == [do.HangUp()]


def test_a_call_without_its_sideband_is_hung_up_since_no_goodbye_can_be_heard() -> None:
    driven = Driven().live()
    driven.on(on.SidebandLost())
    assert tell(driven, EndCall()) == [do.HangUp()]


def test_muted_tools_are_answered_at_once_and_not_run() -> None:
    driven = Driven().live()
    [told] = tell(driven, MuteTools())
    assert isinstance(told, do.Whisper)
    [answer] = driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    assert isinstance(answer, do.AnswerTool)
    assert answer.reply
    assert "not available" in answer.output
    assert driven.call.tools.owed == ()


def test_tools_work_again_once_they_are_unmuted() -> None:
    driven = Driven().live()
    tell(driven, MuteTools(), MuteTools(muted=False))
    assert driven.on(on.ToolAsked("call_1", "lookup", "{}")) == [
        do.RunTool("call_1", "lookup", "{}")
    ]


def test_muting_twice_tells_the_model_once() -> None:
    assert len(tell(Driven().live(), MuteTools(), MuteTools())) == 1
    assert tell(Driven().live(), MuteTools(muted=False)) == []


def test_a_tool_that_runs_when_tools_are_muted_is_still_answered() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    tell(driven, MuteTools())
    assert driven.on(on.ToolEnded("call_1", Answered("x"))) == [do.AnswerTool("call_1", "x")]


def test_words_and_transfers_wait_until_the_greeting_is_over() -> None:
    driven = Driven()
    assert tell(driven, SayThis("First."), SayThis("Second.")) == []
    driven.on(on.Accepted())
    assert tell(driven, TransferTo("sales")) == []
    driven.on(on.Attached())
    driven.wait(0.2)
    assert effects(driven) == [Effect.KEPT] * 3
    said = [c for c in driven.on(on.SayEnded("greeting", SayEnd.HEARD)) if isinstance(c, do.Say)]
    assert [s.ref for s in said] == ["say:0", "say:1", "announce"]
    assert effects(driven) == [Effect.SAYING, Effect.SAYING, Effect.DONE]


def test_a_whisper_and_muted_tools_do_not_wait() -> None:
    driven = Driven()
    assert len(tell(driven, Whisper("Vip."), MuteTools())) == 2
    assert effects(driven) == [Effect.DONE, Effect.DONE]


def test_a_call_that_is_over_refuses_everything() -> None:
    driven = Driven().live()
    driven.on(on.ShutDown(), on.ShutDown())
    assert phase(driven.call) is Phase.HANGING_UP
    assert tell(driven, EndCall(), SayThis("x"), Whisper("x"), MuteTools()) == []
    driven.on(on.HungUp())
    assert tell(driven, EndCall(), TransferTo("sales")) == []
    assert set(effects(driven)) == {Effect.REFUSED}


def test_words_said_without_a_sideband_go_out_when_it_is_back() -> None:
    driven = Driven().live()
    driven.on(on.SidebandLost())
    [say] = tell(driven, SayThis("One moment."))
    assert isinstance(say, do.Say)  # the surface keeps it until the sideband is open
    assert effects(driven) == [Effect.SAYING]
