"""What must hold in every state that any order of events can lead to."""

from __future__ import annotations

from hypothesis import given, settings

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.directives import Effect
from support.calls import Driven
from support.core_events import steps

LISTENED = (Phase.LIVE, Phase.REJOINING, Phase.LEAVING, Phase.HANGING_UP)


@settings(max_examples=400)
@given(steps)
def test_whatever_happens_a_call_waits_with_a_deadline_and_ends_once(
    what: list[tuple[on.Event, float]],
) -> None:
    driven = Driven()
    for event, pause in what:
        driven.on(event)
        if driven.call.phase is not Phase.ENDED:
            assert driven.call.alarms.next is not None
        driven.wait(pause)
    driven.wait(2 * 3600)  # every call is over after its longest length, whatever happened
    if driven.call.phase in (Phase.LEAVING, Phase.HANGING_UP):
        driven.on(on.HungUp())
    assert driven.call.phase is Phase.ENDED
    assert len(driven.told(do.Finish)) == 1


@settings(max_examples=400)
@given(steps)
def test_whatever_happens_nothing_that_costs_is_done_twice(
    what: list[tuple[on.Event, float]],
) -> None:
    driven = Driven()
    for event, pause in what:
        driven.on(event)
        driven.wait(pause)
    assert sum(s.ref == "greeting" for s in driven.told(do.Say)) <= 1
    ran = [c.ref for c in driven.told(do.RunTool)]
    assert len(ran) == len(set(ran))
    answered = [c.ref for c in driven.told(do.AnswerTool)]
    assert len(answered) == len(set(answered))
    assert len(driven.told(do.Refer)) <= driven.call.rules.limits.transfers + 1


@settings(max_examples=400)
@given(steps)
def test_whatever_happens_each_function_call_is_answered_or_still_runs(
    what: list[tuple[on.Event, float]],
) -> None:
    driven = Driven()
    for event, pause in what:
        listened = driven.call.phase in LISTENED
        driven.on(event)
        if listened and isinstance(event, on.ToolAsked | on.ToolVoided):
            assert event.ref in driven.call.tools
        if driven.call.phase is not Phase.ENDED:
            owed = {c.ref for c in driven.call.tools.owed}
            answered = {c.ref for c in driven.told(do.AnswerTool)}
            assert set(driven.call.tools.calls) == owed | answered
        driven.wait(pause)
    if driven.call.phase is Phase.ENDED:
        cancelled = {ref for c in driven.told(do.CancelTools) for ref in c.refs}
        assert {c.ref for c in driven.call.tools.owed} <= cancelled


@settings(max_examples=400)
@given(steps)
def test_whatever_happens_every_directive_is_on_record_with_what_came_of_it(
    what: list[tuple[on.Event, float]],
) -> None:
    driven = Driven()
    for event, pause in what:
        driven.on(event)
        driven.wait(pause)
    given_to_it = [e.directive for e, _ in what if isinstance(e, on.Directed)]
    noted = driven.call.instructions
    assert [i.directive for i in noted] == given_to_it
    assert all(i.by == "alice" and i.n == n for n, i in enumerate(noted))
    said = {s.ref for s in driven.told(do.Say)}
    for each in noted:
        match each.effect:
            case Effect.REFUSED:
                assert each.why
            case Effect.KEPT | Effect.DONE:
                assert each.ref not in said
            case _:
                assert each.ref in said
    assert len([s for s in driven.told(do.Say) if s.ref.startswith("say:")]) == len(
        [r for r in said if r.startswith("say:")]
    )
