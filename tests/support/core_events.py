"""Any order of events that a call may see, for tests of what must hold whatever happens."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from offhook.core import events as on
from offhook.core.directives import (
    Directive,
    EndCall,
    MuteTools,
    SayThis,
    TransferTo,
    Whisper,
)
from offhook.core.events import Refusal, SayEnd
from offhook.core.outcomes import Answered, Cancelled, Failed, HangUp, Transfer
from offhook.core.transcript import Who
from offhook.core.usage import Tokens

refs = st.sampled_from(["call_1", "call_2"])
items = st.sampled_from(["item_1", "item_2", "item_3"])
outcomes = st.sampled_from(
    [Answered("x"), Failed("y"), Cancelled("z"), Transfer("support"), Transfer("no"), HangUp()]
)
directives: st.SearchStrategy[Directive] = st.sampled_from(
    [
        SayThis("One moment."),
        SayThis("Stop!", now=True),
        Whisper("She is a premium customer."),
        TransferTo("support", "asked for"),
        TransferTo("nobody"),
        EndCall("enough"),
        MuteTools(),
        MuteTools(muted=False),
    ]
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
            on.ExpiryTold(1900.0),
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
            on.Used("resp_1", Tokens(text_in=1)),
            on.TranscriptionUsed("item_1", seconds=2.0),
            on.ReplyAsked(),
            on.ReplyBegun("resp_1"),
            on.Complained("x", "y", "z"),
            on.ReplyFailed("x"),
            on.ReplyMissing(5.0),
            on.TranscriptMissing(4),
        ]
    ),
    st.builds(on.AcceptRefused, st.sampled_from(Refusal), st.just(""), st.booleans()),
    st.builds(on.AttachFailed, st.sampled_from(Refusal)),
    st.builds(on.ToolAsked, refs, st.just("lookup"), st.just("{}"), st.booleans()),
    st.builds(on.Directed, directives, st.just("alice")),
    st.builds(on.ToolVoided, refs, st.just("lookup")),
    st.builds(on.ToolEnded, refs, outcomes),
    st.builds(
        on.SayEnded,
        st.sampled_from(["greeting", "announce", "goodbye", "transfer_failed", "hook", "say:0"]),
        st.sampled_from(SayEnd),
    ),
    st.builds(on.DigitPressed, st.sampled_from("0*#")),
    st.builds(on.CallerStarted, items),
    st.builds(on.CallerStopped, items, st.sampled_from([None, 0.5])),
    st.builds(on.CallerSilent, items),
    st.builds(on.CallerSaid, items, st.text(max_size=5)),
    st.builds(on.BotSaid, items, st.text(max_size=5)),
    st.builds(on.BotCut, items, st.integers(0, 9999)),
    st.builds(on.UtteranceOpened, items, st.sampled_from(Who), items),
)
steps = st.lists(st.tuples(events, st.floats(0, 30)), max_size=60)
