"""What people may tell a live call from outside: directives, and the record of each.

    SayThis("One moment, I am looking.")     the bot says these words next
    Whisper("She is a premium customer.")    the model knows it from now on
    TransferTo("sales", "asked for")         as if a tool of the bot had decided it
    EndCall("wrong number")                  after a goodbye
    MuteTools(True)                          every function call is answered "not available"

Each one leaves an `Instruction` on the call: who gave it, when, and what came of it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace


class SayThis(Struct, frozen=True, gc=False, tag=True):
    """The bot says exactly these words next. `now`: what it is saying is cut off for them."""

    words: str
    now: bool = False


class Whisper(Struct, frozen=True, gc=False, tag=True):
    """Context for the model alone; the caller does not hear it, and nothing is answered."""

    text: str


class TransferTo(Struct, frozen=True, gc=False, tag=True):
    """Hand the caller to a named target, by the rules of a transfer that a tool asks for."""

    target: str
    reason: str = ""


class EndCall(Struct, frozen=True, gc=False, tag=True):
    """End the call, after a goodbye where one can be heard. Told twice: at once."""

    reason: str = ""


class MuteTools(Struct, frozen=True, gc=False, tag=True):
    """Answer every function call with "not available" until it is told `False`."""

    muted: bool = True


Directive: TypeAlias = SayThis | Whisper | TransferTo | EndCall | MuteTools


class Effect(StrEnum):
    """What came of a directive."""

    KEPT = "kept"  # waits until the opening words are over
    DONE = "done"
    REFUSED = "refused"
    SAYING = "saying"  # then one of the four below
    HEARD = "heard"
    CUT = "cut"
    DROPPED = "dropped"
    FAILED = "failed"


class Instruction(Struct, frozen=True, gc=False):
    """One directive on record. `by` names who gave it; `at` and `changed_at` are call times.

    `why` says why it was refused, in words for that person.
    """

    n: int
    directive: Directive
    by: str
    at: float
    effect: Effect
    changed_at: float
    why: str = ""

    @property
    def kind(self) -> str:
        """What it wanted, in one word for records: `say`, `whisper`, `transfer`, ..."""
        match self.directive:
            case SayThis():
                return "say"
            case Whisper():
                return "whisper"
            case TransferTo():
                return "transfer"
            case EndCall():
                return "end_call"
            case MuteTools(muted):
                return "mute_tools" if muted else "unmute_tools"

    @property
    def text(self) -> str:
        """What was given with it. May be personal: to be redacted like a transcript."""
        match self.directive:
            case SayThis(words):
                return words
            case Whisper(text):
                return text
            case TransferTo(target, reason):
                return f"{target}: {reason}" if reason else target
            case EndCall(reason):
                return reason
            case MuteTools():
                return ""

    @property
    def ref(self) -> str:
        """Names its words on the wire."""
        return f"say:{self.n}"

    def ended(self, effect: Effect, now: float, why: str = "") -> Instruction:
        """The same one with another effect."""
        return replace(self, effect=effect, changed_at=now, why=why)
