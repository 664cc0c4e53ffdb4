"""What reading gives: frozen values, one for each kind of record. Fields are named as columns.

Times are whole milliseconds since 1970 in UTC, fields in `_ms` are lengths in milliseconds.
`None` is unknown, or not kept.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """Some of a list, newest first. `next` is the cursor of the rest; `None`: this is the end."""

    items: tuple[T, ...]
    next: str | None = None


class CallSummary(Struct, frozen=True, kw_only=True):
    """One call, as it stands in a list. `length_ms` is from the accept to the end.

    `line` is its name in the file of lines, `called` the number that was dialled.
    """

    call_id: str
    rang_at: int
    phase: str
    provider: str
    model: str
    bot: str
    line: str | None
    called: str | None
    language: str
    caller_masked: str | None
    accepted_at: int | None
    attached_at: int | None
    greeted_at: int | None
    greeted: bool
    ended_at: int | None
    length_ms: int | None
    reason: str | None
    fault: str | None
    detail: str | None
    target: str | None
    utterances: int
    tools: int
    cost_usd: float | None
    prices: str | None
    consent: str | None
    keep: bool
    purged_at: int | None
    replica: str | None


class Spoken(Struct, frozen=True, kw_only=True):
    """One thing said. `heard_ms` is set where the caller cut in; then `heard` is what came across.

    `text` is `None` where it was not kept or not understood. `heard` and `unheard` are estimated
    from the share of the audio that was played; together they are the text.
    """

    item: str
    place: int
    who: str
    at: int
    text: str | None
    spoken_ms: int | None
    heard_ms: int | None
    heard: str | None = None
    unheard: str | None = None


class Transcript(Struct, frozen=True, kw_only=True):
    """What was said, in spoken order. `began_at` is when the call was accepted, else rang."""

    call_id: str
    began_at: int
    language: str
    utterances: tuple[Spoken, ...]


class ToolCall(Struct, frozen=True, kw_only=True):
    """One function call of the model. `outcome` is `running` until it has ended."""

    ref: str
    name: str
    asked_at: int
    ended_at: int | None
    took_ms: int | None
    arguments: str | None
    outcome: str
    output: str | None
    error: str | None


class TransferTry(Struct, frozen=True, kw_only=True):
    """One attempt to hand the caller over. `outcome` is `None` while it is under way."""

    n: int
    target: str
    reason: str | None
    began_at: int
    ended_at: int | None
    outcome: str | None
    detail: str | None


class Turn(Struct, frozen=True, kw_only=True):
    """One turn and its latencies: from the end of speech to the first audio of the answer."""

    item: str
    n: int
    stopped_at: int
    speech_ended_at: int | None
    response_at: int | None
    audio_at: int | None
    latency_ms: int | None
    tool_ms: int | None
    own_ms: int | None


class Use(Struct, frozen=True, kw_only=True):
    """The tokens of one response or one transcription. Cached input is not part of `*_in`."""

    ref: str
    at: int
    model: str
    kind: str
    text_in: int
    audio_in: int
    image_in: int
    text_cached: int
    audio_cached: int
    image_cached: int
    text_out: int
    audio_out: int
    seconds: float | None


class Moment(Struct, frozen=True, kw_only=True):
    """Something that happened to the call itself."""

    n: int
    at: int
    kind: str
    detail: str | None


class Consent(Struct, frozen=True, kw_only=True):
    """What the caller was told about, in which version, and the answer."""

    n: int
    at: int
    policy: str
    language: str
    version: str
    text: str
    answer: str


class Delivery(Struct, frozen=True, kw_only=True):
    """One webhook that came in, and what became of it. `took_us` is in microseconds."""

    id: int
    at: int
    delivery_id: str | None
    event_type: str | None
    call_id: str | None
    result: str
    status: int
    took_us: int


class CallRecord(Struct, frozen=True, kw_only=True):
    """One call with everything that is known of it."""

    call: CallSummary
    caller_name: str | None
    transcript: tuple[Spoken, ...]
    tool_calls: tuple[ToolCall, ...]
    transfers: tuple[TransferTry, ...]
    turns: tuple[Turn, ...]
    usage: tuple[Use, ...]
    moments: tuple[Moment, ...]
    consents: tuple[Consent, ...]
    deliveries: tuple[Delivery, ...]


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a timeline: `kind` says which of the four is set."""

    at: int
    kind: Literal["moment", "utterance", "tool", "transfer"]
    moment: Moment | None = None
    utterance: Spoken | None = None
    tool: ToolCall | None = None
    transfer: TransferTry | None = None


class Count(Struct, frozen=True):
    """How many calls share a value of something. `None` is a value, too: unknown, or none yet."""

    value: str | None
    calls: int


class Stats(Struct, frozen=True, kw_only=True):
    """Calls in numbers. Shares are from 0 to 1, `None` where there is nothing to divide by."""

    calls: int
    live: int
    answered: int
    answered_share: float | None
    transfers: int  # attempts that have ended
    transferred: int
    transfer_success: float | None
    cut_short: int  # ended by a fault of ours, the cloud, the carrier or the configuration
    average_length_ms: float | None
    longest_ms: int | None
    cost_usd: float | None
    reasons: tuple[Count, ...]
    faults: tuple[Count, ...]
    days: tuple[Count, ...]  # oldest first, as 2026-11-22


class Percentiles(Struct, frozen=True, kw_only=True):
    """A spread of lengths in milliseconds, by nearest rank. `count` is of those that are known."""

    measure: str
    group: str | None
    count: int
    p50: float
    p95: float
    p99: float


class Cost(Struct, frozen=True, kw_only=True):
    """What calls cost in US dollars. `unpriced` calls have used something with no known price."""

    group: str | None
    calls: int
    unpriced: int
    cost_usd: float | None
