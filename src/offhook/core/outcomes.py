"""How a function call of the model ends. Each one ends exactly once, in one of these ways."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class Answered(Struct, frozen=True, gc=False, tag=True):
    """The tool ran. `output` is the text (usually JSON) that the model reads."""

    output: str


class InvalidArguments(Struct, frozen=True, gc=False, tag=True):
    """The model's arguments do not fit; `message` tells it what to put right and try again.

    Covers text that is not JSON, missing and unknown arguments, and an unknown tool.
    """

    message: str


class Failed(Struct, frozen=True, gc=False, tag=True):
    """The tool raised. `error` is for our log, never for the model."""

    error: str


class TimedOut(Struct, frozen=True, gc=False, tag=True):
    """The tool did not answer within `seconds`."""

    seconds: float


class Cancelled(Struct, frozen=True, gc=False, tag=True):
    """The call was not made or not waited for, e.g. because the caller cut in or left."""

    why: str


class Interrupted(Struct, frozen=True, gc=False, tag=True):
    """A tool with effects had been started, and the process that ran it is gone.

    Nobody knows whether it was done, so it is not run again.
    """


class Transfer(Struct, frozen=True, gc=False, tag=True):
    """Hand the caller to a human at a named target of the bot.

    Returned by a tool or a hook. `announce` are the exact words that the caller hears first;
    without them the bot's standard announcement is used.
    """

    target: str = "default"
    reason: str = ""
    announce: str | None = None


class HangUp(Struct, frozen=True, gc=False, tag=True):
    """End the call, after a goodbye has been heard. Returned by a tool or a hook.

    `goodbye` are the exact words of it; without them the bot's standard goodbye is used.
    """

    reason: str = ""
    goodbye: str | None = None


class Consented(Struct, frozen=True, gc=False, tag=True):
    """The caller agrees that what is said is written down, or refuses.

    Returned by the built-in tool `record_consent`, or by a tool or hook of the bot's own.
    """

    yes: bool


Outcome: TypeAlias = (
    Answered
    | InvalidArguments
    | Failed
    | TimedOut
    | Cancelled
    | Interrupted
    | Transfer
    | HangUp
    | Consented
)
