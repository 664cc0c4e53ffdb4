"""Frames that the cloud sends on the sideband, decoded in one pass.

Shapes and names are those of the realtime types of the openai Python package. The clouds add
types and fields at will and put null almost anywhere, so every field has a default, what nobody
here needs is skipped by its type before anything of it is built, and what cannot be read
becomes a value that is counted.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from msgspec import Struct


class Frame(Struct, frozen=True, gc=False, tag_field="type"):
    """One event of the cloud. The tag of each kind is its `type` on the wire."""


class Unknown(Struct, frozen=True, gc=False):
    """A type that we do not know: news from the cloud, counted."""

    type: str


class Unreadable(Struct, frozen=True, gc=False):
    """Not what the protocol says; `why` is for the log and repeats no content."""

    type: str
    why: str


class Problem(Struct, frozen=True, gc=False):
    """What went wrong; `event_id` is that of our event that caused it, often null."""

    code: str | None = None
    type: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class Item(Struct, frozen=True, gc=False):
    """A conversation item of any type; fields of other types are at their defaults."""

    id: str = ""
    type: str = ""
    role: str | None = None
    status: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None


class Content(Struct, frozen=True, gc=False):
    """One part of what an item says, in writing."""

    transcript: str | None = None
    text: str | None = None


class WholeItem(Item, frozen=True, gc=False):
    """An item that was asked for, with its content."""

    content: list[Content] | None = None

    @property
    def words(self) -> str | None:
        """What it says; `None` if nobody has put that into words yet."""
        found = [part.transcript or part.text for part in self.content or ()]
        return " ".join(text for text in found if text) or None


class CachedDetails(Struct, frozen=True, gc=False):
    """Cached tokens by kind."""

    audio_tokens: int | None = None
    image_tokens: int | None = None


class TokenDetails(Struct, frozen=True, gc=False):
    """Tokens by kind. Text is what the others leave of the sum."""

    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens: int | None = None
    cached_tokens_details: CachedDetails | None = None


class Usage(Struct, frozen=True, gc=False):
    """Tokens of one response. Cached ones are a part of the input, not on top."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None


class TranscriptionUsage(Struct, frozen=True, gc=False):
    """What one transcription has used: `seconds` of audio, or tokens, as the model is paid."""

    seconds: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: TokenDetails | None = None


class StatusDetails(Struct, frozen=True, gc=False):
    """Why a response did not complete."""

    type: str | None = None
    reason: str | None = None
    error: Problem | None = None


class Response(Struct, frozen=True, gc=False):
    """A response: `status` is in_progress, completed, cancelled, incomplete or failed."""

    id: str = ""
    status: str | None = None
    status_details: StatusDetails | None = None
    output: list[Item] | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] | None = None


class Output(Struct, frozen=True, gc=False):
    voice: Any = None


class Audio(Struct, frozen=True, gc=False):
    output: Output | None = None


class Session(Struct, frozen=True, gc=False):
    """The part of the session's echo that we look at."""

    id: str = ""
    audio: Audio | None = None
    expires_at: int | None = None


class Error(Frame, frozen=True, gc=False, tag="error"):
    error: Problem = Problem()


class SessionCreated(Frame, frozen=True, gc=False, tag="session.created"):
    session: Session = Session()


class SessionUpdated(Frame, frozen=True, gc=False, tag="session.updated"):
    session: Session = Session()


class ItemAdded(Frame, frozen=True, gc=False, tag="conversation.item.added"):
    item: Item = Item()
    previous_item_id: str | None = None


class ItemRetrieved(Frame, frozen=True, gc=False, tag="conversation.item.retrieved"):
    item: WholeItem = WholeItem()


class ItemTruncated(Frame, frozen=True, gc=False, tag="conversation.item.truncated"):
    item_id: str = ""
    audio_end_ms: int | None = None


class SpeechStarted(Frame, frozen=True, gc=False, tag="input_audio_buffer.speech_started"):
    item_id: str = ""
    audio_start_ms: int | None = None


class SpeechStopped(Frame, frozen=True, gc=False, tag="input_audio_buffer.speech_stopped"):
    item_id: str = ""
    audio_end_ms: int | None = None


class Committed(Frame, frozen=True, gc=False, tag="input_audio_buffer.committed"):
    item_id: str = ""
    previous_item_id: str | None = None


class IdleTimeout(Frame, frozen=True, gc=False, tag="input_audio_buffer.timeout_triggered"):
    item_id: str | None = None


class Dtmf(Frame, frozen=True, gc=False, tag="input_audio_buffer.dtmf_event_received"):
    """A key: the only frame without an event id (SIP only)."""

    event: str = ""


class Transcribed(
    Frame, frozen=True, gc=False, tag="conversation.item.input_audio_transcription.completed"
):
    item_id: str = ""
    transcript: str | None = None
    usage: TranscriptionUsage | None = None


class TranscriptionFailed(
    Frame, frozen=True, gc=False, tag="conversation.item.input_audio_transcription.failed"
):
    item_id: str = ""
    error: Problem | None = None


class ResponseCreated(Frame, frozen=True, gc=False, tag="response.created"):
    response: Response = Response()


class ResponseDone(Frame, frozen=True, gc=False, tag="response.done"):
    response: Response = Response()


