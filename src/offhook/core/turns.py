"""How long the caller waits: the turns of a call, and when each got its answer.

    the caller speaks ──┐ silence ┌ stopped   ┌ response            ┌ audio
    ────────────────────┴─────────┴───────────┴──── tools ──────────┴──────────►
                        └ speech_ended

A turn begins when the cloud says that the caller has stopped. Its marks are set once, and belong
to it by ids: the caller's item, and the responses that answer it. So words that are recognised
late, frames that come twice, and a response that was already speaking when the caller cut in
change nothing. A greeting, a prompt because of silence and what we ourselves wanted said answer
no turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, compress, islice, repeat
from operator import is_not

from msgspec import Struct
from msgspec.structs import replace

from offhook.core.toolcalls import Ledger, ToolCall

NEAR = 16  # turns from the end; a response answers one of them, so long calls cost no more


class Turn(Struct, frozen=True, gc=False, kw_only=True):
    """One turn of the caller. Times are seconds on the call's clock, `None` where unknown.

    `item` is the cloud's id of what the caller said. `speech_ended_at` is unknown where the cloud
    goes by meaning rather than by a silence of known length.
    """

    item: str
    stopped_at: float
    speech_ended_at: float | None = None
    response_at: float | None = None  # the first response to it was begun
    audio_at: float | None = None  # the caller began to hear the answer
    responses: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()  # by what we have asked for responses: a function call, or nothing
    own: float = 0.0  # seconds that we have added ourselves

    @property
    def latency(self) -> float | None:
        """Seconds from the end of speech to the first sound of the answer."""
        if self.speech_ended_at is None or self.audio_at is None:
            return None
        return self.audio_at - self.speech_ended_at

    def tools(self, ledger: Ledger) -> list[ToolCall]:
        """The function calls that were asked for in answer to this turn."""
        return [c for c in ledger.calls.values() if c.response and c.response in self.responses]

    def tool_time(self, ledger: Ledger) -> float | None:
        """Seconds for which at least one tool of this turn ran, from asked to ended.

        `None` if none was asked for. One that still runs does not count yet.
        """
        calls = self.tools(ledger)
        if not calls:
            return None
        return covered((c.asked_at, c.ended_at) for c in calls if c.ended_at is not None)


class Turns(Struct, frozen=True):
    """All turns of a call by their item, in order. `open` is the one that waits for an answer."""

    log: dict[str, Turn] = {}
    open: str | None = None
    silences: tuple[str, ...] = ()  # items that hold nobody's words

    @property
    def last(self) -> Turn | None:
        """The newest turn."""
        return next(reversed(self.log.values()), None)

    def since(self, before: Turns) -> Iterator[tuple[int, Turn]]:
        """Those that are new or changed, with their number in the call. Quick in long calls."""
        news = map(is_not, self.log.values(), chain(before.log.values(), repeat(None)))
        return compress(enumerate(self.log.values()), news)

    def stopped(self, item: str, now: float, silence: float | None) -> Turns:
        """The caller has stopped, after `silence` seconds of it. Says so once for each item."""
        if not item or item in self.log or item in self.silences:
            return self
        ended = None if silence is None else now - silence
        return self._with(Turn(item=item, stopped_at=now, speech_ended_at=ended), opened=True)

    def silent(self, item: str | None) -> Turns:
        """Nobody has spoken; what is said next answers no turn."""
        if item is None:
            return replace(self, open=None)
        if item in self.silences:
            return self
        return replace(self, open=None, silences=(*self.silences, item))

    def begun(self, response: str, after: tuple[str, ...], ledger: Ledger, now: float) -> Turns:
        """A response has begun that answers the caller, or goes on after these function calls."""
        turn = self._concerned(after, ledger)
        if turn is None or not response or self.of(response) is not None:
            return self
        at = now if turn.response_at is None else turn.response_at
        return self._with(replace(turn, response_at=at, responses=(*turn.responses, response)))

    def asked(self, after: tuple[str, ...], ledger: Ledger, now: float) -> Turns:
        """We have asked for that response: what we took for it is our own share."""
        turn = self._concerned(after, ledger)
        what = after[0] if after else ""
        if turn is None or turn.item != self.open or what in turn.asked:
            return self  # if the caller has spoken again, we were not what held it up
        own = _own(turn, [ledger.calls[ref] for ref in after if ref in ledger], now)
        return self._with(replace(turn, own=turn.own + own, asked=(*turn.asked, what)))

    def heard(self, response: str, now: float) -> Turns:
        """The caller begins to hear this response."""
        turn = self.of(response)
        if turn is None or turn.audio_at is not None:
            return self
        return self._with(replace(turn, audio_at=now))

    def _concerned(self, after: tuple[str, ...], ledger: Ledger) -> Turn | None:
        if not after:
            return self.log.get(self.open or "")
        asked = ledger.calls.get(after[0])
        return self.of(asked.response) if asked is not None else None

    def of(self, response: str) -> Turn | None:
        """The turn that this response answers, if it is one of the last."""
        if not response:
            return None
        for turn in islice(reversed(self.log.values()), NEAR):
            if response in turn.responses:
                return turn
        return None

    def _with(self, turn: Turn, *, opened: bool = False) -> Turns:
        log = {**self.log, turn.item: turn}
        return replace(self, log=log, open=turn.item if opened else self.open)


def _own(turn: Turn, tools: list[ToolCall], now: float) -> float:
    """Seconds that were neither the cloud's nor a tool's."""
    if not tools:  # the cloud does not answer by itself: we have, since it told us
        return now - turn.stopped_at
    ran = covered((c.began_at, c.ended_at) for c in tools if c.ended_at is not None)
    return max(now - min(c.asked_at for c in tools) - ran, 0.0)


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """How long at least one of these spans lasts; where they overlap counts once."""
    total, until = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return total
