"""What was said, in spoken order, with what was not heard marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.core.transcript import Transcript, Who


def test_a_late_transcript_stands_where_it_was_spoken() -> None:
    script = Transcript().open("u1", Who.CALLER, 1.0).open("a1", Who.BOT, 2.0)
    script = script.say("a1", Who.BOT, "Hi!", 3.0).say("u1", Who.CALLER, "Hello?", 4.0)
    assert [(u.who, u.text) for u in script] == [("caller", "Hello?"), ("bot", "Hi!")]


def test_an_item_stands_after_the_one_that_it_follows() -> None:
    script = Transcript().open("a", Who.BOT, 1.0).open("c", Who.BOT, 2.0)
    assert [u.item for u in script.open("b", Who.CALLER, 3.0, after="a")] == ["a", "b", "c"]


def test_one_sentence_is_written_once_however_often_it_is_told() -> None:
    script = Transcript()
    for _ in range(3):
        script = script.open("a", Who.BOT, 1.0).say("a", Who.BOT, "Hi!", 1.0)
    assert len(script.utterances) == 1


def test_what_was_not_heard_is_marked_and_kept() -> None:
    script = Transcript().say("a", Who.BOT, "one two three four", 1.0)
    [utterance] = script.spoken("a", 4000).cut("a", 2000).utterances
    assert utterance.cut
    assert utterance.heard == "one two"
    assert utterance.unheard == "three four"


def test_a_cut_after_the_last_word_loses_nothing() -> None:
    script = Transcript().say("a", Who.BOT, "one two", 1.0).spoken("a", 1000).cut("a", 1500)
    assert script.utterances[0].heard == "one two"


@given(st.text(max_size=40), st.integers(0, 5000), st.integers(0, 5000) | st.none())
def test_heard_and_unheard_are_the_whole_text(text: str, heard_ms: int, spoken: int | None) -> None:
    script = Transcript().say("a", Who.BOT, text, 1.0).cut("a", heard_ms)
    if spoken is not None:
        script = script.spoken("a", spoken)
    [utterance] = script.utterances
    assert text.startswith(utterance.heard)
    assert utterance.unheard == text[len(utterance.heard) :].strip()
