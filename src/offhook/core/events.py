"""What happens to a call: facts, in the past tense. Imported as `on`.

Ids, times of day and dice are made at the edge and arrive inside events.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from offhook.core.alarms import Alarm
from offhook.core.directives import Directive
from offhook.core.outcomes import Consented, HangUp, Outcome, Transfer
from offhook.core.transcript import Who
from offhook.core.usage import Tokens


class Refusal(StrEnum):
    """What a refusal by the cloud means for us."""

    GONE = "gone"  # no such call (any more)
    TAKEN = "taken"  # somebody has accepted it already
    BUSY = "busy"  # worth another try: 429, 5xx, no answer in time
    VARIANT = "variant"  # it refuses how we name the voice; there is another way
    WRONG = "wrong"  # our request or our key is wrong; another try is no use


class SayEnd(StrEnum):
    """How something that we asked the model to say ended."""

    HEARD = "heard"
    CUT = "cut"  # the caller cut in
    DROPPED = "dropped"  # it was stale before its turn came
    FAILED = "failed"  # the model could not say it


# Ringing and joining


class Accepted(Struct, frozen=True, gc=False):
    """The cloud has taken our accept."""


class AcceptRefused(Struct, frozen=True, gc=False):
    """The cloud has not taken our accept. `unsure`: it may have, the answer was lost."""

    refusal: Refusal
    detail: str = ""
    unsure: bool = False


class Rejected(Struct, frozen=True, gc=False):
    """The reject was taken, or the call was gone already."""


class RejectFailed(Struct, frozen=True, gc=False):
    """The reject was not taken."""

    detail: str = ""


class Attached(Struct, frozen=True, gc=False):
    """The sideband is open."""


class AttachFailed(Struct, frozen=True, gc=False):
    """The sideband could not be opened."""

    refusal: Refusal
    detail: str = ""


class SidebandLost(Struct, frozen=True, gc=False):
    """The sideband has closed without our doing. The caller may still be there."""

    detail: str = ""


class NothingHeard(Struct, frozen=True, gc=False):
    """No frame at all has come for `seconds` although the sideband is open."""

    seconds: float


class ExpiryTold(Struct, frozen=True, gc=False):
    """The cloud has told at what time it will end the session, on the clock of the call."""

    at: float


class SessionExpired(Struct, frozen=True, gc=False):
    """The cloud has ended the session because of its age."""

    detail: str = ""


# The conversation


class Noted(Struct, frozen=True, gc=False):
    """Base of what only adds to the record, and decides nothing in any phase."""


class UtteranceOpened(Noted, frozen=True, gc=False):
    """Somebody's utterance has got its place in the conversation, after `after`."""

    item: str
    who: Who
    after: str | None = None


class CallerStarted(Struct, frozen=True, gc=False):
    """The caller has begun to speak."""

    item: str


class CallerStopped(Noted, frozen=True, gc=False):
    """The caller has stopped speaking, `silence` seconds ago; `None` if nobody knows."""

    item: str
    silence: float | None = None


class CallerSaid(Noted, frozen=True, gc=False):
    """Speech recognition has told what the caller said."""

    item: str
    text: str


class CallerNotUnderstood(Noted, frozen=True, gc=False):
    """Speech recognition has failed for this utterance; the model heard it all the same."""

    item: str
    detail: str


class CallerSilent(Struct, frozen=True, gc=False):
    """Nobody has spoken for the idle time, and the cloud prompts the caller."""

    item: str | None = None


class BotSaid(Noted, frozen=True, gc=False):
    """The text of an utterance of the bot."""

    item: str
    text: str


class BotSpoke(Noted, frozen=True, gc=False):
    """How long the audio of an utterance is, in milliseconds."""

    item: str
    milliseconds: int


class BotCut(Noted, frozen=True, gc=False):
    """The caller heard only the first `heard_ms` milliseconds of an utterance."""

    item: str
    heard_ms: int


class ReplyAsked(Noted, frozen=True, gc=False):
    """We have asked the model to answer the caller, or to go on `after` these function calls."""

    after: tuple[str, ...] = ()


class ReplyBegun(Noted, frozen=True, gc=False):
    """The model has begun to answer the caller, or to go on `after` these function calls."""

    response: str
    after: tuple[str, ...] = ()


class BotStarted(Struct, frozen=True, gc=False):
    """The caller hears the bot. `ref` names what we asked to be said, if we did."""

    ref: str | None = None
    response: str = ""


class BotStopped(Struct, frozen=True, gc=False):
    """The caller no longer hears the bot."""


