"""The call: one frozen value that is everything we know of it.

Tools and hooks get this value as it is; since it is frozen, they can read all of it and change
none.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from offhook.core.alarms import Alarm, Alarms
from offhook.core.consent import Consent
from offhook.core.digits import Digits
from offhook.core.directives import Instruction
from offhook.core.end import End, Forward
from offhook.core.party import Party
from offhook.core.rules import Rules
from offhook.core.toolcalls import Ledger
from offhook.core.transcript import Transcript
from offhook.core.transfer import TransferState
from offhook.core.turns import Turns
from offhook.core.usage import Usage


class Phase(StrEnum):
    """Where the call is. Each waiting phase has an alarm that ends the wait."""

    ACCEPTING = "accepting"  # it rings; we are accepting it
    REJECTING = "rejecting"  # it rings; we turn it away
    JOINING = "joining"  # accepted; the sideband is being opened
    LIVE = "live"
    REJOINING = "rejoining"  # the sideband is lost, the caller may be there
    LEAVING = "leaving"  # the goodbye is being said
    HANGING_UP = "hanging_up"
    ENDED = "ended"


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One phone call.

    `id` is the cloud's id of it; `caller` is who calls, as the network claims; `called` is the
    number that was dialled, where known; `line` is the name of the line that it belongs to;
    `transcript` is what was said so far. Times are
    seconds on a clock that only has meaning within this process.
    """

    id: str
    rules: Rules
    caller: Party = Party()
    called: str | None = None
    line: str = "default"
    language: str = "en"
    rang_at: float = 0.0
    phase: Phase = Phase.ACCEPTING
    alarms: Alarms = Alarms()
    tries: int = 0  # of the request that the phase waits for
    variant: int = 0  # 1: the accept leaves the voice out, since the cloud refuses it there
    forward: Forward | None = None  # to be transferred at once, by a rule of admission
    maybe_accepted: bool = False  # an accept was sent whose answer was lost
    greeted: bool = False
    opened: bool = False  # the greeting is over, one way or another
    accepted_at: float | None = None
    session_lasts: float | None = None  # seconds from the accept, where the cloud has told
    attached_at: float | None = None
    greeted_at: float | None = None  # when the caller first heard the bot
    tools: Ledger = Ledger()
    transfer: TransferState = TransferState()
    transcript: Transcript = Transcript()
    consent: Consent = Consent()
    digits: Digits = Digits()
    instructions: tuple[Instruction, ...] = ()  # what people told it from outside
    tools_muted: bool = False
    idle_prompts: int = 0
    probes: int = 0
    fillers: int = 0  # excuses for tools that take long, since the last answer
    turns: Turns = Turns()
    usage: Usage = Usage()
    leaving: End | None = None  # the end that we are working towards
    end: End | None = None
    ended_at: float | None = None
    asking: str = ""  # in the value that a tool gets: the cloud's id of its function call

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of those to whom this call can be transferred."""
        return tuple(self.rules.targets)

    @property
    def idempotency_key(self) -> str:
        """The same for every run of one function call, and of no other: for tools with effects."""
        return f"{self.id}:{self.asking}"

    def with_(self, **changes: Any) -> Call:
        """The same call with these fields changed."""
        return replace(self, **changes)

    def enter(self, phase: Phase, **changes: Any) -> Call:
        """The same call in another phase, with its tries counted from the start."""
        return replace(self, phase=phase, tries=0, **changes)

    def alarm(self, alarm: Alarm, at: float) -> Call:
        """The same call with this alarm set."""
        return replace(self, alarms=self.alarms.set(alarm, at))

    def calm(self, *alarms: Alarm) -> Call:
        """The same call with these alarms taken away."""
        return replace(self, alarms=self.alarms.clear(*alarms))
