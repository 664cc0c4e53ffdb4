"""The conversation: tools, keys, silence, the line itself."""

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.events import Refusal
from offhook.core.outcomes import Answered, Cancelled, Failed, HangUp, TimedOut
from offhook.core.rules import Floor, Limits
from support.calls import Driven, rules


def test_a_tool_is_run_and_its_output_goes_back() -> None:
    driven = Driven().live()
    assert driven.on(on.ToolAsked("call_1", "lookup", "{}")) == [
        do.RunTool("call_1", "lookup", "{}")
    ]
    assert driven.on(on.ToolEnded("call_1", Answered('{"a":1}'))) == [
        do.AnswerTool("call_1", '{"a":1}')
    ]


def test_a_function_call_that_is_asked_twice_runs_once() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    assert driven.on(on.ToolAsked("call_1", "lookup", "{}")) == []
    driven.on(on.ToolEnded("call_1", Answered("x")))
    assert driven.on(on.ToolEnded("call_1", Answered("y"))) == [
        do.Ignore(on.ToolEnded("call_1", Answered("y")))
    ]
    assert len(driven.told(do.AnswerTool)) == 1


def test_a_failed_tool_is_answered_without_our_internals() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    [answer] = driven.on(on.ToolEnded("call_1", Failed("KeyError: password=hunter2")))
    assert isinstance(answer, do.AnswerTool)
    assert "hunter2" not in answer.output
    assert '"error":"failed"' in answer.output


def test_a_tool_that_is_late_is_answered_as_such() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"))
    [answer] = driven.on(on.ToolEnded("call_1", TimedOut(5)))
    assert isinstance(answer, do.AnswerTool)
    assert '"error":"timed_out"' in answer.output


def test_a_function_call_of_a_response_that_was_cut_off_is_answered_but_not_run() -> None:
    driven = Driven().live()
    [answer] = driven.on(on.ToolVoided("call_1", "book"))
    assert isinstance(answer, do.AnswerTool)
    assert not answer.reply
    assert driven.call.tools.calls["call_1"].outcome == Cancelled("the caller cut in")


def test_a_function_call_that_our_goodbye_cut_off_is_answered_like_any_other() -> None:
    driven = Driven().live()
    driven.on(on.ShutDown())
    [answer] = driven.on(on.ToolVoided("call_1", "book"))
    assert isinstance(answer, do.AnswerTool)
    assert not answer.reply
    assert driven.call.tools.calls["call_1"].outcome == Cancelled("the call is ending")
    driven.on(on.SayEnded("goodbye", on.SayEnd.HEARD))
    [answer] = driven.on(on.ToolVoided("call_2", "book"))
    assert isinstance(answer, do.AnswerTool)


def test_tools_of_a_caller_who_left_are_cancelled_and_still_have_one_outcome() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "book", "{}"))
    assert do.CancelTools(("call_1",)) in driven.gone()
    driven.on(on.ToolEnded("call_1", Cancelled("the caller left")))
    assert driven.call.tools.owed == ()


def test_a_lost_sideband_is_attached_again_without_a_second_greeting() -> None:
    driven = Driven(greeting_delay=0.0).live()
    assert driven.on(on.SidebandLost("close code 1006")) == [do.Attach(within=10.0)]
    driven.on(on.AttachFailed(Refusal.BUSY, "http 500"))
    assert driven.wait(0.2) == [do.Attach(within=10.0)]
    driven.on(on.Attached())
    assert driven.call.phase is Phase.LIVE
    assert [s.ref for s in driven.told(do.Say)] == ["greeting"]


def test_only_the_clouds_own_word_ends_a_call_whose_sideband_is_lost() -> None:
    driven = Driven().live()
    driven.on(on.SidebandLost())
    for _ in range(30):
        driven.on(on.AttachFailed(Refusal.BUSY, "no connection"))
        driven.wait(5.0)
    assert driven.call.phase is Phase.REJOINING
    driven.on(on.AttachFailed(Refusal.GONE, "http 404"))
    assert driven.end == "caller_hung_up"


def test_a_tool_that_ends_while_the_sideband_is_away_is_still_answered() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", "{}"), on.SidebandLost())
    assert driven.on(on.ToolEnded("call_1", Answered("x"))) == [do.AnswerTool("call_1", "x")]


def test_a_bot_that_hangs_up_says_goodbye_undisturbed_first() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "end_call", "{}"))
    commands = driven.on(on.ToolEnded("call_1", HangUp("done")))
    assert [type(c) for c in commands] == [do.AnswerTool, do.SetFloor, do.Say]
    assert commands[1] == do.SetFloor(Floor.HELD)
    assert driven.on(on.SayEnded("goodbye", on.SayEnd.HEARD)) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "bot_hung_up"


def test_a_goodbye_that_the_model_has_just_said_is_not_said_again() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "end_call", "{}", spoke=True))
    commands = driven.on(on.ToolEnded("call_1", HangUp("done")))
    assert [c.order for c in commands if isinstance(c, do.Say)] == [None]


def test_a_goodbye_that_is_never_heard_does_not_keep_the_call_alive() -> None:
    driven = Driven(goodbye=10.0).live()
    driven.on(on.ToolAsked("call_1", "end_call", "{}"), on.ToolEnded("call_1", HangUp()))
    assert driven.wait(10.0) == [do.HangUp()]


