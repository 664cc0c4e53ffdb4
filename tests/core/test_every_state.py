"""What must hold in every state that any order of events can lead to."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.events import Refusal, SayEnd
from offhook.core.outcomes import Answered, Cancelled, Failed, HangUp, Transfer
from offhook.core.transcript import Who
from support.calls import Driven

refs = st.sampled_from(["call_1", "call_2"])
items = st.sampled_from(["item_1", "item_2", "item_3"])
outcomes = st.sampled_from(
    [Answered("x"), Failed("y"), Cancelled("z"), Transfer("support"), Transfer("no"), HangUp()]
)
events: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            on.Accepted(),
            on.Rejected(),
            on.RejectFailed(),
            on.Attached(),
            on.SidebandLost(),
            on.NothingHeard(60),
            on.SessionExpired(),
            on.BotStarted("greeting"),
            on.BotStopped(),
            on.ModelFailed("x"),
            on.Referred(),
            on.ReferFailed(),
            on.HungUp(),
            on.HangUpFailed(),
            on.ShutDown(),
            on.TimeUp(),
            on.Broke("x"),
            on.HookAnswered(None),
            on.HookAnswered("x"),
            on.HookAnswered(Transfer("sales")),
            on.HookAnswered(HangUp()),
            on.Used(input_tokens=1),
            on.Complained("x", "y", "z"),
        ]
    ),
    st.builds(on.AcceptRefused, st.sampled_from(Refusal), st.just(""), st.booleans()),
    st.builds(on.AttachFailed, st.sampled_from(Refusal)),
    st.builds(on.ToolAsked, refs, st.just("lookup"), st.just("{}"), st.booleans()),
    st.builds(on.ToolVoided, refs, st.just("lookup")),
    st.builds(on.ToolEnded, refs, outcomes),
    st.builds(
        on.SayEnded,
        st.sampled_from(["greeting", "announce", "goodbye", "transfer_failed", "hook"]),
        st.sampled_from(SayEnd),
    ),
    st.builds(on.DigitPressed, st.sampled_from("0*#")),
    st.builds(on.CallerStarted, items),
    st.builds(on.CallerSilent, items),
    st.builds(on.CallerSaid, items, st.text(max_size=5)),
    st.builds(on.BotSaid, items, st.text(max_size=5)),
    st.builds(on.BotCut, items, st.integers(0, 9999)),
    st.builds(on.UtteranceOpened, items, st.sampled_from(Who), items),
)
steps = st.lists(st.tuples(events, st.floats(0, 30)), max_size=60)


@settings(max_examples=400, deadline=None)
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


@settings(max_examples=400, deadline=None)
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
    if driven.call.phase is Phase.LIVE:
        owed = {c.ref for c in driven.call.tools.owed}
        assert set(driven.call.tools.calls) == owed | set(answered)
