"""What is written down: one struct for each table of a call's record, its fields the columns.

A fact is absolute, never an increment, so writing one twice changes nothing. Fields that are not
in a struct (a legal hold) belong to others, and are left alone.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct


class Fact(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="is"):
    """Base of all. `rev` grows within a call; a fact that is older than its row is dropped."""

    call_id: str
    rev: int = 0


class CallFact(Fact, frozen=True, gc=False, kw_only=True, tag="calls"):
    """The call as a whole, written anew whenever something of it changes."""

    rang_at: int
    phase: str
    provider: str
    model: str
    bot: str
    language: str
    line: str | None = None
    replica: str | None = None
    caller_hash: str | None = None
    caller_number: str | None = None
    caller_masked: str | None = None
    caller_name: str | None = None
    accepted_at: int | None = None
    attached_at: int | None = None
    greeted_at: int | None = None
    greeted: bool = False
    ended_at: int | None = None
    reason: str | None = None
    fault: str | None = None
    detail: str | None = None
    target: str | None = None
    consent: str | None = None
    utterances: int = 0
    tools: int = 0
    cost_usd: float | None = None
    known_usd: float = 0.0
    prices: str | None = None


class UtteranceFact(Fact, frozen=True, gc=False, kw_only=True, tag="utterances"):
    """One thing said, once its text is known."""

    item: str
    place: int
    who: str
    at: int
    text: str | None = None
    spoken_ms: int | None = None
    heard_ms: int | None = None


class ToolFact(Fact, frozen=True, gc=False, kw_only=True, tag="tool_calls"):
    """One function call, when it is asked for and again when it has ended."""

    ref: str
    name: str
    asked_at: int
    outcome: str
    ended_at: int | None = None
    arguments: str | None = None
    output: str | None = None
    error: str | None = None


class TransferFact(Fact, frozen=True, gc=False, kw_only=True, tag="transfers"):
    """One attempt to hand the caller over, when it begins and again when it has ended."""

    n: int
    target: str
    began_at: int
    reason: str | None = None
    ended_at: int | None = None
    outcome: str | None = None
    detail: str | None = None


class TurnFact(Fact, frozen=True, gc=False, kw_only=True, tag="turns"):
    """The latency of one turn, once the caller hears the answer."""

    item: str
    n: int
    stopped_at: int
    speech_ended_at: int | None = None
    response_at: int | None = None
    audio_at: int | None = None
    latency_ms: int | None = None
    tool_ms: int | None = None
    own_ms: int | None = None


class UsageFact(Fact, frozen=True, gc=False, kw_only=True, tag="usage"):
    """What one response or one transcription has used; not `known`: the cloud did not tell."""

    ref: str
    at: int
    model: str
    kind: str
    text_in: int = 0
    audio_in: int = 0
    image_in: int = 0
    text_cached: int = 0
    audio_cached: int = 0
    image_cached: int = 0
    text_out: int = 0
    audio_out: int = 0
    seconds: float | None = None
    known: bool = True


class MomentFact(Fact, frozen=True, gc=False, kw_only=True, tag="moments"):
    """Something that happened to the call, for its timeline."""

    n: int
    at: int
    kind: str
    detail: str | None = None


class ConsentFact(Fact, frozen=True, gc=False, kw_only=True, tag="consents"):
    """What the caller was told about, and the answer."""

    n: int
    at: int
    policy: str
    language: str
    version: str
    text: str
    answer: str


class CheckpointFact(Fact, frozen=True, gc=False, kw_only=True, tag="checkpoints"):
    """What another process needs to go on with the call, sealed. Without `state`: nothing."""

    at: int
    state: str | None = None


class DeliveryFact(Struct, frozen=True, gc=False, kw_only=True, tag_field="is", tag="deliveries"):
    """One webhook that has come in, and what became of it. Added, never changed.

    `id` is made where it came in, so that one that is written twice is one row.
    """

    id: int
    at: int
    result: str
    status: int
    took_us: int
    delivery_id: str | None = None
    event_type: str | None = None
    call_id: str | None = None


AnyFact: TypeAlias = (
    CallFact
    | UtteranceFact
    | ToolFact
    | TransferFact
    | TurnFact
    | UsageFact
    | MomentFact
    | ConsentFact
    | CheckpointFact
    | DeliveryFact
)