class OutputItemDone(Frame, frozen=True, gc=False, tag="response.output_item.done"):
    response_id: str = ""
    item: Item = Item()


class AudioTranscriptDone(
    Frame, frozen=True, gc=False, tag="response.output_audio_transcript.done"
):
    item_id: str = ""
    transcript: str | None = None


class TextDone(Frame, frozen=True, gc=False, tag="response.output_text.done"):
    item_id: str = ""
    text: str | None = None


class PlaybackStarted(Frame, frozen=True, gc=False, tag="output_audio_buffer.started"):
    response_id: str = ""


class PlaybackStopped(Frame, frozen=True, gc=False, tag="output_audio_buffer.stopped"):
    response_id: str = ""


class PlaybackCleared(Frame, frozen=True, gc=False, tag="output_audio_buffer.cleared"):
    response_id: str = ""


KNOWN: tuple[type[Frame], ...] = (
    Error,
    SessionCreated,
    SessionUpdated,
    ItemAdded,
    ItemRetrieved,
    ItemTruncated,
    SpeechStarted,
    SpeechStopped,
    Committed,
    IdleTimeout,
    Dtmf,
    Transcribed,
    TranscriptionFailed,
    ResponseCreated,
    ResponseDone,
    OutputItemDone,
    AudioTranscriptDone,
    TextDone,
    PlaybackStarted,
    PlaybackStopped,
    PlaybackCleared,
)

# Known, and of no use to a control plane: deltas of what arrives whole later, echoes, audio.
SKIPPED_TYPES = (
    "conversation.created",
    "conversation.item.created",
    "conversation.item.deleted",
    "conversation.item.done",
    "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.segment",
    "input_audio_buffer.cleared",
    "mcp_list_tools.completed",
    "mcp_list_tools.failed",
    "mcp_list_tools.in_progress",
    "rate_limits.updated",
    "response.content_part.added",
    "response.content_part.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.mcp_call.completed",
    "response.mcp_call.failed",
    "response.mcp_call.in_progress",
    "response.mcp_call_arguments.delta",
    "response.mcp_call_arguments.done",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.delta",
    "response.output_item.added",
    "response.output_text.delta",
)

# As the clouds write it: the type comes first, and so always ends at the same quotation mark.
NOISE = frozenset(b'{"type":"' + kind.encode() for kind in SKIPPED_TYPES)


def _heads(*kinds: type[Frame]) -> frozenset[bytes]:
    return frozenset(b'{"type":"' + str(k.__struct_config__.tag).encode() for k in kinds)


# Of what these tell nothing has to be done within milliseconds, unless something waits for it.
PATIENT = _heads(
    ItemAdded,
    SpeechStarted,
    SpeechStopped,
    Committed,
    ResponseCreated,
    ResponseDone,
    OutputItemDone,
    PlaybackStarted,
    PlaybackStopped,
)
WORDS = _heads(Transcribed, TranscriptionFailed, AudioTranscriptDone, TextDone)  # nor of these
DONE = b'{"type":"response.done'


def head(raw: bytes) -> bytes:
    """A frame up to the end of its type, if it is written as the clouds write it.

    With a look at it four of five frames of a conversation are known to be `NOISE`, at a third
    of the cost of decoding them. One that is written in another way is in neither set.
    """
    return raw[: raw.find(b'"', 9)]


def asks(kind: bytes, raw: bytes) -> bool:
    """Whether a frame with this head may ask for a tool, so that it can't wait whatever it is."""
    return kind == DONE and b'"function_call"' in raw


_KEY = b'{"type":"input_audio_buffer.dtmf_event_received"'


def is_key(raw: bytes) -> bool:
    """Whether this is a key of the telephone: the one kind of frame that has no id."""
    return raw.startswith(_KEY)


class Skipped(Struct, frozen=True, gc=False):
    """Base of the kinds that are recognised by their type alone."""


_SKIPPED = tuple(
    msgspec.defstruct(f"Skipped{n}", [], bases=(Skipped,), frozen=True, tag_field="type", tag=kind)
    for n, kind in enumerate(SKIPPED_TYPES)
)
_union: Any = None
for _kind in (*KNOWN, *_SKIPPED):
    _union = _kind if _union is None else _union | _kind
_decode = msgspec.json.Decoder(_union).decode


class _Type(Struct):
    type: str = ""


_type_of = msgspec.json.Decoder(_Type).decode

Received: TypeAlias = Frame | Unknown | Unreadable


def decode(raw: str | bytes) -> Received | None:
    """Decode one text frame; `None` for a type that nobody here needs. Never raises."""
    try:
        frame = _decode(raw)
    except msgspec.MsgspecError as error:
        return _odd(raw, error)
    except UnicodeError:
        return Unreadable("", "not UTF-8")
    return None if isinstance(frame, Skipped) else frame


def _odd(raw: str | bytes, error: msgspec.MsgspecError) -> Received | None:
    """Tell a type that is new to us from a frame that is broken."""
    try:
        kind = _type_of(raw).type
    except (msgspec.MsgspecError, UnicodeError):
        return Unreadable("", "not a JSON object with a type")
    if kind in SKIPPED_TYPES:
        return None
    known = any(k.__struct_config__.tag == kind for k in KNOWN)
    return Unreadable(kind, str(error)) if known else Unknown(kind)
