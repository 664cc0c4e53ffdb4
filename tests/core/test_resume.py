"""A call goes on in another process: nothing is said or done twice, nothing owed is forgotten."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.alarms import Alarm, Alarms
from offhook.core.call import Call, Phase
from offhook.core.consent import Answer, Policy, Terms
from offhook.core.directives import SayThis
from offhook.core.end import EndReason
from offhook.core.events import Refusal, SayEnd
from offhook.core.outcomes import Answered, Interrupted, Transfer
from offhook.core.resume import resume
from offhook.core.rules import Floor
from offhook.core.transfer import Stage
from support.calls import Driven, rules
from support.core_events import steps


def _over(driven: Driven, after: float = 2.5) -> Driven:
    """The same call in a process that has taken it over."""
    other = Driven()
    other.now = driven.now + after
    other.call, other.commands = resume(driven.call.with_(alarms=Alarms()), other.now)
    other.all = list(other.commands)
    return other


def _kinds(commands: list[do.Command]) -> list[type]:
    return [type(c) for c in commands]


def test_a_live_call_is_joined_again_and_not_greeted_again() -> None:
    other = _over(Driven().live())
    assert _kinds(other.commands) == [do.Attach]
    other.on(on.Attached())
    other.wait(30)
    assert other.call.phase is Phase.LIVE
    assert other.told(do.Say) == []


def test_a_call_that_is_gone_is_over_with_its_reason() -> None:
    other = _over(Driven().live())
    other.on(on.AttachFailed(Refusal.GONE, "http 404"))
    assert other.end == EndReason.CALLER_HUNG_UP


def test_a_ringing_call_is_accepted_and_one_that_was_is_joined() -> None:
    other = _over(Driven())
    assert _kinds(other.commands) == [do.Accept]
    other.on(on.AcceptRefused(Refusal.TAKEN))
    assert other.call.phase is Phase.JOINING
    other.on(on.Attached())
    other.wait(1)
    assert [s.ref for s in other.told(do.Say)] == ["greeting"]


def test_an_accepted_call_that_nobody_has_joined_is_joined_and_greeted() -> None:
    driven = Driven()
    driven.on(on.Accepted())
    other = _over(driven)
    other.on(on.Attached())
    other.wait(1)
    assert [s.ref for s in other.told(do.Say)] == ["greeting"]
    assert other.call.accepted_at == driven.call.accepted_at


def test_a_caller_who_heard_nothing_at_all_is_greeted_after_a_while() -> None:
    driven = Driven()
    driven.on(on.Accepted(), on.Attached())
    other = _over(driven)
    other.on(on.Attached())
    assert other.told(do.Say) == []
    other.wait(4.1)
    assert [s.ref for s in other.told(do.Say)] == ["greeting"]


def test_a_sign_that_the_caller_hears_us_is_enough_not_to_greet() -> None:
    for sign in (on.BotStarted(), on.BotStopped(), on.CallerStarted("item_1")):
        driven = Driven()
        driven.on(on.Accepted(), on.Attached())
        other = _over(driven)
        other.on(on.Attached(), sign)
        other.wait(10)
        assert other.told(do.Say) == []


def test_a_tool_that_may_have_had_effects_is_not_run_again_but_answered() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "book", "{}"), on.ToolStarted("call_1"))
    other = _over(driven)
    assert other.told(do.RunTool) == []
    (told,) = other.told(do.AnswerTool)
    assert (told.ref, told.reply) == ("call_1", True)
    assert "interrupted" in told.output
    assert other.call.tools.calls["call_1"].outcome == Interrupted()


def test_a_tool_without_effects_is_run_with_the_same_arguments() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "lookup", '{"a":1}'))
    other = _over(driven)
    assert other.told(do.RunTool) == [do.RunTool("call_1", "lookup", '{"a":1}')]
    other.on(on.ToolEnded("call_1", Answered("x")))
    assert [a.ref for a in other.told(do.AnswerTool)] == ["call_1"]


def test_a_transfer_that_was_sent_is_watched_and_not_sent_again() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "handoff_human", "{}"))
    driven.on(on.ToolEnded("call_1", Transfer("support")), on.SayEnded("announce", SayEnd.HEARD))
    assert driven.call.transfer.stage is Stage.REFERRING
    other = _over(driven)
    other.on(on.Attached())
    other.wait(13)
    assert other.told(do.Refer) == []
    assert [s.ref for s in other.told(do.Say)] == ["transfer_failed"]


def test_a_transfer_that_was_sent_has_worked_if_the_call_is_gone() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "handoff_human", "{}"))
    driven.on(on.ToolEnded("call_1", Transfer("support")), on.SayEnded("announce", SayEnd.HEARD))
    other = _over(driven)
    other.on(on.AttachFailed(Refusal.GONE))
    assert other.end == EndReason.TRANSFERRED


def test_a_transfer_that_was_being_announced_is_made() -> None:
    driven = Driven().live()
    driven.on(on.ToolAsked("call_1", "handoff_human", "{}"))
    driven.on(on.ToolEnded("call_1", Transfer("support")))
    other = _over(driven)
    other.on(on.Attached())
    other.wait(2)
    assert [r.target for r in other.told(do.Refer)] == ["support"]


def test_a_goodbye_that_was_begun_ends_in_a_hang_up() -> None:
    driven = Driven().live()
    driven.on(on.ShutDown())
    other = _over(driven)
    assert _kinds(other.commands) == [do.HangUp]
    other.on(on.HungUp())
    assert other.end == EndReason.SHUT_DOWN


def test_the_longest_call_counts_from_the_first_accept() -> None:
    driven = Driven().live()
    driven.on(on.BotStarted())  # somebody speaks, so nobody is called silent
    driven.wait(50 * 60)
    other = _over(driven)
    limits = other.call.rules.limits
    assert driven.call.accepted_at is not None
    assert other.call.alarms.times[Alarm.MAX_LENGTH] == driven.call.accepted_at + limits.call
    assert other.call.alarms.times[Alarm.WRAP_UP] < other.call.alarms.times[Alarm.MAX_LENGTH]


def test_a_call_that_is_over_stays_over() -> None:
    driven = Driven().live()
    driven.gone()
    assert _over(driven).commands == []


@settings(max_examples=400)
@given(steps, st.integers(0, 60), st.sets(st.sampled_from(["call_1", "call_2"])))
def test_wherever_it_is_taken_over_a_call_ends_once_and_does_nothing_twice(
    what: list[tuple[Any, float]], cut: int, started: set[str]
) -> None:
    first = Driven()
    for event, pause in what[:cut]:
        first.on(event)
        first.wait(pause)
    first.on(*(on.ToolStarted(ref) for ref in started if first.call.tools.running(ref)))
    begun = {t.ref for t in first.call.tools.owed if t.started}
    second = _over(first)
    for event, pause in what[cut:]:
        _waits(second.call)
        second.on(event)
        second.wait(pause)
    assert begun.isdisjoint(c.ref for c in second.told(do.RunTool))
    answered = [c.ref for c in second.told(do.AnswerTool)]
    assert len(answered) == len(set(answered))
    assert begun <= set(answered)
    second.wait(2 * 3600)
    if second.call.phase in (Phase.LEAVING, Phase.HANGING_UP):
        second.on(on.HungUp())
    assert second.call.phase is Phase.ENDED
    assert len(second.told(do.Finish)) == (first.call.phase is not Phase.ENDED)


def _waits(call: Call) -> None:
    assert call.phase is Phase.ENDED or call.alarms.next is not None


def test_words_that_were_kept_for_the_end_of_the_greeting_are_said_once() -> None:
    driven = Driven()
    driven.on(on.Accepted(), on.Attached(), on.Directed(SayThis("One moment."), "alice"))
    driven.wait(1)
    driven.on(on.BotStarted("greeting"))
    other = _over(driven)
    assert [s.ref for s in other.told(do.Say)] == ["say:0"]
    other.on(on.Attached(), on.SayEnded("say:0", SayEnd.HEARD))
    assert [s.ref for s in _over(other).told(do.Say)] == []


def test_terms_whose_end_nobody_has_seen_are_not_taken_for_heard() -> None:
    terms = Terms(policy=Policy.OPT_OUT, text="An AI answers.", version="1", language="en")
    driven = Driven(replace(rules(), terms=terms, greeting_floor=Floor.HELD))
    driven.on(on.Accepted(), on.Attached())
    driven.wait(1)
    driven.on(on.BotStarted("greeting"))
    assert _over(driven).call.consent.standing is Answer.UNHEARD
    assert _over(driven.live()).call.consent.standing is Answer.NOTICED
