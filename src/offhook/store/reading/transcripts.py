"""Transcripts to take away: JSON, plain text, and WebVTT cues (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from offhook.core.transcript import Who
from offhook.store.reading.values import Spoken, Transcript

LETTERS_A_SECOND = 15  # an ordinary rate of speech, where the length is not known
SHORTEST_MS = 1000  # a cue that is shorter cannot be read
NO_TEXT = "[no text]"

_NAMES = {Who.CALLER: "Caller", Who.BOT: "Bot"}


def as_json(transcript: Transcript) -> bytes:
    """The transcript as one JSON object, its fields those of `Transcript`."""
    return msgspec.json.encode(transcript)


def as_text(transcript: Transcript) -> str:
    """A line for each utterance: `[0:03] Bot: Hello.`, what was not heard in brackets."""
    return "".join(f"{line}\n" for line in _lines(transcript))


def _lines(transcript: Transcript) -> Iterator[str]:
    for said in transcript.utterances:
        seconds = max(0, said.at - transcript.began_at) // 1000
        words = [_one_line(said.heard or "")] if said.heard or not said.unheard else []
        if said.unheard:
            words.append(f"[not heard: {_one_line(said.unheard)}]")
        spoken = " ".join(words) or NO_TEXT
        yield f"[{seconds // 60}:{seconds % 60:02}] {name(said.who)}: {spoken}"


def as_webvtt(transcript: Transcript) -> str:
    """Captions; time 0 is when the call was accepted. What was not heard has the class `unheard`.

    Where the length of an utterance is unknown, its cue ends at an ordinary rate of speech.
    """
    cues = (_cue(said, transcript.began_at) for said in transcript.utterances if said.text)
    return "\n".join(["WEBVTT\n", *cues])


def _cue(said: Spoken, zero: int) -> str:
    start = max(0, said.at - zero)
    parts = [_escape(said.heard)] if said.heard else []
    if said.unheard:
        parts.append(f"<c.unheard>{_escape(said.unheard)}</c>")
    text = f"<v {name(said.who)}>{' '.join(parts)}"
    return f"{_clock(start)} --> {_clock(start + _length(said))}\n{text}\n"


def _length(said: Spoken) -> int:
    """How long the caller heard it, in milliseconds."""
    known = said.spoken_ms if said.heard_ms is None else said.heard_ms
    estimate = len(said.heard or "") * 1000 // LETTERS_A_SECOND
    return max(SHORTEST_MS, known if known is not None else estimate)


def name(who: str) -> str:
    """How the speaker is called."""
    return _NAMES.get(Who(who), who) if who in set(Who) else who


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escape(text: str) -> str:
    """As cue text: an arrow or an empty line would end it, `<` and `&` would be markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _one_line(escaped)
