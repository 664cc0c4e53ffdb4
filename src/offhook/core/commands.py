"""What a call wants done: orders. Imported as `do`.

Starting one never blocks; every result comes back as an event.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from offhook.core.end import End
from offhook.core.events import Event
from offhook.core.rules import Floor

# To the cloud


class Accept(Struct, frozen=True, gc=False):
    """Accept the call within `within` seconds; `variant` 1 leaves the voice out."""

    variant: int
    within: float


class Reject(Struct, frozen=True, gc=False):
    """Turn the call away with a SIP status, so that the trunk fails over."""

    code: int


class Attach(Struct, frozen=True, gc=False):
    """Open the sideband within `within` seconds."""

    within: float


class Detach(Struct, frozen=True, gc=False):
    """Close the sideband; this does not end the call."""


class Refer(Struct, frozen=True, gc=False):
    """Send the caller to the named target. Posted once, never repeated by the shell."""

    target: str


class HangUp(Struct, frozen=True, gc=False):
    """End the call on the wire."""


# To the surface that speaks with the model


class Say(Struct, frozen=True, gc=False):
    """Have the model say something when its turn comes.

    `order` tells it what; `None` asks for nothing new and ends as heard once all is quiet.
    After `until` it is stale.
    """

    ref: str
    order: str | None
    until: float | None = None


class CutOff(Struct, frozen=True, gc=False):
    """Stop what is being said, at once."""


class Whisper(Struct, frozen=True, gc=False):
    """Let the model know something, without an answer."""

    text: str


class Transcribe(Struct, frozen=True, gc=False):
    """Have the caller's words written down by the cloud, or no longer."""

    on: bool


class AnswerTool(Struct, frozen=True, gc=False):
    """Give the model the output of a function call; `reply`: and have it go on speaking."""

    ref: str
    output: str
    reply: bool = True


class SetFloor(Struct, frozen=True, gc=False):
    """Change what the caller's voice may do to the bot's."""

    floor: Floor


# To the bot


class RunTool(Struct, frozen=True, gc=False):
    """Run a tool; it ends as exactly one `ToolEnded`."""

    ref: str
    name: str
    arguments: str


class CancelTools(Struct, frozen=True, gc=False):
    """Nobody waits for these tools any more."""

    refs: tuple[str, ...]


class TellDigit(Struct, frozen=True, gc=False):
    """Tell the bot of one key."""

    key: str


class TellDigits(Struct, frozen=True, gc=False):
    """Tell the bot of a complete entry."""

    digits: str


# To the books


class Finish(Struct, frozen=True, gc=False):
    """The call is over: free what it holds. Comes exactly once."""

    end: End


class Ignore(Struct, frozen=True, gc=False):
    """This event means nothing here: count it."""

    event: Event


Command: TypeAlias = (
    Accept
    | Reject
    | Attach
    | Detach
    | Refer
    | HangUp
    | Say
    | CutOff
    | Whisper
    | Transcribe
    | AnswerTool
    | SetFloor
    | RunTool
    | CancelTools
    | TellDigit
    | TellDigits
    | Finish
    | Ignore
)
