"""Who may speak next: the response slot, and what waits for it.

A conversation has one active response. The slot is taken when we send, not when the cloud
confirms, and released by the end of the response, by a refusal, or by its deadline. What must be
said meanwhile waits in order. As long as the caller speaks, or the cloud owes an answer to the
caller's turn, nothing of ours is sent.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

TOOLS = "tools"  # go on speaking after function calls were answered
TURN = "turn"  # answer the caller, where the cloud is told not to
AGAIN = "again"  # another try at what the cloud itself had begun
OWN = (TOOLS, TURN, AGAIN)  # purposes of the surface, not of the call

CONFIRM_S = 5.0  # from our request to `response.created`
SPEECH_S = 20.0  # line noise can keep `speech_stopped` from ever coming
OWED_S = 5.0  # from the caller's last word to the cloud's own response


class Ask(Struct, frozen=True, gc=False, kw_only=True):
    """Something that the model is to say.

    `ref` is sent as metadata, so that the response can be told from the cloud's own. `order`
    goes before it as a system message; `None` with a `ref` of the call waits for quiet.
    `until`: stale after. `number` names its order and its request.
    """

    ref: str
    number: int = 0
    order: str | None = None
    until: float | None = None
    not_before: float = 0.0
    tries: int = 0
    told: bool = False  # its order is in the conversation already
    calls: tuple[str, ...] = ()  # the function calls whose outputs it is about

    @property
    def ours(self) -> bool:
        """Whether the surface itself wants it, so that the call is not told of its end."""
        return self.ref in OWN

    @property
    def answers(self) -> bool:
        """Whether it is ours to ask for: the cloud would not go on by itself."""
        return self.ref in (TOOLS, TURN)

    @property
    def marks_quiet(self) -> bool:
        """Whether it asks for nothing new, and is over once all is quiet."""
        return self.order is None and not self.ours


class Active(Struct, frozen=True, gc=False):
    """The response in progress. `ask` is `None` for one that the cloud began by itself.

    The id is empty for one of which we only know that it is there.
    """

    response_id: str
    ask: Ask | None
    deadline: float


class Sent(Struct, frozen=True, gc=False):
    """Our request that the cloud has neither confirmed nor refused yet."""

    ask: Ask
    deadline: float


class Turn(StrEnum):
    """What the caller is doing, as far as it stops us."""

    QUIET = "quiet"
    SPEAKING = "speaking"
    OWED = "owed"  # the cloud will answer by itself


class Slot(Struct, frozen=True):
    """The response slot of one conversation. `limit` is the longest response, in seconds."""

    limit: float = 30.0
    active: Active | None = None
    sent: Sent | None = None
    waiting: tuple[Ask, ...] = ()
    turn: Turn = Turn.QUIET
    turn_until: float = 0.0

    @property
    def free(self) -> bool:
        """Whether a request can be sent as far as the cloud is concerned."""
        return self.active is None and self.sent is None

    def ask(self, ask: Ask) -> Slot:
        """Put it at the end of what waits. One answer to the caller's turn is enough."""
        if ask.ref == TURN and any(a.ref == TURN for a in self.waiting):
            return self
        return replace(self, waiting=(*self.waiting, ask))

    def ask_first(self, ask: Ask) -> Slot:
        """Put it back at the head of what waits."""
        return replace(self, waiting=(ask, *self.waiting))

    def set_turn(self, turn: Turn, until: float = 0.0) -> Slot:
        """The caller starts, stops, or has been answered."""
        return replace(self, turn=turn, turn_until=until)

    def created(self, response_id: str, ref: str | None, now: float) -> Slot:
        """A response has begun: ours if it carries the `ref` that we sent."""
        deadline = now + self.limit
        if self.sent is not None and ref == self.sent.ask.ref:
            return replace(self, active=Active(response_id, self.sent.ask, deadline), sent=None)
        quiet = Turn.QUIET if self.turn is Turn.OWED else self.turn
        return replace(self, active=Active(response_id, None, deadline), turn=quiet)

    def done(self, response_id: str) -> tuple[Slot, Active | None]:
        """A response has ended. Returns what it was; `None` if it is not the active one."""
        if self.active is None or self.active.response_id not in (response_id, ""):
            return self, None
        return replace(self, active=None), self.active

    def refused(self, now: float) -> Slot:
        """Our request met a response that was there already: wait for that one to end."""
        if self.sent is None:
            return self
        slot = replace(self, sent=None, waiting=(self.sent.ask, *self.waiting))
        if slot.active is None:
            slot = replace(slot, active=Active("", None, now + OWED_S))
        return slot

    def yielded(self, now: float) -> Slot:
        """Our request met the very response that it was for: that one is the answer."""
        slot = self.refused(now)
        ours = self.sent is not None and self.sent.ask.ours
        return replace(slot, waiting=slot.waiting[1:]) if ours else slot

    def without_stale(self, now: float) -> tuple[Slot, tuple[Ask, ...]]:
        """Drop what waited too long. Returns what was dropped."""
        stale = tuple(a for a in self.waiting if a.until is not None and a.until <= now)
        if not stale:
            return self, ()
        return replace(self, waiting=tuple(a for a in self.waiting if a not in stale)), stale

    def answered(self, unacknowledged: frozenset[str]) -> Slot:
        """The cloud has begun an answer of its own: drop of ours what that one covers.

        It covers the caller's turn, and outputs that were part of the conversation by then.
        """
        kept = tuple(
            a
            for a in self.waiting
            if not a.ours or (a.ref == TOOLS and not unacknowledged.isdisjoint(a.calls))
        )
        return self if len(kept) == len(self.waiting) else replace(self, waiting=kept)

    def next(self, now: float, *, held: bool) -> Ask | None:
        """What may be sent now. `held`: the caller's voice does not stop us at present."""
        if not self.free or not self.waiting:
            return None
        if self.turn is not Turn.QUIET and self.turn_until > now and not held:
            return None
        first = self.waiting[0]
        return first if first.not_before <= now else None

    def drop(self, ask: Ask) -> Slot:
        """It waits no longer."""
        return replace(self, waiting=tuple(a for a in self.waiting if a is not ask))

    def send(self, ask: Ask, now: float) -> Slot:
        """It is on its way: the slot is taken."""
        return replace(self.drop(ask), sent=Sent(replace(ask, told=True), now + CONFIRM_S))

    def overdue(self, now: float) -> bool:
        """Whether the cloud should have begun to answer the caller, and nobody else will."""
        owed = self.turn is Turn.OWED and self.turn_until <= now
        return owed and self.free and not any(a.ours for a in self.waiting)

    @property
    def wake_at(self) -> float | None:
        """When time alone changes something here, `None` if it does not."""
        at = None
        if self.active is not None:
            at = self.active.deadline
        if self.sent is not None:
            at = earliest(at, self.sent.deadline)
        if self.free and self.turn is Turn.OWED:
            at = earliest(at, self.turn_until)
        if self.waiting:
            at = earliest(at, self.stale_at)
            if self.free and not self.waiting[0].marks_quiet:
                blocked = self.turn_until if self.turn is not Turn.QUIET else 0.0
                at = earliest(at, max(blocked, self.waiting[0].not_before))
        return at

    @property
    def stale_at(self) -> float | None:
        """When the first of what waits has waited too long, `None` if nothing minds."""
        return min((a.until for a in self.waiting if a.until is not None), default=None)


def earliest(a: float | None, b: float | None) -> float | None:
    """The earlier of two times, of which `None` is never."""
    if a is None or b is None:
        return b if a is None else a
    return min(a, b)
