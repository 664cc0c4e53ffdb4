"""What caller and model do on a call: a deterministic script, no network, no dice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct

from offhook.simulator.wire import Json

Outputs: TypeAlias = list[Any]
"""What the tools answered, in order: parsed where it is JSON, else the text."""


class Hears(Struct, frozen=True):
    """Wait until the bot has spoken and is done: no answer, no tool under way, all played.

    With `text`, until a bot's sentence contains it. After `timeout_s` simulated seconds (20 real
    ones where it is not given) the caller goes on all the same and the trace says `script_stuck`.
    """

    text: str | None = None
    timeout_s: float | None = None


class Says(Struct, frozen=True):
    """Speak. `over`: over the bot's playing audio, `after_ms` into it; else after that pause.

    `seconds` replaces the length that follows from the text. `transcript` is what the
    transcription makes of it, `stops=False` is noise on the line: the speech never ends.
    """

    text: str
    over: bool = False
    after_ms: int = 0
    seconds: float | None = None
    transcript: str | None = None
    stops: bool = True


class Presses(Struct, frozen=True):
    """Press keys: digits, `*`, `#` and A to D."""

    keys: str
    gap_s: float | None = None


class Waits(Struct, frozen=True):
    """Do nothing for some simulated seconds."""

    seconds: float


class WaitsFor(Struct, frozen=True):
    """Do nothing until the trace has `count` marks of a kind; `timeout_s` as in `Hears`."""

    kind: str
    count: int = 1
    timeout_s: float | None = None


class WaitsForTool(Struct, frozen=True):
    """Do nothing until a tool is at work, the named one or any; `timeout_s` as in `Hears`."""

    name: str | None = None
    timeout_s: float | None = None


class HangsUp(Struct, frozen=True):
    """Leave. The cloud tells nobody but by closing the sideband."""


class LosesSideband(Struct, frozen=True):
    """The sideband's connection breaks, the call goes on; for `for_s` nobody can attach."""

    for_s: float = 0.0


Step: TypeAlias = Hears | Says | Presses | Waits | WaitsFor | WaitsForTool | HangsUp | LosesSideband


@dataclass(frozen=True)
class Replies:
    """Speak `text`. `to` is a pattern that the caller's last words must match.

    `from_tool` makes the text from what the tools answered: a format string over the keys of
    the JSON objects (`{output}` is the whole last text), or a function of all outputs. Such a
    reply is only given when tools have answered since the model last spoke. `repeat` keeps the
    act for the next time. `ordered` acts, and no others, take the place of an order to say
    certain words: so a greeting can fail, or come out in other words.
    """

    text: str = ""
    from_tool: str | Callable[[Outputs], str] | None = None
    to: str | None = None
    repeat: bool = False
    ordered: bool = False


@dataclass(frozen=True, init=False)
class CallsTools:
    """Call functions: `(name, arguments)` each, arguments as an object or as raw text.

    `preamble` is spoken first, in the same response. `to` and `repeat` as in `Replies`.
    """

    calls: tuple[tuple[str, dict[str, Any] | str], ...]
    preamble: str
    to: str | None
    repeat: bool
    ordered: bool

    def __init__(
        self,
        *calls: tuple[str, dict[str, Any] | str],
        preamble: str = "",
        to: str | None = None,
        repeat: bool = False,
        ordered: bool = False,
    ) -> None:
        object.__setattr__(self, "calls", calls)
        object.__setattr__(self, "preamble", preamble)
        object.__setattr__(self, "to", to)
        object.__setattr__(self, "repeat", repeat)
        object.__setattr__(self, "ordered", ordered)


@dataclass(frozen=True)
class Silent:
    """Complete a response with nothing in it. `ordered` as in `Replies`."""

    to: str | None = None
    repeat: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class FailsWith:
    """Fail a response with an error code, e.g. `rate_limit_exceeded`; `None` is a server error.

    Without a message it is the cloud's own apology, which names the session.
    """

    code: str | None = "rate_limit_exceeded"
    message: str = ""
    to: str | None = None
    repeat: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class StopsShort:
    """Speak, but end incomplete."""

    text: str = ""
    reason: Literal["max_output_tokens", "content_filter"] = "max_output_tokens"
    to: str | None = None
    repeat: bool = False
    ordered: bool = False


Act: TypeAlias = Replies | CallsTools | Silent | FailsWith | StopsShort


class Improviser(Protocol):
    """Plays the model where no script does. One of them plays one call."""

    def act(self, session: Json, items: list[Json], caller_text: str) -> Act:
        """What the model does now, given the session with the tools that it may call."""


@dataclass(frozen=True)
class Script:
    """One call as it will go. After its last step the caller stays on the line and listens.

    `steps` begin when the sideband is first attached, with `starts` earlier: when the call is
    accepted, or while it rings. `model` is used up from its front: of the acts whose condition
    holds the first is taken; with none left, the model does what the `improviser` makes of it,
    or says something short of its own.
    """

    name: str = "call"
    steps: Sequence[Step] = ()
    model: Sequence[Act] = ()
    starts: Literal["attached", "accepted", "ringing"] = "attached"
    improviser: Callable[[], Improviser] | None = None
