"""A turn of a long call costs what a turn of a short one does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offhook.core import events as on
from offhook.core.transcript import NEAR, Transcript, Who
from offhook.core.usage import NOTHING, RECENT, Usage
from support.calls import Driven


class Id(str):
    """An id that counts how often ids are compared."""

    compared = 0
    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Id.compared += 1
        return str.__eq__(self, other)


def turn(call: Driven, n: int) -> int:
    """One turn, and how many ids were compared in it."""
    caller, bot, response = Id(f"u{n}"), Id(f"a{n}"), Id(f"r{n}")
    before = Id.compared
    call.on(
        on.UtteranceOpened(caller, Who.CALLER),
        on.CallerStarted(caller),
        on.CallerStopped(caller, 0.5),
        on.ReplyBegun(response),
        on.UtteranceOpened(bot, Who.BOT),
        on.BotStarted(None, response),
        on.BotSaid(bot, "Yes."),
        on.Used(response, NOTHING),
        on.CallerSaid(caller, "Really?"),
        on.TranscriptionUsed(caller, NOTHING, None),
    )
    return Id.compared - before


def test_the_three_hundredth_turn_looks_back_no_further_than_the_hundredth() -> None:
    call = Driven().live()
    looks = [turn(call, n) for n in range(300)]
    assert looks[299] == looks[100] > looks[0]
    assert len(call.call.transcript.utterances) == 600
    assert len(call.call.turns.log) == 300


def test_what_a_long_call_has_used_is_counted_with_the_last_parts_at_hand() -> None:
    usage = Usage()
    for n in range(1000):
        usage = usage.responded(f"r{n}", None).responded(f"r{n}", None)
        usage = usage.transcribed(f"u{n}", None, 2.0).responded(f"r{n}", None)
    assert (usage.unknown, usage.seconds) == (1000, 2000.0)
    assert len(usage.parts) == RECENT


changes = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12)), max_size=12)


@given(st.integers(0, 2 * NEAR), changes)
def test_all_that_is_new_in_a_transcript_is_found_whatever_its_length(
    length: int, made: list[tuple[int, int]]
) -> None:
    before = Transcript()
    for n in range(length):
        before = before.say(f"i{n}", Who.BOT, "Hi!", 1.0)
    after = before
    for kind, back in made:
        item = f"i{length - back}"
        match kind:
            case 0:
                after = after.say(f"new{back}", Who.CALLER, "Hello?", 2.0)
            case 1:
                after = after.open(f"between{back}", Who.CALLER, 2.0, after=item)
            case 2:
                after = after.cut(item, 100)
            case _:
                after = after.drop(item)
    pairs = zip(before.utterances, after.utterances, strict=False)
    changed = [n for n, (was, now) in enumerate(pairs) if was is not now]
    assert after.since(before) == [*changed, *range(length, len(after.utterances))]


def test_words_that_are_taken_back_are_news_of_all_utterances() -> None:
    script = Transcript()
    for n in range(3 * NEAR):
        script = script.say(f"i{n}", Who.BOT, "Hi!", 1.0)
    assert script.wordless().since(script) == list(range(3 * NEAR))
