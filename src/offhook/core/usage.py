"""What a call has used so far: tokens by kind, and seconds of transcribed audio."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

RECENT = 64  # parts; one that comes again comes soon, so long calls cost no more


class Tokens(Struct, frozen=True, gc=False, kw_only=True):
    """How many tokens of each kind. Those that were cached are not counted again under `..._in`.

    The clouds count cached tokens among the input; here the two are apart, since they have
    prices of their own. Thinking is counted by the clouds as text that was put out.
    """

    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    text_cached: int = 0
    audio_cached: int = 0
    image_cached: int = 0
    text_out: int = 0
    audio_out: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            text_in=self.text_in + other.text_in,
            audio_in=self.audio_in + other.audio_in,
            image_in=self.image_in + other.image_in,
            text_cached=self.text_cached + other.text_cached,
            audio_cached=self.audio_cached + other.audio_cached,
            image_cached=self.image_cached + other.image_cached,
            text_out=self.text_out + other.text_out,
            audio_out=self.audio_out + other.audio_out,
        )

    def __sub__(self, other: Tokens) -> Tokens:
        return Tokens(
            text_in=self.text_in - other.text_in,
            audio_in=self.audio_in - other.audio_in,
            image_in=self.image_in - other.image_in,
            text_cached=self.text_cached - other.text_cached,
            audio_cached=self.audio_cached - other.audio_cached,
            image_cached=self.image_cached - other.image_cached,
            text_out=self.text_out - other.text_out,
            audio_out=self.audio_out - other.audio_out,
        )

    @property
    def cached(self) -> int:
        """The part of the input that was cached."""
        return self.text_cached + self.audio_cached + self.image_cached

    @property
    def input(self) -> int:
        """All that was read, cached or not."""
        return self.text_in + self.audio_in + self.image_in + self.cached

    @property
    def output(self) -> int:
        """All that was made."""
        return self.text_out + self.audio_out


NOTHING = Tokens()


class Usage(Struct, frozen=True):
    """The sums of one call. `unknown` counts parts of which the cloud did not say what they used.

    `responses` is what the model has used; transcription is paid for apart, by its own tokens
    (`transcripts`) or by the length of the audio (`seconds`). Each part counts once, by its id;
    `parts` are the last ones.
    """

    responses: Tokens = NOTHING
    transcripts: Tokens = NOTHING
    seconds: float = 0.0
    unknown: int = 0
    parts: tuple[str, ...] = ()

    def since(self, before: Usage) -> Usage:
        """What was used after an earlier state of the same call."""
        return Usage(
            responses=self.responses - before.responses,
            transcripts=self.transcripts - before.transcripts,
            seconds=self.seconds - before.seconds,
            unknown=self.unknown - before.unknown,
        )

    def responded(self, response: str, tokens: Tokens | None) -> Usage:
        """Add what a response has used; `None` if that is unknown."""
        if response in self.parts:
            return self  # the clouds have been seen to end a response twice
        parts = (*self.parts[1 - RECENT :], response)
        if tokens is None:
            return replace(self, unknown=self.unknown + 1, parts=parts)
        return replace(self, responses=self.responses + tokens, parts=parts)

    def transcribed(self, item: str, tokens: Tokens | None, seconds: float | None) -> Usage:
        """Add what a transcription has used: tokens or seconds; neither if that is unknown."""
        if item in self.parts:
            return self
        parts = (*self.parts[1 - RECENT :], item)
        if tokens is None and seconds is None:
            return replace(self, unknown=self.unknown + 1, parts=parts)
        return replace(
            self,
            transcripts=self.transcripts if tokens is None else self.transcripts + tokens,
            seconds=self.seconds + (seconds or 0.0),
            parts=parts,
        )
