"""What is to go wrong: knobs of a simulator or of one call."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

ReferMode: TypeAlias = Literal["ok", "silent", "slow"] | int
TranscriptionMode: TypeAlias = Literal["ok", "late", "failed", "forbidden", "empty", "echo", "none"]


class Faults(Struct, frozen=True, kw_only=True):
    """Everything defaults to a cloud that works. Seconds are simulated ones unless said."""

    # webhook
    webhook_secret: str | None = None
    """Sign with this secret instead of the simulator's."""
    previous_webhook_secret: str | None = None
    """Sign with this one too, as during a rotation."""
    webhook_timestamp_offset_s: int = 0
    """Move the timestamp: negative is stale, positive is from the future."""
    webhook_omits: tuple[str, ...] = ()
    """Names of headers to leave out."""
    webhook_tampered: bool = False
    """Change the body after it was signed."""
    duplicate_webhooks: int = 0
    """How many more times the same delivery is made, under the same id."""
    duplicate_webhook_after_s: float = 0.0
    """How long after the delivery before, each time."""
    webhook_retries: int = 3
    """How often a delivery that was not answered 2xx is made again."""
    webhook_retry_s: float = 5.0
    """How long before the first retry; doubles each time."""
    webhook_timeout_s: float = 10.0
    """How many real seconds an answer may take."""
    ring_s: float | None = None
    """How long an unanswered call rings; `None` is 45 real seconds at any speed."""
    ghost_s: float = 0.0
    """How long the cloud keeps a call whose caller left while it rang: it can be accepted, and the
    bot talks to nobody."""
    live_twin: bool = False
    """Announce the same call to the Live API, too (`live.transport.incoming`)."""

    # REST
    accept_status: tuple[int, ...] = ()
    """HTTP statuses that the first accepts are answered with."""
    accept_hangs: int = 0
    """How many accepts are never answered."""
    accept_answer_lost: int = 0
    """How many accepts work, but their connection is dropped in place of an answer."""
    lax_accept: bool = False
    """A bad body is accepted with 200; the sideband is then never found."""
    second_accept: int = 409
    """The HTTP status of an accept of a call that was accepted before."""
    refuse_parameter: str | tuple[str, ...] = ()
    """Paths such as `session.audio.output.voice` that are called unknown."""
    refuse_in: tuple[Literal["accept", "session.update"], ...] = ("accept", "session.update")
    """Where they are called so."""
    refer: ReferMode | tuple[ReferMode, ...] = "ok"
    """What becomes of each transfer: it works, nothing happens at all, the answer is late, or
    this HTTP status is answered. A tuple is used up one by one, its last value is kept."""
    refer_takes_s: float = 1.0
    """From the answer to the end of the call."""
    refer_slow_s: float = 8.0
    """How late the answer of a slow transfer is."""
    hangup_status: tuple[int, ...] = ()
    """HTTP statuses that the first hang-ups are answered with, in vain."""
    omits_request_id: bool = False
    """Answer without an `x-request-id`, as a transfer that does nothing always does."""

    # sideband
    attach_404_for_s: float = 0.0
    """How long after the accept nobody can attach."""
    attach_deaf_s: float = 0.0
    """How long a later sideband of a call is open before it is told what happens. What happens
    meanwhile it is never told."""
    attach_status: tuple[int, ...] = ()
    """HTTP statuses that the first attempts to attach are answered with."""
    session_status: tuple[int, ...] = ()
    """HTTP statuses that the first sessions without a call are refused with."""
    session_created: bool = False
    """Greet each sideband with `session.created`. Witnesses contradict each other; no recorded
    sideband was greeted."""
    drop_sideband_after: int | None = None
    """Drop the connection, once, after so many server events; the call goes on."""
    gone_after_drop: bool = False
    """The dropped call is over, too."""
    frames_lost: bool = False
    """Frames that are still on their way when the connection breaks are lost with it."""
    session_max_s: float = 3600.0
    """When a session is too old and is closed with 1001."""
    close_code: int | None = None
    """Close the sideband with this code at the end of the call; 1006 is no close frame at all."""

    # session and model
    transcription: TranscriptionMode = "ok"
    """What becomes of the caller's words: a transcript, a late one, an error (`forbidden` is
    OpenAI's of a project that may not use the model), no words, the words of the transcription's
    own prompt, nothing at all."""
    transcription_late_s: float = 4.0
    """How late a late transcript is."""
    unanswered_turns: int = 0
    """How many turns of the caller the model does not answer by itself, though it should."""
    duplicate_response_done: bool = False
    """Tell the end of each response twice."""
    late_cancel: bool = False
    """A `response.cancel` with nothing to cancel hits the next response."""
    active_error_without_event_id: bool = False
    """Do not say which `response.create` came too early."""
    audio_deltas: bool = False
    """Send `response.output_audio.delta`, as no sideband ever did."""
    novelties: bool = False
    """Send events and fields that no documentation knows."""
    duplicate_every: int | None = None
    """Send each n-th frame twice."""
    deaf: bool = False
    """The sideband is open, but no event is ever sent on it."""
    deaf_after: int | None = None
    """The same, from this number of events on."""

    def refuses(self, path: str) -> bool:
        """Whether a parameter is to be called unknown."""
        paths = self.refuse_parameter
        return path == paths if isinstance(paths, str) else path in paths

    def refer_mode(self, attempt: int) -> ReferMode:
        """What becomes of the n-th transfer, counted from 0."""
        if not isinstance(self.refer, tuple):
            return self.refer
        return self.refer[min(attempt, len(self.refer) - 1)]
