"""What a call has used adds up, each part once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.core import events as on
from offhook.core.usage import Tokens, Usage
from support.calls import Driven

counts = st.integers(0, 10_000)
tokens = st.builds(
    Tokens, text_in=counts, audio_in=counts, text_cached=counts, text_out=counts, audio_out=counts
)


def test_responses_and_transcriptions_add_up_apart() -> None:
    call = Driven().live()
    call.on(
        on.Used("resp_1", Tokens(text_in=100, audio_out=20)),
        on.Used("resp_2", Tokens(text_cached=90, text_in=30, audio_out=5)),
        on.TranscriptionUsed("item_1", seconds=2.0),
        on.TranscriptionUsed("item_2", Tokens(audio_in=30, text_out=4)),
    )
    usage = call.call.usage
    assert usage.responses == Tokens(text_in=130, text_cached=90, audio_out=25)
    assert usage.transcripts == Tokens(audio_in=30, text_out=4)
    assert (usage.seconds, usage.unknown) == (2.0, 0)


def test_what_is_unknown_is_counted_as_unknown() -> None:
    call = Driven().live()
    call.on(on.Used("resp_1"), on.TranscriptionUsed("item_1"), on.Used("resp_1", Tokens(text_in=1)))
    assert call.call.usage.unknown == 2
    assert call.call.usage.responses == Tokens()


def test_usage_after_the_end_still_counts() -> None:
    call = Driven().live()
    call.gone()
    call.on(on.Used("resp_1", Tokens(text_in=7)))
    assert call.call.usage.responses.input == 7


@given(st.lists(st.tuples(st.sampled_from("abcdef"), tokens), max_size=12))
def test_however_often_a_part_comes_it_counts_once(told: list[tuple[str, Tokens]]) -> None:
    usage, total = Usage(), Tokens()
    for response, used in told + told:
        usage = usage.responded(response, used)
    for used in dict(reversed(told)).values():
        total += used
    assert usage.responses == total


def test_what_was_used_since_and_what_before_are_the_whole() -> None:
    before = Usage().responded("r1", Tokens(text_in=5, audio_out=7)).transcribed("u1", None, 2.0)
    after = before.responded("r2", Tokens(text_in=1, text_cached=3)).responded("r3", None)
    more = after.since(before)
    assert before.responses + more.responses == after.responses
    assert (more.responses, more.seconds, more.unknown) == (Tokens(text_in=1, text_cached=3), 0, 1)
