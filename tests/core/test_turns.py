"""The turns of a call: when the caller stopped, when an answer was begun, heard, and by whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.core import events as on
from offhook.core.directives import MuteTools
from offhook.core.outcomes import Answered, Transfer
from offhook.core.transcript import Who
from offhook.core.turns import Turn, covered
from support.calls import Driven

DONE = Answered("done")


class Timed(Driven):
    """A live call whose clock is told in seconds since it went live."""

    def __init__(self) -> None:
        super().__init__()
        self.live()
        self.start = self.now

    def at(self, seconds: float, *events: on.Event) -> None:
        """Step by these events at that time."""
        self.now = self.start + seconds
        self.on(*events)

    def turn(self, item: str = "u1") -> Turn:
        return self.call.turns.log[item]

    def since(self, mark: float | None) -> float | None:
        return None if mark is None else round(mark - self.start, 6)


def answered() -> Timed:
    """The caller asked, and heard an answer."""
    call = Timed()
    call.at(0, on.CallerStarted("u1"))
    call.at(1.0, on.CallerStopped("u1", 0.5))
    call.at(1.1, on.ReplyBegun("r1"))
    call.at(1.4, on.BotStarted(None, "r1"))
    return call


def test_an_answer_is_timed_from_the_end_of_speech_to_its_first_sound() -> None:
    call = answered()
    turn = call.turn()
    assert call.since(turn.speech_ended_at) == 0.5
    assert call.since(turn.stopped_at) == 1.0
    assert call.since(turn.response_at) == 1.1
    assert call.since(turn.audio_at) == 1.4
    assert turn.latency == pytest.approx(0.9)
    assert turn.own == 0.0
    assert turn.tool_time(call.call.tools) is None


def test_where_the_cloud_goes_by_meaning_the_end_of_speech_and_the_latency_are_unknown() -> None:
    call = Timed()
    call.at(1.0, on.CallerStopped("u1"))
    call.at(1.1, on.ReplyBegun("r1"))
    call.at(1.4, on.BotStarted(None, "r1"))
    assert call.turn().speech_ended_at is None
    assert call.turn().latency is None
    assert call.since(call.turn().audio_at) == 1.4


def test_late_words_and_repeated_frames_change_no_mark() -> None:
    call = answered()
    before = call.call.turns
    call.at(
        5.0,
        on.CallerSaid("u1", "Hello."),
        on.UtteranceOpened("u1", Who.CALLER),
        on.CallerStopped("u1", 0.5),
        on.ReplyBegun("r1"),
        on.BotStarted(None, "r1"),
        on.CallerNotUnderstood("u1", "late"),
    )
    assert call.call.turns is before


def test_a_response_that_already_spoke_when_the_caller_cut_in_answers_no_new_turn() -> None:
    call = answered()
    call.at(2.0, on.CallerStarted("u2"))
    call.at(2.5, on.CallerStopped("u2", 0.5))
    call.at(2.6, on.BotStarted(None, "r1"))  # the first answer goes on: the caller may not cut in
    assert call.turn("u2").audio_at is None
    call.at(2.7, on.ReplyBegun("r2"))
    call.at(3.0, on.BotStarted(None, "r2"))
    assert call.since(call.turn("u2").response_at) == 2.7
    assert call.turn("u2").latency == pytest.approx(1.0)
    assert call.since(call.turn("u1").audio_at) == 1.4


def test_an_answer_that_the_caller_talked_over_stays_with_its_own_turn() -> None:
    call = Timed()
    call.at(1.0, on.CallerStopped("u1", 0.5), on.ReplyBegun("r1"))
    call.at(1.2, on.CallerStarted("u2"))
    call.at(2.0, on.CallerStopped("u2", 0.5))
    call.at(2.1, on.BotStarted(None, "r1"))
    assert call.since(call.turn("u1").audio_at) == 2.1
    assert call.turn("u2").audio_at is None


def test_the_first_response_with_a_sound_is_the_answer() -> None:
    call = answered()
    call.at(3.0, on.ReplyBegun("r2"))
    call.at(3.2, on.BotStarted(None, "r2"))
    turn = call.turn()
    assert (call.since(turn.response_at), call.since(turn.audio_at)) == (1.1, 1.4)
    assert turn.responses == ("r1", "r2")


def test_what_we_ourselves_want_said_answers_no_turn() -> None:
    call = Timed()
    call.at(1.0, on.CallerStopped("u1", 0.5))
    call.at(1.2, on.BotStarted("announce", "r1"))
    call.at(1.3, on.BotStarted("goodbye", "r2"))
    assert call.turn().response_at is None
    assert call.turn().audio_at is None


def test_a_greeting_begins_and_answers_no_turn() -> None:
    call = Driven().live()
    assert not call.call.turns.log


def test_a_prompt_because_of_silence_answers_no_turn() -> None:
    call = Timed()
    call.at(1.0, on.CallerStopped("u1", 0.5))  # noise that nobody answered
    call.at(9.0, on.CallerSilent("s1"))
    call.at(9.1, on.ReplyBegun("r1"))
    call.at(9.3, on.BotStarted(None, "r1"), on.CallerStopped("s1", 0.5))
    assert list(call.call.turns.log) == ["u1"]
    assert call.turn().response_at is None
    assert call.turn().audio_at is None
    call.at(12.0, on.CallerStopped("u2", 0.5), on.CallerSilent("s1"))  # told once more: no news
    call.at(12.5, on.ReplyBegun("r2"))
    assert call.turn("u2").responses == ("r2",)


def asked_for_tools() -> Timed:
    """Two tools at once, the second one slower; then the model goes on."""
    call = Timed()
    call.at(1.0, on.CallerStopped("u1", 0.5))
    call.at(1.1, on.ReplyBegun("r1"))
    call.at(1.5, on.ToolAsked("c1", "lookup", "{}", False, "r1"))
    call.at(1.5, on.ToolAsked("c2", "stock", "{}", False, "r1"))
    call.at(2.0, on.ToolEnded("c1", DONE, 0.4))
    call.at(2.5, on.ToolEnded("c2", DONE, 0.9))
    return call


def test_tools_that_run_side_by_side_are_counted_once() -> None:
    call = asked_for_tools()
    assert call.turn().tool_time(call.call.tools) == pytest.approx(1.0)


def test_our_own_share_is_what_neither_the_cloud_nor_a_tool_took() -> None:
    call = asked_for_tools()
    call.at(2.7, on.ReplyAsked(("c1", "c2")))
    call.at(2.8, on.ReplyBegun("r2", ("c1", "c2")))
    call.at(3.0, on.BotStarted(None, "r2"))
    turn = call.turn()
    assert turn.own == pytest.approx(1.2 - 0.9)  # until the tools ran, and after they had ended
    assert turn.latency == pytest.approx(2.5)
    assert turn.responses == ("r1", "r2")


def test_a_request_that_is_sent_again_adds_nothing_to_our_share() -> None:
    call = asked_for_tools()
    call.at(2.7, on.ReplyAsked(("c1", "c2")))
    once = call.turn().own
    call.at(8.0, on.ReplyAsked(("c1", "c2")))
    assert call.turn().own == once


def test_what_waits_because_the_caller_speaks_again_is_not_our_share() -> None:
    call = asked_for_tools()
    call.at(9.0, on.CallerStopped("u2", 0.5), on.ReplyAsked(("c1", "c2")))
    call.at(9.1, on.ReplyBegun("r2", ("c1", "c2")))
    assert call.turn("u1").own == 0.0
    assert call.turn("u1").responses == ("r1", "r2")
    assert call.turn("u2").responses == ()


def test_where_we_answer_ourselves_our_share_begins_when_we_are_told() -> None:
    call = Timed()
    call.at(1.0, on.CallerStopped("u1", 0.5))
    call.at(1.25, on.ReplyAsked())
    call.at(1.3, on.ReplyBegun("r1"))
    call.at(1.6, on.BotStarted(None, "r1"))
    assert call.turn().own == pytest.approx(0.25)
    assert call.turn().latency == pytest.approx(1.1)


def test_a_tool_that_a_pressed_key_led_to_belongs_to_no_turn() -> None:
    call = answered()
    call.at(4.0, on.ToolAsked("c1", "lookup", "{}", False, "r_key"))
    call.at(5.0, on.ToolEnded("c1", DONE), on.ReplyAsked(("c1",)), on.ReplyBegun("r9", ("c1",)))
    assert call.turn().tool_time(call.call.tools) is None
    assert call.turn().responses == ("r1",)
    assert call.turn().own == 0.0


def test_an_answer_after_a_tool_that_may_not_run_now_answers_the_turn_too() -> None:
    call = Timed()
    call.at(0.5, on.Directed(MuteTools(), "alice"))
    call.at(1.0, on.CallerStopped("u1", 0.5), on.ReplyBegun("r1"))
    call.at(1.5, on.ToolAsked("c1", "lookup", "{}", False, "r1"))
    call.at(1.5, on.ReplyAsked(("c1",)), on.ReplyBegun("r2", ("c1",)))
    call.at(2.0, on.BotStarted(None, "r2"))
    assert call.turn().latency == pytest.approx(1.5)
    assert call.turn().tool_time(call.call.tools) == 0.0


def test_a_tool_that_still_runs_does_not_count_yet() -> None:
    call = answered()
    call.at(2.0, on.ToolAsked("c1", "lookup", "{}", True, "r1"))
    assert call.turn().tool_time(call.call.tools) == 0.0
    call.at(3.5, on.ToolEnded("c1", Transfer("sales")))
    assert call.turn().tool_time(call.call.tools) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 0.0),
        ([(1, 2)], 1.0),
        ([(1, 3), (2, 4)], 3.0),
        ([(5, 6), (1, 2)], 2.0),
        ([(1, 9), (2, 3), (4, 5)], 8.0),
    ],
)
def test_spans_that_overlap_cover_their_time_once(
    spans: list[tuple[float, float]], seconds: float
) -> None:
    assert covered(spans) == seconds


items = st.sampled_from(["u1", "u2", "u3"])
responses = st.sampled_from(["r1", "r2", "r3", "r4"])
refs = st.sampled_from(["c1", "c2", "c3"])
after = st.lists(refs, max_size=2, unique=True).map(tuple)
orders = st.sampled_from([None, None, None, "greeting", "announce", "goodbye"])
events = st.one_of(
    st.builds(on.CallerStarted, items),
    st.builds(on.CallerStopped, items, st.sampled_from([None, 0.5])),
    st.builds(on.CallerSilent, st.sampled_from(["s1", "s2"])),
    st.builds(on.CallerSaid, items, st.just("words")),
    st.builds(on.ReplyAsked, after),
    st.builds(on.ReplyBegun, responses, after),
    st.builds(on.BotStarted, orders, responses),
    st.builds(on.ToolAsked, refs, st.just("lookup"), st.just("{}"), st.booleans(), responses),
    st.builds(on.ToolEnded, refs, st.just(DONE), st.sampled_from([None, 0.1])),
    st.just(on.BotStopped()),
    st.just(on.SidebandLost()),
    st.just(on.Attached()),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(events, st.floats(0.001, 5)), max_size=50))
def test_whatever_comes_and_however_often_a_mark_is_set_once_and_marks_are_in_order(
    told: list[tuple[on.Event, float]],
) -> None:
    call = Timed()
    for event, pause in told:
        before = call.call.turns
        call.on(event)
        after = call.call.turns
        assert list(after.log)[: len(before.log)] == list(before.log)
        for item, turn in before.log.items():
            _only_added(turn, after.log[item])
        once = call.call.turns
        call.now += pause
        call.on(event)
        if not isinstance(event, on.BotStarted | on.ReplyBegun | on.ReplyAsked):
            assert call.call.turns is once  # told again, it changes nothing
    for turn in call.call.turns.log.values():
        marks = (turn.speech_ended_at, turn.stopped_at, turn.response_at, turn.audio_at)
        known = [mark for mark in marks if mark is not None]
        assert known == sorted(known)
        assert turn.audio_at is None or turn.response_at is not None
        assert turn.own >= 0.0
    answers = [r for t in call.call.turns.log.values() for r in t.responses]
    assert len(answers) == len(set(answers))


def _only_added(before: Turn, after: Turn) -> None:
    assert after.stopped_at == before.stopped_at
    assert after.speech_ended_at == before.speech_ended_at
    assert before.response_at in (None, after.response_at)
    assert before.audio_at in (None, after.audio_at)
    assert after.responses[: len(before.responses)] == before.responses


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_frames_that_come_late_or_twice_change_nothing_of_an_ordinary_turn(
    data: st.DataObject,
) -> None:
    told: list[tuple[float, on.Event]] = [
        (1.0, on.CallerStopped("u1", 0.5)),
        (1.1, on.ReplyBegun("r1")),
        (1.4, on.BotStarted(None, "r1")),
        (4.0, on.CallerStopped("u2", 0.5)),
        (4.2, on.ReplyBegun("r2")),
        (4.5, on.BotStarted(None, "r2")),
    ]
    clean = Timed()
    for at, event in told:
        clean.at(at, event)
    again = data.draw(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 9)), max_size=12))
    late = [
        (max(told[n][0], at) + 0.001, told[n][1]) for n, at in again
    ]  # each once more, some time after it came first
    words: list[tuple[float, on.Event]] = [
        (data.draw(st.floats(0, 9)), on.CallerSaid(item, "words")) for item in ("u1", "u2")
    ]
    noisy = Timed()
    for at, event in sorted([*told, *late, *words], key=lambda e: e[0]):
        noisy.at(at, event)
    assert noisy.call.turns == clean.call.turns
