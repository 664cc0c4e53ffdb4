"""What a response and a transcription have used, from the counts that the cloud gives.

The clouds give the sum of the input, and how much of it was audio, image and cached; the cached
tokens are a part of the sum. Text is what the others leave of it. A count that is missing is
unknown, which is not the same as none. Shapes are those of `RealtimeResponseUsage` and of
`conversation.item.input_audio_transcription.completed` in the openai Python package.
"""

from __future__ import annotations

import msgspec

from offhook.core import events as on
from offhook.core.usage import Tokens
from offhook.realtime.frames import CachedDetails, TokenDetails, Transcribed, Usage

_NO_CACHED = CachedDetails()


def of_response(usage: Usage | None) -> Tokens | None:
    """The tokens of a response; `None` if the cloud does not tell all of them."""
    if usage is None:
        return None
    read = _input(usage.input_tokens, usage.input_token_details)
    made = _output(usage.output_tokens, usage.output_token_details)
    return None if read is None or made is None else read + made


def told(usage: object) -> Tokens | None:
    """The same of a usage as JSON has it; `None` also for one that is none."""
    try:
        return of_response(msgspec.convert(usage, Usage | None))
    except msgspec.ValidationError:
        return None


def of_transcription(frame: Transcribed) -> on.TranscriptionUsed:
    """What a transcription has used: tokens or seconds, as its model is paid."""
    usage = frame.usage
    if usage is None:
        return on.TranscriptionUsed(frame.item_id)
    if usage.seconds is not None:
        return on.TranscriptionUsed(frame.item_id, seconds=usage.seconds)
    read = _input(usage.input_tokens, usage.input_token_details)
    if read is None or usage.output_tokens is None:
        return on.TranscriptionUsed(frame.item_id)
    return on.TranscriptionUsed(frame.item_id, read + Tokens(text_out=usage.output_tokens))


def _input(total: int | None, details: TokenDetails | None) -> Tokens | None:
    if details is None or total is None:
        return Tokens() if total == 0 else None
    audio, image = details.audio_tokens or 0, details.image_tokens or 0
    text = max(total - audio - image, 0)
    by_kind = details.cached_tokens_details or _NO_CACHED
    audio_cached = min(by_kind.audio_tokens or 0, audio)
    image_cached = min(by_kind.image_tokens or 0, image)
    rest = (details.cached_tokens or 0) - audio_cached - image_cached
    text_cached = min(max(rest, 0), text)
    return Tokens(
        text_in=text - text_cached,
        audio_in=audio - audio_cached,
        image_in=image - image_cached,
        text_cached=text_cached,
        audio_cached=audio_cached,
        image_cached=image_cached,
    )


def _output(total: int | None, details: TokenDetails | None) -> Tokens | None:
    if details is None or total is None:
        return Tokens() if total == 0 else None
    audio = details.audio_tokens or 0
    return Tokens(text_out=max(total - audio, 0), audio_out=audio)
