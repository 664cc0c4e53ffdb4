"""What the caller hears of the bot, and when it is over.

Generation runs much faster than speech: a response is done long before it has been heard. Only
`output_audio_buffer.started/stopped/cleared` tell; where they stay away, the length of the audio
does (one token is 50 ms of the bot's speech, OpenAI's guide on realtime costs).
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from offhook.realtime.floor import Ask

TOKEN_MS = 50
GRACE_S = 3.0  # on top of the length of the audio, for the network and a late start
UNKNOWN_S = 15.0  # the length where the usage does not tell it
LONGEST_S = 120.0  # of a response whose end nobody tells


class Pending(Struct, frozen=True, gc=False):
    """A response whose audio has not ended. `ask` is known once it is generated."""

    response_id: str
    deadline: float
    generated: bool = False
    ask: Ask | None = None


class Playback(Struct, frozen=True):
    """The bot's voice on the line."""

    audible: str | None = None  # the response being played
    pending: tuple[Pending, ...] = ()
    over: tuple[str, ...] = ()  # played to an end before they were generated; the last few

    @property
    def quiet(self) -> bool:
        """Whether the caller hears nothing of the bot and is about to hear nothing."""
        return not self.pending

    @property
    def of_no_wish(self) -> bool:
        """Whether the call waits for the end of nothing that it wanted said."""
        for pending in self.pending:
            if pending.ask is not None and not pending.ask.ours:
                return False
        return True

    def started(self, response_id: str, now: float) -> Playback:
        """The caller begins to hear this response."""
        known = any(p.response_id == response_id for p in self.pending)
        new = () if known else (Pending(response_id, now + LONGEST_S),)
        return replace(self, audible=response_id, pending=(*self.pending, *new))

    def stopped(self, response_id: str) -> tuple[Playback, Pending | None]:
        """The caller hears no more of it. Returns what was waiting for that."""
        ended = next((p for p in self.pending if p.response_id == response_id), None)
        early = ended is None or not ended.generated
        return Playback(
            audible=None if self.audible == response_id else self.audible,
            pending=tuple(p for p in self.pending if p is not ended),
            over=(*self.over[-3:], response_id) if early else self.over,
        ), ended

    def done(
        self, response_id: str, ask: Ask | None, audio_ms: int | None, now: float
    ) -> tuple[Playback, bool]:
        """The response is generated. Returns whether it has been heard already."""
        others = tuple(p for p in self.pending if p.response_id != response_id)
        if response_id in self.over or audio_ms == 0:
            return replace(self, pending=others), True
        length = UNKNOWN_S if audio_ms is None else audio_ms / 1000
        pending = Pending(response_id, now + length + GRACE_S, True, ask)
        return replace(self, pending=(*others, pending)), False

    def expired(self, now: float) -> tuple[Playback, tuple[Pending, ...]]:
        """Give up waiting for what must have been played by now."""
        late = tuple(p for p in self.pending if p.deadline <= now)
        if not late:
            return self, ()
        gone = {p.response_id for p in late}
        return Playback(
            audible=None if self.audible in gone else self.audible,
            pending=tuple(p for p in self.pending if p not in late),
            over=self.over,
        ), late

    @property
    def wake_at(self) -> float | None:
        """When the next one expires."""
        return min([p.deadline for p in self.pending]) if self.pending else None
