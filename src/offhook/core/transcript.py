"""What was said, in spoken order, whatever the order in which the cloud tells it.

The caller's words arrive from speech recognition seconds after the bot has answered them, and
what the bot generated was not always heard. So an utterance has its place from the moment its
item exists, its text is filled in by id, and a cut is a mark on it, not an edit.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import compress
from operator import is_not

from msgspec import Struct
from msgspec.structs import replace

NEAR = 32  # utterances from the end; nobody looks further back, so long calls cost no more


class Who(StrEnum):
    """Who speaks."""

    CALLER = "caller"
    BOT = "bot"


class Utterance(Struct, frozen=True, gc=False):
    """One thing said.

    `text` is `None` until it is known and empty where nothing intelligible was said.
    `spoken_ms` is the length of the bot's audio where known; `heard_ms` is set when the caller
    cut in, and says after how many milliseconds.
    """

    item: str
    who: Who
    at: float
    text: str | None = None
    spoken_ms: int | None = None
    heard_ms: int | None = None

    @property
    def cut(self) -> bool:
        """Whether the caller did not hear it to the end."""
        return self.heard_ms is not None

    @property
    def heard(self) -> str:
        """The part of the text that was heard, split at a word.

        Estimated by the share of the audio that was played; without a known length by an
        ordinary rate of speech, 15 characters a second.
        """
        text = self.text or ""
        if self.heard_ms is None:
            return text
        length = self.spoken_ms or len(text) * 1000 / 15
        if length <= 0 or self.heard_ms >= length:
            return text
        upto = int(len(text) * self.heard_ms / length)
        return text[: text.rfind(" ", 0, upto + 1)] if " " in text[: upto + 1] else ""

    @property
    def unheard(self) -> str:
        """The rest of the text, which the caller never heard."""
        return (self.text or "")[len(self.heard) :].strip()


class Transcript(Struct, frozen=True):
    """The utterances of a call in spoken order."""

    utterances: tuple[Utterance, ...] = ()

    def __iter__(self) -> Iterator[Utterance]:
        return iter(self.utterances)

    def find(self, item: str) -> Utterance | None:
        """The utterance of this item, if it is one of the last `NEAR`."""
        place = self._place(item)
        return None if place is None else self.utterances[place]

    def since(self, before: Transcript) -> list[int]:
        """The places of those that are new, changed or elsewhere. Quick in long calls."""
        old, new = before.utterances, self.utterances
        first = max(min(len(old), len(new)) - NEAR, 0)
        if old[:first] != new[:first]:
            first = 0
        both = min(len(old), len(new))
        changed = map(is_not, old[first:], new[first:])
        return [*compress(range(first, both), changed), *range(both, len(new))]

    def open(self, item: str, who: Who, at: float, after: str | None = None) -> Transcript:
        """Give the item its place: after `after` where that is known, else last.

        Opening an item again changes nothing, while it is one of the last `NEAR`.
        """
        if self._place(item) is not None:
            return self
        before = self._place(after) if after is not None else None
        place = len(self.utterances) if before is None else before + 1
        new = Utterance(item, who, at)
        return Transcript((*self.utterances[:place], new, *self.utterances[place:]))

    def say(self, item: str, who: Who, text: str, at: float) -> Transcript:
        """Fill in the text; the item is opened if nobody announced it."""
        place = self._place(item)
        if place is None:
            return Transcript((*self.utterances, Utterance(item, who, at, text)))
        return self._changed(place, text=text)

    def spoken(self, item: str, milliseconds: int) -> Transcript:
        """Note the length of the bot's audio for this item."""
        return self._change(item, spoken_ms=milliseconds)

    def cut(self, item: str, heard_ms: int) -> Transcript:
        """Mark that the caller heard only the first `heard_ms` milliseconds."""
        return self._change(item, heard_ms=heard_ms)

    def drop(self, item: str) -> Transcript:
        """Forget an item that turned out to be no utterance, e.g. a silence."""
        return Transcript(tuple(u for u in self.utterances if u.item != item))

    def wordless(self) -> Transcript:
        """The same utterances without what was said in them."""
        return Transcript(tuple(replace(u, text=None) for u in self.utterances))

    def _place(self, item: str) -> int | None:
        """Where it stands, if it is one of the last; older ones are no news."""
        place = len(self.utterances)
        for said in reversed(self.utterances[-NEAR:]):
            place -= 1
            if said.item == item:
                return place
        return None

    def _change(self, item: str, **changes: object) -> Transcript:
        place = self._place(item)
        return self if place is None else self._changed(place, **changes)

    def _changed(self, place: int, **changes: object) -> Transcript:
        new = replace(self.utterances[place], **changes)
        return Transcript((*self.utterances[:place], new, *self.utterances[place + 1 :]))
