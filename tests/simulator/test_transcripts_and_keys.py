"""Transcripts are late, wrong or missing, and keys come at any time."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator import (
    Faults,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    Simulator,
    Waits,
    WaitsFor,
)

EVENT = "conversation.item.input_audio_transcription"
LONG = "This is a rather long answer that takes its time to be spoken and can be cut off. " * 3


def transcribing(model: str = "gpt-realtime-whisper", **options: Any) -> Any:
    return {"input": {"transcription": {"model": model, **options}}}


async def held(cloud: Simulator, webhooks: Any, connect: Any, *steps: Any, **session: Any) -> Any:
    model = session.pop("acts", ())
    call = await cloud.ring(webhooks.url, Script(steps=steps, model=model))
    return call, await connect(cloud).join(call.call_id, **session)


async def test_a_transcript_can_come_after_the_next_turn(webhooks: Any, connect: Any) -> None:
    faults = Faults(transcription="late", transcription_late_s=20.0)
    steps = (Says("One."), Hears(), Says("Two."), Hears())
    async with Simulator(speed=50, faults=faults) as cloud:
        _, line = await held(cloud, webhooks, connect, *steps, audio=transcribing())
        first = await line.until(f"{EVENT}.completed")
    committed = [e["item_id"] for e in line.events if e["type"] == "input_audio_buffer.committed"]
    assert len(committed) == 2
    assert (first["item_id"], first["transcript"]) == (committed[0], "One.")


async def test_a_transcription_can_repeat_its_own_prompt(webhooks: Any, connect: Any) -> None:
    audio = transcribing(prompt="Order numbers look like ACME-12345.")
    async with Simulator(speed=50, faults=Faults(transcription="echo")) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Hello."), audio=audio)
        completed = await line.until(f"{EVENT}.completed")
    assert completed["transcript"] == "Order numbers look like ACME-12345."


async def test_a_project_may_not_be_allowed_to_transcribe(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(transcription="forbidden")) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Hello."), audio=transcribing())
        error = (await line.until(f"{EVENT}.failed"))["error"]
        await line.until("response.done")
    assert error["code"] is None
    assert "403 Forbidden" in error["message"]


async def test_without_a_wish_for_it_nothing_is_transcribed(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Hello."), Waits(5.0), HangsUp())
        await line.closed()
    assert not any(kind.startswith(EVENT) for kind in line.kinds)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("whisper-1", "duration"),
        ("gpt-realtime-whisper", "duration"),
        ("gpt-4o-transcribe", "tokens"),
    ],
)
async def test_transcripts_are_paid_by_time_or_by_tokens(
    webhooks: Any, connect: Any, model: str, kind: str
) -> None:
    async with Simulator(speed=50) as cloud:
        said = Says("Hello.", seconds=2.5)
        _, line = await held(cloud, webhooks, connect, said, audio=transcribing(model))
        usage = (await line.until(f"{EVENT}.completed"))["usage"]
    assert usage["type"] == kind
    if kind == "duration":
        assert usage == {"type": "duration", "seconds": 3}
    else:
        assert usage["input_token_details"] == {"text_tokens": 0, "audio_tokens": 25}
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.parametrize(
    ("model", "deltas"),
    [
        ("whisper-1", ["One two three."]),
        ("gpt-4o-transcribe", ["One", " two", " three."]),
        ("gpt-realtime-whisper", ["One", " two", " three."]),
    ],
)
async def test_transcripts_come_in_pieces_as_their_model_has_them(
    webhooks: Any, connect: Any, model: str, deltas: list[str]
) -> None:
    async with Simulator(speed=50) as cloud:
        said = Says("One two three.")
        _, line = await held(cloud, webhooks, connect, said, audio=transcribing(model))
        await line.until(f"{EVENT}.completed")
    assert [event["delta"] for event in line.events if event["type"] == f"{EVENT}.delta"] == deltas


async def test_a_phantom_turn_has_no_words_and_is_answered(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, Says(""), audio=transcribing())
        completed = await line.until(f"{EVENT}.completed")
        await line.until("response.done")
    assert completed["transcript"] == ""
    assert len(call.items) == 2


async def test_every_key_comes_in_a_burst_while_the_bot_speaks(webhooks: Any, connect: Any) -> None:
    keys = "0123456789*#ABCD"
    steps = (Says("Go on."), WaitsFor("bot_audio_started"), Presses(keys, gap_s=0.0), Waits(1.0))
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, *steps, HangsUp(), acts=(Replies(LONG),))
        await line.closed()
    kind = "input_audio_buffer.dtmf_event_received"
    pressed = [event for event in line.events if event["type"] == kind]
    assert "".join(event["event"] for event in pressed) == keys
    assert all("event_id" not in event for event in pressed)
    assert call.marks("bot_audio_cleared") == []