def test_a_hang_up_that_fails_is_tried_again_and_given_up_in_the_end() -> None:
    driven = Driven(goodbye=1.0, hang_up=15.0).live()
    driven.on(on.ToolAsked("call_1", "end_call", "{}"), on.ToolEnded("call_1", HangUp()))
    driven.wait(1.0)
    while driven.end is None:
        driven.on(on.HangUpFailed("http 500"))
        driven.wait(1.0)
    assert 10 <= len(driven.told(do.HangUp)) <= 16
    assert len(driven.told(do.Finish)) == 1


def test_a_long_call_is_warned_and_then_ended_with_a_goodbye() -> None:
    driven = Driven(call=3300.0, wrap_up=60.0, silence=None).live()
    warned = driven.wait(3245.0)
    assert [c.ref for c in warned if isinstance(c, do.Say)] == ["wrap_up"]
    ended = driven.wait(60.0)
    assert do.CutOff() in ended
    assert [c.ref for c in ended if isinstance(c, do.Say)] == ["goodbye"]
    driven.on(on.SayEnded("goodbye", on.SayEnd.CUT), on.HungUp())
    assert driven.end == "max_length"


def test_a_silent_caller_is_prompted_and_then_told_goodbye() -> None:
    driven = Driven(silent_prompts=2).live()
    for item in ("a", "b"):
        assert driven.on(on.CallerSilent(item)) == []
    said = driven.on(on.CallerSilent("c"))
    assert [c.ref for c in said if isinstance(c, do.Say)] == ["goodbye"]
    driven.on(on.SayEnded("goodbye", on.SayEnd.HEARD), on.HungUp())
    assert driven.end == "caller_silent"


def test_a_caller_who_speaks_again_has_all_prompts_before_them() -> None:
    driven = Driven(silent_prompts=2).live()
    driven.on(on.CallerSilent("a"), on.CallerSilent("b"), on.CallerStarted("c"))
    driven.on(on.CallerSilent("d"), on.CallerSilent("e"))
    assert driven.call.phase is Phase.LIVE


def test_where_the_cloud_does_not_prompt_our_own_clock_ends_the_silence() -> None:
    driven = Driven(silence=46.0).live()
    said = driven.wait(46.0)
    assert [c.ref for c in said if isinstance(c, do.Say)] == ["goodbye"]


def test_a_line_without_any_event_is_proven_alive_by_a_new_sideband() -> None:
    driven = Driven(silence=None).live()
    for _ in range(3):
        assert driven.on(on.NothingHeard(60)) == [do.Detach(), do.Attach(within=10.0)]
        driven.on(on.Attached())
    assert driven.on(on.NothingHeard(60)) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "no_events"


def test_digits_are_told_one_by_one_and_as_an_entry() -> None:
    driven = Driven().live()
    commands = driven.on(*(on.DigitPressed(k) for k in "9*12#"))
    assert [c.key for c in commands if isinstance(c, do.TellDigit)] == list("9*12#")
    assert [c.digits for c in commands if isinstance(c, do.TellDigits)] == ["12"]


def test_a_pause_ends_an_entry() -> None:
    driven = Driven(digit_gap=4.0, silence=None).live()
    driven.on(on.DigitPressed("1"))
    driven.wait(3.0)
    driven.on(on.DigitPressed("2"))
    assert driven.wait(3.9) == []
    assert driven.wait(0.1) == [do.TellDigits("12")]


def test_what_a_hook_answers_is_said() -> None:
    [say] = Driven().live().on(on.HookAnswered("The caller chose 1."))
    assert isinstance(say, do.Say)
    assert say.order == "The caller chose 1."


def test_a_model_that_fails_hands_over_to_a_human() -> None:
    driven = Driven().live()
    assert driven.on(on.ModelFailed("server_error")) == [do.Refer("support")]


def test_a_model_that_fails_where_nobody_can_help_ends_the_call() -> None:
    driven = Driven(rules(targets={})).live()
    assert driven.on(on.ModelFailed("insufficient_quota")) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "model_failed"


def test_a_guarded_greeting_opens_the_floor_once_it_was_heard() -> None:
    guarded = rules()
    driven = Driven(
        type(guarded)(lines=guarded.lines, limits=Limits(), greeting_floor=Floor.GUARDED)
    )
    driven.on(on.Accepted(), on.Attached())
    driven.wait(0.2)
    assert driven.on(on.SayEnded("greeting", on.SayEnd.HEARD)) == [do.SetFloor(Floor.OPEN)]


def test_a_bug_of_ours_ends_that_call_with_a_hang_up() -> None:
    driven = Driven().live()
    assert driven.on(on.Broke("KeyError")) == [do.HangUp()]
    driven.on(on.HungUp())
    assert driven.end == "bug"


def test_late_news_about_a_finished_call_changes_nothing_but_the_record() -> None:
    driven = Driven().live()
    driven.gone()
    assert driven.on(on.CallerSaid("item_1", "bye"), on.SidebandLost(), on.Attached()) == []
    assert driven.call.transcript.utterances[0].text == "bye"
    assert len(driven.told(do.Finish)) == 1
