"""What is to go wrong: knobs of a simulator or of one call."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

ReferMode: TypeAlias = Literal["ok", "silent", "slow"] | int
TranscriptionMode: TypeAlias = Literal["ok", "late", "failed", "empty", "none"]


class Faults(Struct, frozen=True, kw_only=True):
    """Everything defaults to a cloud that works. Seconds are simulated ones unless said."""

    # webhook
    webhook_secret: str | None = None
    """Sign with this secret instead of the simulator's."""
    previous_webhook_secret: str | None = None
    """Sign with this one too, as during a rotation."""
    webhook_timestamp_offset_s: int = 0
    """Negative is stale, positive is from the future."""
    webhook_omits: tuple[str, ...] = ()
    """Headers to leave out."""
    webhook_tampered: bool = False
    """Change the body after it was signed."""
    duplicate_webhooks: int = 0
    """How many more times the same delivery is made, at the same time."""
    webhook_retries: int = 3
    webhook_retry_s: float = 5.0
    """Before the first retry of a delivery that was not answered 2xx; doubles each time."""
    webhook_timeout_s: float = 10.0
    """Real seconds."""
    ring_s: float | None = None
    """How long an unanswered call rings; `None` is 45 real seconds at any speed."""
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
    refuse_parameter: str | tuple[str, ...] = ()
    """Paths such as `session.audio.output.voice` that are called unknown."""
    refuse_in: tuple[Literal["accept", "session.update"], ...] = ("accept", "session.update")
    refer: ReferMode | tuple[ReferMode, ...] = "ok"
    """What becomes of each transfer: it works, nothing happens at all, the answer is late, or
    this HTTP status is answered. A tuple is used up one by one, its last value is kept."""
    refer_takes_s: float = 1.0
    """From the answer to the end of the call."""
    refer_slow_s: float = 8.0
    hangup_status: tuple[int, ...] = ()
    """HTTP statuses that the first hang-ups are answered with, in vain."""

    # sideband
    attach_404_for_s: float = 0.0
    attach_status: tuple[int, ...] = ()
    """HTTP statuses that the first attempts to attach are answered with."""
    session_created: bool = False
    drop_sideband_after: int | None = None
    """Drop the connection, once, after so many server events; the call goes on."""
    gone_after_drop: bool = False
    """The dropped call is over, too."""
    frames_lost: bool = False
    """Frames that are still on their way when the connection breaks are lost with it."""
    session_max_s: float = 3600.0
    close_code: int | None = None
    """Close the sideband with this code at the end of the call; 1006 is no close frame at all."""

    # session and model
    transcription: TranscriptionMode = "ok"
    transcription_late_s: float = 4.0
    duplicate_response_done: bool = False
    late_cancel: bool = False
    """A `response.cancel` with nothing to cancel hits the next response."""
    active_error_without_event_id: bool = False
    audio_deltas: bool = False
    """Send `response.output_audio.delta`, as no sideband ever did."""
    novelties: bool = False
    """Send events and fields that no documentation knows."""
    deaf: bool = False
    """The sideband is open, but no event is ever sent on it."""

    def refuses(self, path: str) -> bool:
        """Whether a parameter is to be called unknown."""
        paths = self.refuse_parameter
        return path == paths if isinstance(paths, str) else path in paths

    def refer_mode(self, attempt: int) -> ReferMode:
        """What becomes of the n-th transfer, counted from 0."""
        if not isinstance(self.refer, tuple):
            return self.refer
        return self.refer[min(attempt, len(self.refer) - 1)]
