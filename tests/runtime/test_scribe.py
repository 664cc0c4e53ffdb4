"""The record of a call is the difference of its values, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from offhook.core import events as on
from offhook.core.call import Phase
from offhook.core.consent import Policy as Consenting
from offhook.core.consent import Terms, begin
from offhook.core.directives import Whisper
from offhook.core.events import SayEnd
from offhook.core.outcomes import Answered, Failed, HangUp, Transfer
from offhook.core.party import Party
from offhook.core.step import step
from offhook.core.transcript import Who
from offhook.runtime.checkpoint import Upto, unseal
from offhook.runtime.desk import Desk
from offhook.runtime.scribe import AT_ONCE, FINISHED, Scribe
from offhook.store.facts import (
    AnyFact,
    CallFact,
    CheckpointFact,
    ConsentFact,
    MomentFact,
    ToolFact,
    TransferFact,
    UsageFact,
    UtteranceFact,
)
from offhook.store.policy import Policy
from offhook.store.prices import prices, tariff
from offhook.store.upserts import newest
from offhook.store.vault import Vault
from offhook.store.writer import Make, Writer
from support.calls import Driven
from support.serving import logging_to


class Taken(list[AnyFact]):
    """Takes facts as the writer does, and keeps them."""

    def __init__(self) -> None:
        super().__init__()
        self.announced: list[Make] = []

    def take(self, facts: Sequence[AnyFact]) -> None:
        """Keep them."""
        self.extend(facts)

    def later(self, make: Make) -> None:
        """Note whom to ask for facts."""
        self.announced.append(make)

    def ask(self) -> None:
        """Have what was announced."""
        while self.announced:
            self.extend(self.announced.pop(0)())

    async def stored(self, within: float) -> bool:
        """The database has all of it, once what was announced is asked for."""
        self.ask()
        return True

    def all_of(self, kind: type[AnyFact]) -> list[AnyFact]:
        """Those of a kind, outdated ones among them."""
        return [fact for fact in self if type(fact) is kind]

    def rows(self, kind: type[AnyFact]) -> list[dict[str, Any]]:
        """What becomes of those of a kind in the database."""
        return [asdict(fact) for fact in newest(self).get(kind, [])]


class Recorded(Driven):
    """A call driven by hand, with its scribe; `gathers`: its steps are worked out together."""

    def __init__(self, *, gathers: bool = False, **limits: Any) -> None:
        super().__init__(**limits)
        self.gathers = gathers
        self.call = self.call.with_(caller=Party("+15550142", "Ann Example"), called="+15550100")
        self.taken = Taken()
        desk = Desk(
            writer=cast("Writer", self.taken),
            policy=Policy(),
            vault=Vault(None),
            provider="openai",
            model="m",
            replica="r",
            tariff=tariff(prices(), "m", None),
        )
        self.scribe = Scribe(desk, self.call, lambda: self.now)
        self.scribe.began(self.call)

    def on(self, *events: on.Event) -> list[Any]:
        """Step by each, and have it noted."""
        commands = []
        for event in events:
            before = self.call
            commands += super().on(event)
            self.scribe.stepped(before, event, self.call)
            if not self.gathers:
                self.taken.ask()
        return commands

    def row(self) -> dict[str, Any]:
        """The row of the call."""
        (row,) = self.taken.rows(CallFact)
        return row

    def script(self) -> list[tuple[str, str | None, int | None]]:
        """Who said what, and after how many milliseconds it was cut off, in spoken order."""
        said = sorted(self.taken.rows(UtteranceFact), key=lambda row: row["place"])
        return [(row["who"], row["text"], row["heard_ms"]) for row in said]

    def timeline(self) -> list[tuple[str, str | None]]:
        """Kinds and details of its moments."""
        return [(row["kind"], row["detail"]) for row in self.taken.rows(MomentFact)]


@pytest.fixture
def live() -> Recorded:
    call = Recorded()
    call.on(on.Accepted(), on.Attached(), on.BotStarted("greeting"))
    return call


def test_a_late_transcript_takes_the_place_where_it_was_spoken(live: Recorded) -> None:
    live.on(on.UtteranceOpened("u1", Who.CALLER), on.BotSaid("b1", "Yes."))
    assert live.script() == [("bot", "Yes.", None)]
    live.on(on.CallerSaid("u1", "Are you there?"))
    assert live.script() == [("caller", "Are you there?", None), ("bot", "Yes.", None)]


def test_what_is_put_in_between_moves_what_follows(live: Recorded) -> None:
    live.on(on.BotSaid("b1", "One."), on.BotSaid("b2", "Three."))
    live.on(on.UtteranceOpened("u1", Who.CALLER, after="b1"), on.CallerSaid("u1", "Two."))
    assert [text for _, text, _ in live.script()] == ["One.", "Two.", "Three."]


def test_a_cut_is_marked_even_before_the_text_is_known(live: Recorded) -> None:
    live.on(on.UtteranceOpened("b1", Who.BOT), on.BotCut("b1", 700))
    assert live.script() == [("bot", None, 700)]
    live.on(on.BotSaid("b1", "A long story."))
    assert live.script() == [("bot", "A long story.", 700)]


def test_speech_that_was_never_understood_is_on_record_without_words(live: Recorded) -> None:
    live.on(on.UtteranceOpened("u1", Who.CALLER), on.CallerNotUnderstood("u1", "no model"))
    live.on(on.SidebandLost(""), on.AttachFailed(on.Refusal.GONE))
    assert live.call.phase is Phase.ENDED
    assert live.script() == [("caller", None, None)]
    assert ("not_understood", "no model") in live.timeline()


def test_words_that_come_after_the_end_are_still_taken_down(live: Recorded) -> None:
    live.on(on.UtteranceOpened("u1", Who.CALLER))
    live.on(on.SidebandLost(""), on.AttachFailed(on.Refusal.GONE))
    live.on(on.CallerSaid("u1", "Goodbye."))
    assert live.script() == [("caller", "Goodbye.", None)]
    assert live.row()["utterances"] == 1


def test_a_tool_is_on_record_before_it_runs_and_after(live: Recorded) -> None:
    live.on(on.ToolAsked("c1", "pays", '{"amount":5}'))
    assert [(t["outcome"], t["arguments"]) for t in live.taken.rows(ToolFact)] == [
        ("running", '{"amount":5}')
    ]
    live.now += 2
    live.on(on.ToolEnded("c1", Answered("paid")))
    (tool,) = live.taken.rows(ToolFact)
    assert (tool["outcome"], tool["output"]) == ("answered", "paid")
    assert tool["ended_at"] - tool["asked_at"] == 2000


def test_the_error_of_a_tool_is_kept_without_what_is_personal(live: Recorded) -> None:
    live.on(on.ToolAsked("c1", "pays", "{}"))
    live.on(on.ToolEnded("c1", Failed("no answer from ann@example.com")))
    (tool,) = live.taken.rows(ToolFact)
    assert (tool["outcome"], tool["output"]) == ("failed", None)
    assert tool["error"] == "no answer from [email:1]"


def test_a_transfer_is_on_record_while_it_is_under_way(live: Recorded) -> None:
    live.on(on.ToolAsked("c1", "handoff", "{}"), on.ToolEnded("c1", Transfer("sales", "asked")))
    (transfer,) = live.taken.rows(TransferFact)
    assert (transfer["n"], transfer["target"], transfer["outcome"]) == (0, "sales", None)
    live.on(on.SayEnded("announce", SayEnd.HEARD), on.ReferFailed("404"))
    (transfer,) = live.taken.rows(TransferFact)
    assert (transfer["outcome"], transfer["detail"]) == ("refused", "404")


def test_keys_are_counted_in_runs_and_never_told(live: Recorded) -> None:
    live.on(*(on.DigitPressed(key) for key in "4711"))
    live.on(on.Complained("code", "ask", "detail"))
    live.on(on.DigitPressed("9"))
    told = [moment for moment in live.timeline() if moment[0] in ("keys", "complaint")]
    assert told == [("keys", "4"), ("complaint", "code: ask: detail"), ("keys", "1")]


def test_a_call_that_is_told_twice_to_end_is_on_record_as_told_once(live: Recorded) -> None:
    live.on(on.ShutDown(), on.ShutDown())
    kinds = [kind for kind, _ in live.timeline()]
    assert kinds[-3:] == ["shutting_down", "leaving", "hanging_up"]


def test_the_end_names_its_reason_and_whose_fault_it_was(live: Recorded) -> None:
    live.now += 5
    live.on(on.SessionExpired("60 minutes"), on.HungUp())
    row = live.row()
    assert (row["phase"], row["reason"], row["fault"]) == ("ended", "session_expired", "cloud")
    assert row["ended_at"] - row["greeted_at"] == 5000
    assert row["detail"] == "60 minutes"


def asked(policy: Consenting) -> Recorded:
    """A live call whose caller was told of this policy."""
    terms = Terms(policy=policy, text="I am an AI.", version="1", language="en")
    call = Recorded()
    call.call = call.call.with_(consent=begin(terms))
    call.on(on.Accepted(), on.Attached())
    return call


def decided(call: Recorded, *, yes: bool) -> None:
    """The caller decides."""
    before = call.call
    call.call = before.with_(consent=before.consent.answered(call.now, yes=yes))
    call.scribe.stepped(before, on.TimeUp(), call.call)
    call.taken.ask()


def test_a_refusal_takes_back_the_words_and_is_evidence() -> None:
    call = asked(Consenting.OPT_OUT)
    call.on(on.CallerSaid("u1", "My secret."), on.ToolAsked("c1", "t", '{"secret":1}'))
    assert call.script() == [("caller", "My secret.", None)]
    decided(call, yes=False)
    call.on(on.CallerSaid("u2", "Another."), on.ToolEnded("c1", Answered("secret")))
    assert call.script() == [("caller", None, None)]
    assert "secret" not in str(newest(call.taken))
    (tool,) = call.taken.rows(ToolFact)
    assert (tool["arguments"], tool["output"], tool["outcome"]) == (None, None, "answered")
    (evidence,) = call.taken.rows(ConsentFact)
    assert (evidence["policy"], evidence["answer"]) == ("opt-out", "refused")
    assert evidence["text"] == "I am an AI."
    assert call.row()["consent"] == "refused"


def test_after_a_refusal_no_reason_repeats_what_was_said() -> None:
    call = asked(Consenting.OPT_OUT)
    call.on(on.ToolAsked("c0", "t", "{}"), on.ToolEnded("c0", Transfer("sales", "My secret.")))
    call.on(on.SayEnded("announce", SayEnd.HEARD), on.ReferFailed("404"))
    assert [row["reason"] for row in call.taken.rows(TransferFact)] == ["My secret."]
    decided(call, yes=False)
    call.on(on.ToolAsked("c1", "t", "{}"), on.ToolEnded("c1", HangUp("That secret.")))
    call.on(on.SayEnded("goodbye", SayEnd.HEARD), on.HungUp())
    assert (call.row()["reason"], call.row()["detail"]) == ("bot_hung_up", None)
    assert "secret" not in str(newest(call.taken))


def test_with_opt_in_words_are_kept_from_the_yes_on() -> None:
    call = asked(Consenting.OPT_IN)
    call.on(on.CallerSaid("u1", "Before."))
    call.now += 1
    decided(call, yes=True)
    call.now += 1
    call.on(on.CallerSaid("u2", "After."))
    assert [text for _, text, _ in call.script()] == [None, "After."]


def test_what_people_told_the_call_is_on_record_without_their_words(live: Recorded) -> None:
    live.on(on.Directed(Whisper("She is a premium customer."), "token:crm"))
    assert ("told_to_whisper", "token:crm: done") in live.timeline()
    assert "premium" not in str(live.taken)


def test_an_event_that_changes_nothing_of_interest_writes_nothing(live: Recorded) -> None:
    live.taken.clear()
    live.on(on.CallerStarted("u1"), on.CallerStopped("u1"), on.BotStopped())
    live.on(on.UtteranceOpened("u1", Who.CALLER))
    assert live.taken == []


def test_a_mistake_of_the_scribe_is_told_and_costs_no_call(live: Recorded) -> None:
    vars(live.scribe._account)["redaction"] = None
    with logging_to() as log:
        live.on(on.Complained("c", "a", "d"))
        (line,) = log.of("bug", call_id=live.call.id)
    assert "AttributeError" in line["exception"]


ITEMS = st.sampled_from(["i1", "i2", "i3", "i4"])
HAPPENINGS = st.one_of(
    st.builds(on.UtteranceOpened, ITEMS, st.sampled_from(Who), st.none() | ITEMS),
    st.builds(on.CallerSaid, ITEMS, st.sampled_from(["Yes.", "No.", ""])),
    st.builds(on.BotSaid, ITEMS, st.sampled_from(["Well.", "So."])),
    st.builds(on.BotSpoke, ITEMS, st.integers(1, 5000)),
    st.builds(on.BotCut, ITEMS, st.integers(0, 5000)),
    st.builds(on.ToolAsked, st.sampled_from(["c1", "c2"]), st.just("t"), st.just("{}")),
    st.builds(on.ToolVoided, st.sampled_from(["c1", "c2"]), st.just("t")),
    st.builds(
        on.ToolEnded,
        st.sampled_from(["c1", "c2"]),
        st.sampled_from([Answered("a"), Failed("f"), Transfer("sales")]),
    ),
    st.sampled_from(
        [
            on.BotStarted(),
            on.SayEnded("announce", SayEnd.HEARD),
            on.Referred(),
            on.ReferFailed("404"),
            on.SidebandLost(""),
            on.Attached(),
            on.AttachFailed(on.Refusal.GONE),
            on.ModelFailed("code"),
            on.HungUp(),
        ]
    ),
)


@given(st.lists(HAPPENINGS, max_size=30))
def test_the_record_is_the_call_whatever_happens(happenings: list[on.Event]) -> None:
    call = Recorded()
    call.on(on.Accepted(), on.Attached(), *happenings)
    said = {
        (u.item, place, u.text, u.spoken_ms, u.heard_ms)
        for place, u in enumerate(call.call.transcript)
        if u.text is not None or u.cut
    }
    fields = ("item", "place", "text", "spoken_ms", "heard_ms")
    rows = {tuple(row[name] for name in fields) for row in call.taken.rows(UtteranceFact)}
    assert {row for row in rows if row[2] is not None or row[4] is not None} == said
    tools = {row["ref"]: row["outcome"] for row in call.taken.rows(ToolFact)}
    assert tools == {ref: tool.result for ref, tool in call.call.tools.calls.items()}
    transfers = [row["outcome"] for row in call.taken.rows(TransferFact)]
    active = [None] if call.call.transfer.active else []
    assert transfers == [a.outcome for a in call.call.transfer.attempts] + active
    assert call.row()["phase"] == call.call.phase
    assert call.row()["reason"] == (call.call.end.reason if call.call.end else None)


@given(st.lists(HAPPENINGS, max_size=30))
def test_it_is_the_same_record_if_many_steps_are_worked_out_together(
    happenings: list[on.Event],
) -> None:
    at_once, together = Recorded(), Recorded(gathers=True)
    for call in (at_once, together):
        call.on(on.Accepted(), on.Attached(), *happenings)
        call.taken.ask()
    for kind in (CallFact, UtteranceFact, ToolFact, TransferFact, MomentFact):
        assert without_rev(at_once.taken.rows(kind)) == without_rev(together.taken.rows(kind))
    one, other = (call.taken.rows(CheckpointFact)[-1] for call in (at_once, together))
    assert (one["state"] is None) is (other["state"] is None)
    waited_for = sum(type(event) in AT_ONCE | FINISHED for event in happenings)
    assert len(together.taken.all_of(CheckpointFact)) <= 2 + waited_for


def test_a_tool_result_is_on_record_before_anything_else_happens() -> None:
    call = Recorded(gathers=True)
    call.on(on.Accepted(), on.Attached(), on.ToolAsked("c1", "lookup", "{}"))
    assert call.taken.all_of(ToolFact) == []
    call.on(on.ToolEnded("c1", Answered("found")))
    assert call.taken.rows(ToolFact)[-1]["output"] == "found"


def test_what_was_said_to_its_end_is_on_record_before_anything_else_happens() -> None:
    call = Recorded(gathers=True)
    call.on(on.Accepted(), on.Attached(), on.UtteranceOpened("u1", Who.CALLER))
    call.on(on.CallerSaid("u1", "Hello."))
    assert call.script() == [("caller", "Hello.", None)]
    call.taken.ask()
    before = len(call.taken)
    call.on(on.BotStarted(), on.UtteranceOpened("b1", Who.BOT), on.BotSaid("b1", "Hi."))
    call.on(on.BotSpoke("b1", 800))
    assert len(call.taken) == before + 1
    call.taken.ask()
    assert call.taken.rows(UtteranceFact)[-1]["spoken_ms"] == 800


def test_what_was_used_is_on_record_once_however_often_the_cloud_tells_it() -> None:
    call = Recorded(gathers=True)
    call.on(on.Accepted(), on.Attached(), on.Used("r1"), on.Used("r1"), on.Used("r2"))
    call.taken.ask()
    call.on(on.Used("r1"), on.TranscriptionUsed("u1", seconds=3.0))
    call.taken.ask()
    used = [(fact.ref, fact.seconds) for fact in call.taken if isinstance(fact, UsageFact)]
    assert used == [("r1", None), ("r2", None), ("u1", 3.0)]


TIMES = ("rang", "accepted", "attached", "greeted", "ended", "asked", "began")


def without_rev(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, but for what orders them and what the clock of the day says."""
    return [{name: row[name] for name in row if name not in UNLIKE} for row in rows]


