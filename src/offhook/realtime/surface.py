"""The Realtime conversation of one call, as a value.

Everything that is Realtime's own is in here and in the modules that step it: the one active
response, item ids, playback events, batches of function calls. The call above only knows that
words were said, tools were asked for, and what it wanted said was heard or not.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.answers import answer
from offhook.core.call import Call
from offhook.core.rules import Floor
from offhook.realtime import sends
from offhook.realtime.batches import Batch, Batches
from offhook.realtime.floor import TOOLS, Ask, Slot, earliest
from offhook.realtime.frames import OutputItemDone
from offhook.realtime.missed import Missed
from offhook.realtime.playback import Playback
from offhook.realtime.session import SessionConfig

HOOK = "hook"  # what a key means: no words to say, so the model may need its tools for it


class Voice(StrEnum):
    """How far we are in having our voice set."""

    GIVEN = "given"  # in the accept, as far as we know
    ASKED = "asked"  # by session.update, the GA way
    ASKED_OLD_WAY = "asked_old_way"  # by session.update as before GA: once, never again


class Gap(StrEnum):
    """What we know of the time in which nobody listened, after a sideband was lost."""

    NONE = "none"  # there was none, or all of it is known
    OPEN = "open"  # nobody listens
    ASKED = "asked"  # the cloud has been asked what the last items are
    OWED = "owed"  # that one wants an answer, and none has been seen yet


class Surface(Struct, frozen=True, kw_only=True):
    """The state of one conversation on the wire."""

    config: SessionConfig
    slot: Slot = Slot()
    playback: Playback = Playback()
    batches: Batches = Batches()
    floor: Floor = Floor.OPEN
    voice: Voice = Voice.GIVEN
    transcribing: bool = True
    connected: bool = False
    gap: Gap = Gap.NONE
    probe: str = ""  # the item that we have put there to see what is before it
    missed: Missed = Missed()
    items: tuple[OutputItemDone, ...] = ()  # finished items of responses that are not done
    begun: str = ""  # the caller's latest item, which the call knows of
    silences: tuple[str, ...] = ()  # items that hold nobody's words; the last few
    asks: int = 0
    whispers: dict[str, bytes] = {}  # by item id: sent, or to be sent, and not yet confirmed
    whispered: int = 0
    epoch: float | None = None  # the time of day when our clock showed 0, if anybody knows
    expires_at: int | None = None  # when the session ends, as last told, by the time of day
    unwritten: int = 0  # turns of the caller in a row that were not put into words

    @property
    def at_rest(self) -> bool:
        """Whether nothing of ours is to be sent, begun or heard, and the caller may speak."""
        slot = self.slot
        return (
            self.gap is Gap.NONE
            and not slot.waiting
            and slot.sent is None
            and (slot.active is None or slot.active.ask is None or slot.active.ask.ours)
            and self.playback.of_no_wish
            and self.floor is Floor.OPEN
            and not self.config.turns.manual  # else it is we who answer: no time to lose
        )

    @property
    def wake_at(self) -> float | None:
        """When time alone changes something here, `None` if it does not."""
        slot = self.slot.wake_at if self.connected else self.slot.stale_at
        return earliest(slot, self.playback.wake_at)

    def wakes_as(self, other: Surface | None) -> bool:
        """Whether `wake_at` is that of the other, seen without working it out."""
        return other is self or (
            other is not None
            and self.slot is other.slot
            and self.playback is other.playback
            and self.connected is other.connected
        )


class Out(Struct):
    """What one step gives out: facts for the call, frames for the cloud, both in order."""

    events: list[on.Event] = []
    frames: list[bytes] = []


def begin(config: SessionConfig, response_limit: float, epoch: float | None = None) -> Surface:
    """The surface of a call that is about to be joined.

    `epoch` plus a time of its clock is seconds since 1970; without it, nothing is made of times
    of day.
    """
    return Surface(
        config=config,
        slot=Slot(limit=response_limit),
        floor=config.floor,
        transcribing=config.transcribe,
        epoch=epoch,
    )


def revive(
    config: SessionConfig,
    response_limit: float,
    call: Call,
    *,
    asks: int = 0,
    overheard: bool = False,
    epoch: float | None = None,
) -> Surface:
    """The surface of a call that another process has begun, from what was written down.

    Outputs that the cloud has not shown are sent again once the sideband is open. If the model
    was last told of a tool's end and has said nothing since, it is asked to. Whether a response
    is going on, the cloud will say. `asks`: numbers up to this may have been used before.
    `overheard`: somebody has listened all the time.
    """
    tools = call.tools.calls.values()
    owed = tuple(t.ref for t in tools if t.running)
    unshown = {t.ref: answer(t.outcome) for t in tools if t.outcome and not t.taken}
    surface = replace(
        begin(config, response_limit, epoch),
        batches=Batches(
            known=frozenset(call.tools.calls),
            open=(Batch(owed, frozenset(owed)),) if owed else (),
            unacknowledged=unshown,
        ),
        floor=_floor(config, call),
        transcribing=call.consent.keeping,
        gap=Gap.OPEN if call.greeted and not overheard else Gap.NONE,
        asks=asks,
    )
    if owed or call.transfer.active or not _speechless(call):
        return surface
    return enqueue(surface, Ask(ref=TOOLS, calls=tuple(unshown)))


def _floor(config: SessionConfig, call: Call) -> Floor:
    if call.transfer.active:
        return Floor.HELD
    return Floor.OPEN if call.opened else config.floor


def _speechless(call: Call) -> bool:
    """Whether the last that happened is the end of a tool."""
    ended = max((t.ended_at or 0.0 for t in call.tools.calls.values()), default=None)
    spoken = max((u.at for u in call.transcript), default=0.0)
    return ended is not None and ended >= spoken


def enqueue(surface: Surface, ask: Ask) -> Surface:
    """Put it behind what waits to be said, with a number that names it on the wire."""
    count = surface.asks + 1
    slot = surface.slot.ask(replace(ask, number=count))
    return replace(surface, slot=slot, asks=count)


def over(ask: Ask | None, how: on.SayEnd, out: Out) -> None:
    """An ask has ended: take its order back and tell the call, if the call wanted it."""
    if ask is None:
        return
    if ask.order is not None and how is not on.SayEnd.DROPPED:
        out.frames.append(sends.take_back(ask.number))
    if not ask.ours:
        out.events.append(on.SayEnded(ask.ref, how))


def pump(surface: Surface, now: float, out: Out) -> Surface:
    """Send what may be sent now. To be called after everything that may have freed the slot."""
    if not surface.slot.waiting:
        return surface
    slot, stale = surface.slot.without_stale(now)
    for dropped in stale:
        over(dropped, on.SayEnd.DROPPED, out)
    held = surface.floor is Floor.HELD
    while surface.connected and (ask := slot.next(now, held=held)) is not None:
        if not ask.marks_quiet:
            if ask.order is not None and not ask.told:
                out.frames.append(sends.order(ask.number, ask.order))
            scripted = ask.order is not None and ask.ref != HOOK
            out.frames.append(sends.create_response(ask.ref, ask.number, ordered=scripted))
            if ask.answers and ask.tries == 0:
                out.events.append(on.ReplyAsked(ask.calls))
            slot = slot.send(ask, now)
        elif surface.playback.quiet:
            slot = slot.drop(ask)
            over(ask, on.SayEnd.HEARD, out)
        else:
            break
    return surface if slot is surface.slot else replace(surface, slot=slot)
