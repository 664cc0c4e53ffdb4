"""A transcript as JSON, as text and as WebVTT."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from offhook.store.reading import Spoken, Transcript, as_json, as_text, as_webvtt

ZERO = 1_795_000_000_000
CUE = re.compile(r"(\d\d):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d\d):([0-5]\d):([0-5]\d)\.(\d{3})")


def spoken(at: int, who: str, text: str | None, *, unheard: str = "", **values: int) -> Spoken:
    heard = None if text is None else text.removesuffix(unheard).strip()
    lengths = {"spoken_ms": values.get("spoken_ms"), "heard_ms": values.get("heard_ms")}
    return Spoken(
        item=f"item_{at}", place=0, who=who, at=ZERO + at, text=text, **lengths, heard=heard,
        unheard=None if text is None else unheard,
    )  # fmt: skip


def transcript(*utterances: Spoken) -> Transcript:
    return Transcript(call_id="rtc_1", began_at=ZERO, language="en", utterances=utterances)


TALK = transcript(
    spoken(500, "bot", "Hello, this is ACME. How can I help?", unheard="How can I help?",
           spoken_ms=2600, heard_ms=1400),
    spoken(61_900, "caller", "Is 3 < 4 & 5 > 4?\n\nYes --> no"),
    spoken(65_000, "caller", None),
    spoken(3_700_000, "bot", "Bye.", spoken_ms=1250),
    spoken(3_702_000, "bot", "Wait", unheard="Wait", heard_ms=0, spoken_ms=900),
)  # fmt: skip


def test_as_text_there_is_a_line_for_each_utterance() -> None:
    assert as_text(TALK) == (
        "[0:00] Bot: Hello, this is ACME. [not heard: How can I help?]\n"
        "[1:01] Caller: Is 3 < 4 & 5 > 4? Yes --> no\n"
        "[1:05] Caller: [no text]\n"
        "[61:40] Bot: Bye.\n"
        "[61:42] Bot: [not heard: Wait]\n"
    )


def test_as_webvtt_cues_last_as_long_as_they_were_heard() -> None:
    assert as_webvtt(TALK) == (
        "WEBVTT\n"
        "\n"
        "00:00:00.500 --> 00:00:01.900\n"
        "<v Bot>Hello, this is ACME. <c.unheard>How can I help?</c>\n"
        "\n"
        "00:01:01.900 --> 00:01:03.833\n"
        "<v Caller>Is 3 &lt; 4 &amp; 5 &gt; 4? Yes --&gt; no\n"
        "\n"
        "01:01:40.000 --> 01:01:41.250\n"
        "<v Bot>Bye.\n"
        "\n"
        "01:01:42.000 --> 01:01:43.000\n"
        "<v Bot><c.unheard>Wait</c>\n"
    )


def test_as_json_it_is_read_back_as_it_was() -> None:
    assert msgspec.json.decode(as_json(TALK), type=Transcript) == TALK


def test_without_any_words_it_is_still_webvtt() -> None:
    assert as_webvtt(transcript()) == "WEBVTT\n"
    assert as_text(transcript()) == ""


@given(st.lists(st.tuples(st.integers(-1000, 10**7), st.text(), st.integers(0, 10**5))))
def test_no_words_break_out_of_their_cue(said: list[tuple[int, str, int]]) -> None:
    made = transcript(*(spoken(at, "caller", text, spoken_ms=ms) for at, text, ms in said))
    head, *cues = as_webvtt(made).rstrip("\n").split("\n\n")
    assert head.strip() == "WEBVTT"
    assert len(cues) == len([text for _, text, _ in said if text])
    for cue in cues:
        time, words = cue.split("\n")
        assert CUE.fullmatch(time)
        assert "-->" not in words
        assert words.count("<") == 1
