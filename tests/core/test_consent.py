"""Consent: told first, heeded at once and in every phase, and nothing kept that may not be."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.consent import Answer, Consent, Policy, Terms, begin, restored
from offhook.core.directives import MuteTools, SayThis, TransferTo
from offhook.core.events import SayEnd
from offhook.core.outcomes import Consented, Transfer
from offhook.core.rules import Floor, Rules
from offhook.core.transcript import Who
from support.calls import Driven, rules

YES, NO = Consented(yes=True), Consented(yes=False)


def terms(policy: Policy, key: str | None = None) -> Terms:
    return Terms(policy=policy, text="An AI answers.", version="1", language="en", key=key)


def with_terms(policy: Policy, key: str | None = None) -> Rules:
    """The standard rules, with terms spoken first."""
    return replace(rules(), terms=terms(policy, key), greeting_floor=Floor.HELD)


def caller(policy: Policy, key: str | None = None) -> Driven:
    """A live call whose terms were heard."""
    return Driven(with_terms(policy, key)).live()


def decide(driven: Driven, outcome: Consented, ref: str = "call_c") -> list[do.Command]:
    """The model calls the built-in tool."""
    return driven.on(on.ToolAsked(ref, "record_consent", "{}"), on.ToolEnded(ref, outcome))


def answers(driven: Driven) -> list[Answer]:
    return [e.answer for e in driven.call.consent.evidence]


def texts(driven: Driven) -> list[str | None]:
    return [u.text for u in driven.call.transcript]


def test_without_terms_everything_is_kept_and_nothing_is_evidence() -> None:
    driven = Driven().live()
    driven.on(on.CallerSaid("a", "Hello"))
    assert texts(driven) == ["Hello"]
    assert answers(driven) == []


@pytest.mark.parametrize("policy", Policy)
def test_terms_that_were_heard_to_their_end_are_evidence_with_their_time(policy: Policy) -> None:
    driven = caller(policy)
    [noticed] = driven.call.consent.evidence
    assert (noticed.answer, noticed.at) == (Answer.NOTICED, driven.now)


@pytest.mark.parametrize("how", [SayEnd.CUT, SayEnd.FAILED, SayEnd.DROPPED])
def test_terms_that_were_not_heard_for_sure_are_no_notice(how: SayEnd) -> None:
    driven = Driven(with_terms(Policy.NOTICE))
    driven.on(on.Accepted(), on.Attached(), on.SayEnded("greeting", how))
    assert answers(driven) == [Answer.UNHEARD]


def test_a_caller_who_leaves_while_the_terms_are_spoken_has_not_heard_them() -> None:
    driven = Driven(with_terms(Policy.NOTICE))
    driven.on(on.Accepted(), on.Attached())
    driven.wait(0.2)
    driven.on(on.SidebandLost(), on.SayEnded("greeting", SayEnd.CUT))
    driven.on(on.AttachFailed(on.Refusal.GONE))
    assert answers(driven) == [Answer.UNHEARD]


def test_a_refusal_takes_back_what_was_kept_and_ends_the_transcription() -> None:
    driven = caller(Policy.OPT_OUT)
    driven.on(on.CallerSaid("a", "My name is Ann."), on.BotSaid("b", "Hello, Ann."))
    commands = decide(driven, NO)
    assert do.Transcribe(on=False) in commands
    driven.on(on.CallerSaid("c", "late words"), on.BotSaid("d", "more"))
    assert texts(driven) == [None] * 4
    assert driven.call.consent.standing is Answer.REFUSED


def test_the_model_reads_what_became_of_the_answer_and_goes_on() -> None:
    [answer] = [c for c in decide(caller(Policy.OPT_OUT), NO) if isinstance(c, do.AnswerTool)]
    assert answer.reply
    assert "Nothing more is written down" in answer.output


def test_without_an_answer_opt_in_keeps_nothing() -> None:
    driven = caller(Policy.OPT_IN)
    driven.on(on.CallerSaid("a", "Hello"), on.BotSaid("b", "Hello"))
    assert texts(driven) == [None, None]
    assert driven.call.consent.standing is Answer.NOTICED


def test_with_opt_in_a_yes_counts_from_then_on_and_for_nothing_said_before() -> None:
    driven = caller(Policy.OPT_IN)
    driven.on(on.UtteranceOpened("a", Who.CALLER))
    driven.now += 1
    assert do.Transcribe(on=True) in decide(driven, YES)
    driven.on(on.CallerSaid("a", "said before the yes"))
    driven.now += 1
    driven.on(on.CallerSaid("b", "said after it"))
    assert texts(driven) == [None, "said after it"]


def test_a_caller_may_change_their_mind_both_ways() -> None:
    driven = caller(Policy.OPT_OUT)
    decide(driven, NO, "1")
    driven.now += 1
    assert do.Transcribe(on=True) in decide(driven, YES, "2")
    driven.now += 1
    driven.on(on.CallerSaid("a", "kept"))
    assert texts(driven) == ["kept"]
    assert do.Transcribe(on=False) in decide(driven, NO, "3")
    assert texts(driven) == [None]
    told = [Answer.NOTICED, Answer.REFUSED, Answer.GIVEN, Answer.REFUSED]
    assert answers(driven) == told


def test_the_same_answer_again_is_no_new_evidence() -> None:
    driven = caller(Policy.OPT_OUT)
    decide(driven, NO, "1")
    assert not any(isinstance(c, do.Transcribe) for c in decide(driven, NO, "2"))
    assert answers(driven) == [Answer.NOTICED, Answer.REFUSED]


def test_a_refusal_counts_while_the_goodbye_is_said_and_after_the_end() -> None:
    leaving = caller(Policy.OPT_OUT)
    leaving.on(on.CallerSaid("a", "Hello"), on.ToolAsked("call_c", "record_consent", "{}"))
    leaving.on(on.ShutDown(), on.ToolEnded("call_c", NO))
    assert texts(leaving) == [None]
    over = caller(Policy.OPT_OUT)
    over.on(on.CallerSaid("a", "Hello"), on.ToolAsked("call_c", "record_consent", "{}"))
    over.gone()
    assert over.on(on.ToolEnded("call_c", NO)) == []
    assert texts(over) == [None]


def test_a_key_refuses_and_is_not_told_to_the_bot() -> None:
    driven = caller(Policy.OPT_OUT, key="*")
    off, say = driven.on(on.DigitPressed("*"))
    assert off == do.Transcribe(on=False)
    assert isinstance(say, do.Say)
    assert say.ref == "consent"
    assert driven.told(do.TellDigit) == []
    driven.on(on.DigitPressed("*"))
    assert driven.told(do.TellDigit) == [do.TellDigit("*")]


def test_a_key_within_an_entry_is_no_refusal() -> None:
    driven = caller(Policy.OPT_OUT, key="9")
    driven.on(on.DigitPressed("1"), on.DigitPressed("9"))
    assert answers(driven) == [Answer.NOTICED]


def test_a_hook_of_the_bot_may_refuse_for_the_caller() -> None:
    driven = caller(Policy.OPT_OUT)
    assert do.Transcribe(on=False) in driven.on(on.HookAnswered(NO))
    assert do.Transcribe(on=True) in driven.on(on.HookAnswered(YES))


def test_muted_tools_do_not_keep_a_caller_from_refusing() -> None:
    driven = caller(Policy.OPT_OUT)
    driven.on(on.Directed(MuteTools(), "alice"))
    driven.on(on.ToolAsked("call_c", "record_consent", "{}"))
    assert [t.name for t in driven.told(do.RunTool)] == ["record_consent"]


def test_the_floor_is_held_for_the_terms_then_guarded_then_open() -> None:
    driven = Driven(with_terms(Policy.NOTICE))
    driven.on(on.Accepted(), on.Attached())
    driven.wait(0.2)
    assert driven.on(on.BotStarted("greeting")) == [do.SetFloor(Floor.GUARDED)]
    assert driven.on(on.SayEnded("greeting", SayEnd.HEARD)) == [do.SetFloor(Floor.OPEN)]
    assert driven.on(on.BotStarted(None)) == []


def test_nobody_else_speaks_before_the_terms_are_over() -> None:
    driven = Driven(with_terms(Policy.NOTICE))
    driven.on(on.Directed(SayThis("Me first.", now=True), "alice"))
    driven.on(on.Accepted(), on.Attached(), on.Directed(TransferTo("sales"), "alice"))
    driven.wait(1)
    assert [s.ref for s in driven.told(do.Say)] == ["greeting"]
    assert driven.told(do.CutOff) == []
    driven.on(on.SayEnded("greeting", SayEnd.HEARD))
    assert [s.ref for s in driven.told(do.Say)] == ["greeting", "say:0", "announce"]


def test_a_transfer_during_the_terms_keeps_the_floor_for_its_announcement() -> None:
    driven = Driven(with_terms(Policy.NOTICE))
    driven.on(on.Accepted(), on.Attached(), on.HookAnswered(Transfer("sales")))
    driven.wait(0.2)
    driven.on(on.BotStarted("greeting"), on.SayEnded("greeting", SayEnd.HEARD))
    assert driven.told(do.SetFloor) == [do.SetFloor(Floor.HELD)]


# The machine by itself: whatever the order of what is told and decided


decisions = st.lists(st.sampled_from(["heard", "unheard", "yes", "no"]), max_size=12)


@given(st.sampled_from(Policy), decisions)
def test_words_are_kept_only_as_the_last_answer_allows(policy: Policy, what: list[str]) -> None:
    consent = begin(terms(policy))
    for now, each in enumerate(what):
        consent = _decided(consent, each, float(now))
    last = next((w for w in reversed(what) if w in ("yes", "no")), None)
    allowed = {"yes": True, "no": False, None: policy is not Policy.OPT_IN}[last]
    assert consent.keeping is allowed
    assert consent.keeps(float(len(what))) is allowed
    refused_at = max((n for n, w in enumerate(what) if w == "no"), default=-1)
    assert not consent.keeps(refused_at - 0.5) or refused_at < 0


@given(st.sampled_from(Policy), decisions)
def test_evidence_grows_in_time_and_repeats_nothing(policy: Policy, what: list[str]) -> None:
    consent = begin(terms(policy))
    for now, each in enumerate(what):
        after = _decided(consent, each, float(now))
        assert after.evidence[: len(consent.evidence)] == consent.evidence
        consent = after
    told = [e for e in consent.evidence if e.answer in (Answer.NOTICED, Answer.UNHEARD)]
    assert len(told) <= 1
    decided = [e.answer for e in consent.evidence if e not in told]
    assert all(a is not b for a, b in pairwise(decided))


def _decided(consent: Consent, what: str, now: float) -> Consent:
    match what:
        case "heard" | "unheard":
            return consent.told(now, heard=what == "heard")
        case _:
            return consent.answered(now, yes=what == "yes")


@given(st.sampled_from(Policy), decisions)
def test_what_another_process_has_begun_is_restored_from_its_evidence(
    policy: Policy, what: list[str]
) -> None:
    consent = begin(terms(policy))
    for now, each in enumerate(what):
        consent = _decided(consent, each, float(now))
    assert restored(terms(policy), consent.evidence) == consent


# And within a call, in whatever phase


items = st.sampled_from(["a", "b", "c"])
refs = st.sampled_from(["call_1", "call_2", "call_3"])
events: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            on.Accepted(),
            on.Attached(),
            on.SidebandLost(),
            on.BotStarted("greeting"),
            on.SayEnded("greeting", SayEnd.HEARD),
            on.SayEnded("greeting", SayEnd.CUT),
            on.DigitPressed("*"),
            on.DigitPressed("1"),
            on.HookAnswered(NO),
            on.HookAnswered(YES),
            on.ShutDown(),
            on.HungUp(),
        ]
    ),
    st.builds(on.UtteranceOpened, items, st.sampled_from(Who)),
    st.builds(on.CallerSaid, items, st.just("secret")),
    st.builds(on.BotSaid, items, st.just("secret")),
    st.builds(on.ToolAsked, refs, st.just("record_consent"), st.just("{}")),
    st.builds(on.ToolEnded, refs, st.sampled_from([YES, NO])),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(Policy), st.lists(st.tuples(events, st.floats(0, 5)), max_size=40))
def test_a_call_that_may_not_keep_words_has_none_in_any_phase(
    policy: Policy, what: list[tuple[on.Event, float]]
) -> None:
    driven = Driven(with_terms(policy, key="*"))
    for event, pause in what:
        driven.on(event)
        consent = driven.call.consent
        if not consent.keeping:
            assert all(u.text is None for u in driven.call.transcript)
        elif driven.call.phase is not Phase.ENDED:
            switched = driven.told(do.Transcribe)
            assert not switched or switched[-1].on
        assert all(u.text is None for u in driven.call.transcript if not consent.keeps(u.at))
        driven.wait(pause)
    says = [s.ref for s in driven.told(do.Say)]
    assert says.count("greeting") <= 1
