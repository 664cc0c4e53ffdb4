"""What a record says of consent and of directives, from two values of a call."""

from __future__ import annotations

from functools import partial
from itertools import count

from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.consent import Policy, Terms
from offhook.core.directives import Directive, EndCall, SayThis, TransferTo, Whisper
from offhook.core.events import SayEnd
from offhook.core.outcomes import Consented
from offhook.runtime import evidence
from offhook.store.facts import ConsentFact
from support.calls import Driven, rules

TERMS = Terms(policy=Policy.OPT_OUT, text="An AI answers.", version="7", language="en")


def call(terms: Terms | None = TERMS) -> Driven:
    return Driven(replace(rules(), terms=terms)).live()


def facts(before: Call, after: Call) -> list[ConsentFact]:
    revs = partial(next, count(1))
    return list(evidence.consent_facts(before, after, lambda t: round(t * 1000), revs))


def moments(driven: Driven, *events: on.Event) -> list[tuple[str, str]]:
    before = driven.call
    driven.on(*events)
    return list(evidence.directed(before, driven.call))


def tell(directive: Directive) -> on.Directed:
    return on.Directed(directive, "alice")


def test_each_piece_of_evidence_is_one_fact_with_the_text_it_is_about() -> None:
    driven = call()
    noticed = driven.call
    driven.now += 5
    driven.on(on.HookAnswered(Consented(yes=False)))
    [fact] = facts(noticed, driven.call)
    assert (fact.n, fact.at, fact.answer) == (1, round(driven.now * 1000), "refused")
    assert (fact.policy, fact.version, fact.text) == ("opt-out", "7", "An AI answers.")
    assert [f.answer for f in facts(Driven().call, driven.call)] == ["noticed", "refused"]


def test_a_step_that_decides_nothing_has_no_evidence() -> None:
    driven = call()
    before = driven.call
    driven.on(on.CallerSaid("a", "Hello"))
    assert facts(before, driven.call) == []
    assert facts(Driven().call, call(None).call) == []


def test_the_call_as_a_whole_has_the_last_answer() -> None:
    driven = call()
    assert evidence.standing(driven.call) == "noticed"
    driven.on(on.HookAnswered(Consented(yes=False)))
    assert evidence.standing(driven.call) == "refused"
    assert evidence.standing(call(None).call) is None


def test_a_record_falls_silent_with_the_refusal_alone() -> None:
    driven = call()
    before = driven.call
    driven.on(on.HookAnswered(Consented(yes=False)))
    assert evidence.falls_silent(before, driven.call)
    assert not evidence.falls_silent(driven.call, driven.call)
    assert not evidence.falls_silent(before, before)


def test_a_directive_is_a_moment_with_who_gave_it_and_another_when_it_has_ended() -> None:
    driven = call()
    assert moments(driven, tell(SayThis("One moment."))) == [("command_say", "by alice: saying")]
    assert moments(driven, on.SayEnded("say:0", SayEnd.HEARD)) == [
        ("command_say", "by alice: heard")
    ]
    assert moments(driven, on.CallerSaid("a", "x")) == []


def test_what_is_nowhere_else_is_told_with_it_and_what_was_refused_says_why() -> None:
    driven = call()
    assert moments(driven, tell(Whisper("A regular."))) == [
        ("command_whisper", "by alice: done (A regular.)")
    ]
    [(kind, detail)] = moments(driven, tell(TransferTo("nobody")))
    assert kind == "command_transfer"
    assert detail.startswith("by alice: refused, No such target.")


def test_of_a_caller_who_has_refused_no_words_are_told() -> None:
    driven = call()
    driven.on(on.HookAnswered(Consented(yes=False)))
    assert moments(driven, tell(EndCall("abuse"))) == [("command_end_call", "by alice: done")]
