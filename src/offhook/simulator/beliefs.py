"""What nobody outside of the clouds knows for sure: a switch each, with a default and a reason."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Beliefs(Struct, frozen=True, kw_only=True):
    """Where witnesses are alone or contradict each other. A bot should survive either setting."""

    not_found_status: Literal[400, 404] = 404
    """The HTTP status with `call_id_not_found`. Nearly all report 404, one client met 400."""
    azure_checks_session: bool = True
    """Whether Azure refuses a bad session when the call is accepted. One report says that it looks
    only at the call and the deployment; a refusal is what more bots have to handle."""
    azure_clears_playback: bool = True
    """Whether Azure knows `output_audio_buffer.clear`. Its own error text does not list it; its
    documentation does, and bots use it there."""
    azure_refers: bool = True
    """Whether Azure can transfer at all. One report of 500 for every target is months old."""
    azure_transcribers: tuple[str, ...] | None = None
    """The transcription models that Azure has; any other fails at each turn with
    `DeploymentNotFound`. None is all of them: two reports contradict each other about which need
    a deployment of their own."""
    joins_unanswered: bool = True
    """Whether a sideband can be attached before the webhook was answered 2xx. OpenAI's example
    accepts first; a carrier says that no call is connected before the answer."""
    rejects_work: bool = True
    """Whether a rejected call is over. One author found that it rang on."""
    close_after_refer: int = 1000
    """The close code after a transfer; 1006 is no close frame. Nobody has recorded it on SIP."""
    close_after_hangup: int = 1000
    """The same after a hang-up of ours."""
    expiry_is_announced: bool = True
    """Whether an error `session_expired` precedes the close of a session that is too old."""
    last_words: bool = False
    """Whether the response that a leaving caller cuts off is still told as cancelled. The line is
    often gone first, so a bot must not rely on it."""
    cleared_first: bool = False
    """Whether an interrupted playback is told before the end of the response that it belongs to.
    Nobody has recorded a barge-in while the answer was still being made."""
    done_names_callers: bool = False
    """Whether `conversation.item.done` names the caller's item as the one before. It does in one
    recording and is null in all others."""
    limits_first: bool = False
    """Whether `rate_limits.updated` comes when a response begins, as the reference says, and not
    after its end, as recorded."""
    cancelled_usage: bool = True
    """Whether a cancelled response tells its usage; both were seen."""
    late_first_defaults: bool = False
    """Whether gpt-realtime-1.5 begins with the voice and the silence of its successors. It shares
    its limits with its predecessors."""
    unknown_tool_call: str | None = "invalid_tool_call_id"
    """The code of the error about the output of a function that was never called."""
    keys_are_heard: bool = False
    """Whether the tone of a key counts as speech, too: a turn with no words."""
    buffer_commands: bool = True
    """Whether a sideband may clear the caller's audio buffer (`cleared` follows) and is told that
    there is nothing to commit. Otherwise both are ignored."""