class SayEnded(Struct, frozen=True, gc=False):
    """Something that we asked to be said is over."""

    ref: str
    how: SayEnd


class ToolAsked(Struct, frozen=True, gc=False):
    """The model asks for a function. `spoke`: in the same breath it spoke to the caller."""

    ref: str
    name: str
    arguments: str
    spoke: bool = False
    response: str = ""


class ToolVoided(Struct, frozen=True, gc=False):
    """The model asked for a function, but in a response that was cut off before its end."""

    ref: str
    name: str


class ToolStarted(Noted, frozen=True, gc=False):
    """A tool with effects is about to have them. Told before, so that it can be written down."""

    ref: str


class ToolTaken(Noted, frozen=True, gc=False):
    """The cloud has shown that it has the output of a function call."""

    ref: str


class ModelFailed(Struct, frozen=True, gc=False):
    """The model cannot answer, another try included."""

    code: str
    detail: str = ""


class Complained(Struct, frozen=True, gc=False):
    """The cloud complains of something that we sent; nothing is lost but that.

    `about` is what it was for: `ask`, `out`, `floor`, `voice`, ...
    """

    code: str
    about: str
    detail: str


class DigitPressed(Struct, frozen=True, gc=False):
    """The caller pressed a key."""

    key: str


class Used(Noted, frozen=True, gc=False):
    """What one response has used; `None` if the cloud does not tell, which is not nothing."""

    response: str
    tokens: Tokens | None = None


class ReplyFailed(Noted, frozen=True, gc=False):
    """A response came to nothing. It may be asked for again, so this is not the end of it."""

    code: str


class ReplyMissing(Noted, frozen=True, gc=False):
    """The cloud owes the caller an answer and has not begun one for `seconds`: we ask for it."""

    seconds: float


class TranscriptMissing(Noted, frozen=True, gc=False):
    """So many turns of the caller in a row were not put into words, although that was asked for."""

    turns: int


class TranscriptionUsed(Noted, frozen=True, gc=False):
    """What speech recognition has used for one utterance: tokens, or seconds of audio.

    Both are `None` if the cloud does not tell.
    """

    item: str
    tokens: Tokens | None = None
    seconds: float | None = None


# From outside


class Directed(Struct, frozen=True, gc=False):
    """Somebody tells the call what to do; `by` names who."""

    directive: Directive
    by: str


# The shell's answers


class ToolEnded(Struct, frozen=True, gc=False):
    """A tool has ended, one way or another. `took`: the seconds for which it itself ran."""

    ref: str
    outcome: Outcome
    took: float | None = None


class HookAnswered(Struct, frozen=True, gc=False):
    """The bot's own code has reacted to a key or an entry: with words, an action, or nothing."""

    answer: str | Transfer | HangUp | Consented | None


class Referred(Struct, frozen=True, gc=False):
    """The cloud has handed our transfer on. It does not say that the caller has arrived."""


class ReferFailed(Struct, frozen=True, gc=False):
    """The cloud has refused our transfer."""

    detail: str = ""


class HungUp(Struct, frozen=True, gc=False):
    """The hang-up was taken, or the call was `gone` already."""

    gone: bool = False


class HangUpFailed(Struct, frozen=True, gc=False):
    """The hang-up was not taken."""

    detail: str = ""


class ShutDown(Struct, frozen=True, gc=False):
    """This process must leave."""


class TimeUp(Struct, frozen=True, gc=False):
    """At least one alarm of the call is due."""


class Due(Struct, frozen=True, gc=False):
    """One alarm is due. Made from `TimeUp` inside the step."""

    alarm: Alarm


class Broke(Struct, frozen=True, gc=False):
    """Our own code raised while it worked on this call."""

    detail: str


Event: TypeAlias = (
    Accepted | AcceptRefused | Rejected | RejectFailed | Attached | AttachFailed | SidebandLost
    | NothingHeard | ExpiryTold | SessionExpired | UtteranceOpened | CallerStarted | CallerStopped
    | CallerSaid | CallerNotUnderstood | CallerSilent | BotSaid | BotSpoke | BotCut | ReplyAsked
    | ReplyBegun | BotStarted | BotStopped | SayEnded | ToolAsked | ToolVoided | ToolStarted
    | ToolTaken | ModelFailed | Complained | DigitPressed | Used | ReplyFailed | ReplyMissing
    | TranscriptMissing | TranscriptionUsed | Directed | ToolEnded | HookAnswered | Referred
    | ReferFailed | HungUp | HangUpFailed | ShutDown | TimeUp | Due | Broke
)  # fmt: skip
