"""What is decided before the call: limits in seconds, words to say, the targets' names."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from offhook.core.consent import Terms


def exactly(words: str) -> str:
    """The order to say these words and no others."""
    return f'Say exactly this to the caller now, and nothing else: "{words}"'


def aside(text: str) -> str:
    """A note for the model that is not meant for the caller."""
    return f"For your information only, never to be read out to the caller: {text}"


class Floor(StrEnum):
    """What the caller's voice may do to the bot's."""

    OPEN = "open"  # the caller may cut in, and is answered
    GUARDED = "guarded"  # the caller cannot cut in, and is answered afterwards
    HELD = "held"  # the caller is neither answered nor able to cut in


class Limits(Struct, frozen=True, gc=False, kw_only=True):
    """How long anything may take, in seconds."""

    ring: float = 4.0  # from the webhook to the accept; then the trunk must fail over
    accept_try: float = 2.0  # one accept request
    attach: float = 10.0  # from the accept to an open sideband
    greeting_delay: float = 0.2  # SIP media needs a moment, else the first syllable is clipped
    call: float = 55 * 60.0  # the clouds end a session after 60 minutes
    wrap_up: float = 60.0  # before the longest length: the spoken warning
    announce: float = 8.0
    refer_watch: float = 12.0
    goodbye: float = 10.0
    hang_up: float = 15.0
    silence: float | None = 46.0  # our own silence clock, where the cloud has none
    silent_prompts: int = 2  # idle prompts of the cloud before the goodbye
    digit_gap: float = 4.0
    digit_count: int = 32
    filler: float = 4.0  # a tool that takes longer is excused to the caller; 0: never
    fillers: int = 2  # so many times, until the tools have answered
    transfers: int = 3  # a caller is not sent round in circles


class Lines(Struct, frozen=True, gc=False, kw_only=True):
    """What the model is told to say where we, not the conversation, decide to speak.

    Orders to the model, not texts to read; `{target}` and `{others}` are filled in with labels.
    """

    greeting: str
    announce: str
    transfer_failed: str
    goodbye: str
    silence: str
    wrap_up: str
    time_up: str
    shut_down: str
    filler: str
    refused: str


class Rules(Struct, frozen=True, kw_only=True):
    """All that one bot's calls have in common."""

    lines: Lines
    bot: str = "bot"  # its name, for the record
    limits: Limits = Limits()
    targets: dict[str, str] = {}  # name -> label said to the caller; the URI stays outside
    reject_code: int = 503
    greeting_floor: Floor = Floor.OPEN
    terms: Terms | None = None  # spoken with the greeting, before all else