UNLIKE = {"rev", "at", *(f"{what}_at" for what in TIMES)}


def test_the_caller_is_on_record_as_the_policy_leaves_it(live: Recorded) -> None:
    row = live.row()
    assert (row["line"], row["called"]) == ("default", "+15550100")
    assert row["caller_name"] == "A. E."
    assert "*" in row["caller_masked"]
    assert len(row["caller_hash"]) == 64


def test_all_records_of_a_later_owner_are_newer(live: Recorded) -> None:
    heir = Recorded()
    heir.scribe = Scribe(heir.scribe._desk, heir.call, lambda: heir.now, fence=2)
    heir.taken.clear()
    heir.scribe.began(heir.call)
    (theirs,) = heir.taken.rows(CallFact)
    assert theirs["rev"] > max(row["rev"] for row in live.taken.rows(MomentFact))


async def test_the_last_checkpoint_of_a_call_that_is_given_away_tells_how_far_it_was_stepped(
    live: Recorded,
) -> None:
    """Also where a step was noted just before, and is worked out with it."""
    live.on(on.UtteranceOpened("u1", Who.CALLER))
    before = live.call
    live.call, _ = step(before, on.ToolAsked("call_1", "lookup", "{}"), live.now)
    live.scribe.stepped(before, on.ToolAsked("call_1", "lookup", "{}"), live.call)
    assert await live.scribe.hand_over(live.call, Upto("event_7", 2), 1.0)
    last = unseal(live.taken.rows(CheckpointFact)[-1]["state"], Vault(None))
    assert last is not None
    assert last.seen == Upto("event_7", 2)
    assert "call_1" in last.call.tools
    assert len(live.taken.rows(ToolFact)) == 1
    assert live.script() == [("caller", None, None)]  # whose words the heir will hear
