"""The facts of turns and of usage, made from what a step has changed."""

from __future__ import annotations

from offhook.core import events as on
from offhook.core.outcomes import Answered
from offhook.core.usage import Tokens
from offhook.runtime.measured import turn_facts, usage_fact
from offhook.store.facts import TurnFact, UsageFact
from offhook.store.prices import list_prices, tariff
from support.calls import Driven

TARIFF = tariff(list_prices(), "gpt-realtime-2.1", "gpt-realtime-whisper")


class Written:
    """A live call, with the facts of each of its steps; its clock begins at second 1000."""

    def __init__(self) -> None:
        self.driven = Driven().live()
        self.start = self.driven.now

    def ms(self, time: float) -> int:
        return round((time - self.start + 1000) * 1000)

    def turns(self, at: float, *events: on.Event) -> list[TurnFact]:
        self.driven.now = self.start + at
        facts: list[TurnFact] = []
        for event in events:
            before = self.driven.call
            self.driven.on(event)
            facts += turn_facts(before, self.driven.call, self.ms, int)
        return facts

    def usage(self, event: on.Event) -> list[UsageFact]:
        self.driven.on(event)
        told = usage_fact("rtc_1", event, 7, TARIFF, int)
        return [] if told is None else [told]


def test_a_turn_is_told_once_its_answer_is_heard() -> None:
    call = Written()
    assert call.turns(1.0, on.CallerStopped("u1", 0.5)) == []
    assert call.turns(1.1, on.ReplyBegun("r1")) == []
    told = call.turns(1.4, on.BotStarted(None, "r1"), on.BotStopped(), on.CallerSaid("u1", "Hi."))
    assert told == [
        TurnFact(
            call_id="rtc_1",
            item="u1",
            n=0,
            stopped_at=1_001_000,
            speech_ended_at=1_000_500,
            response_at=1_001_100,
            audio_at=1_001_400,
            latency_ms=900,
            tool_ms=None,
            own_ms=0,
        )
    ]


def test_a_tool_that_ends_after_the_preamble_was_heard_tells_the_turn_again() -> None:
    call = Written()
    call.turns(1.0, on.CallerStopped("u1", 0.5), on.ReplyBegun("r1"))
    call.turns(1.2, on.ToolAsked("c1", "lookup", "{}", True, "r1"))
    (heard,) = call.turns(1.4, on.BotStarted(None, "r1"))
    assert heard.tool_ms == 0
    (ended,) = call.turns(3.2, on.ToolEnded("c1", Answered("x"), 1.9))
    assert (ended.tool_ms, ended.latency_ms) == (2000, 900)
    (own,) = call.turns(3.3, on.ReplyAsked(("c1",)))
    assert own.own_ms == 200


def test_a_turn_that_nobody_answered_is_told_when_the_call_ends() -> None:
    call = Written()
    call.turns(1.0, on.CallerStopped("u1"), on.ReplyBegun("r1"), on.BotStarted(None, "r1"))
    call.turns(5.0, on.CallerStopped("u2"))
    lost = on.AttachFailed(on.Refusal.GONE, "http 404")
    (unanswered,) = call.turns(9.0, on.SidebandLost(), lost)
    assert (unanswered.item, unanswered.n) == ("u2", 1)
    assert unanswered.speech_ended_at is None
    assert unanswered.audio_at is None
    assert unanswered.latency_ms is None


def test_what_a_response_used_is_told_with_all_kinds() -> None:
    call = Written()
    tokens = Tokens(text_in=1, audio_in=2, image_in=3, text_cached=4, text_out=5, audio_out=6)
    (fact,) = call.usage(on.Used("r1", tokens))
    assert fact == UsageFact(
        call_id="rtc_1",
        ref="r1",
        at=7,
        model="gpt-realtime-2.1",
        kind="response",
        text_in=1,
        audio_in=2,
        image_in=3,
        text_cached=4,
        text_out=5,
        audio_out=6,
    )


def test_what_a_transcription_used_is_told_with_its_own_model() -> None:
    call = Written()
    (fact,) = call.usage(on.TranscriptionUsed("u1", seconds=3.0))
    assert (fact.kind, fact.model) == ("transcription", "gpt-realtime-whisper")
    assert (fact.seconds, fact.known) == (3.0, True)


def test_what_is_unknown_is_told_as_unknown() -> None:
    call = Written()
    (response,) = call.usage(on.Used("r1"))
    (words,) = call.usage(on.TranscriptionUsed("u1"))
    assert (response.known, words.known) == (False, False)


def test_other_events_use_nothing() -> None:
    assert Written().usage(on.CallerSaid("u1", "Hi.")) == []
