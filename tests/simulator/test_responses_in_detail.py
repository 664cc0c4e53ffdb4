"""What a single response may be told, carries and can go wrong with."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    Replies,
    Says,
    Script,
    Simulator,
    StopsShort,
    Waits,
)

LONG = "This is a rather long answer that takes its time to be spoken and can be cut off. " * 3
TOOL = {"type": "function", "name": "look", "description": "Look. " * 40}


async def joined(cloud: Simulator, webhooks: Any, connect: Any, *acts: Any, **session: Any) -> Any:
    call = await cloud.ring(webhooks.url, Script(model=acts))
    return call, await connect(cloud).join(call.call_id, **session)


@pytest.mark.parametrize("switched_on", [True, False])
async def test_audio_stays_off_the_sideband_unless_switched_on(
    webhooks: Any, connect: Any, switched_on: bool
) -> None:
    async with Simulator(speed=50, faults=Faults(audio_deltas=switched_on)) as cloud:
        _, line = await joined(cloud, webhooks, connect, Replies("A few words."))
        await line.send("response.create")
        await line.until("response.done")
    assert "response.output_audio.done" in line.kinds
    assert ("response.output_audio.delta" in line.kinds) is switched_on


async def test_an_error_about_an_early_order_may_not_say_which(webhooks: Any, connect: Any) -> None:
    faults = Faults(active_error_without_event_id=True)
    async with Simulator(speed=20, faults=faults) as cloud:
        _, line = await joined(cloud, webhooks, connect, Replies(LONG))
        await line.send("response.create")
        await line.until("response.created")
        await line.send("response.create", event_id="early")
        error = (await line.until("error"))["error"]
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] is None


async def test_own_instructions_and_tools_take_the_place_of_the_sessions(
    webhooks: Any, connect: Any
) -> None:
    read = []
    async with Simulator(speed=50) as cloud:
        for own in ({}, {"instructions": "Hi."}, {"instructions": "Hi.", "tools": []}):
            _, line = await joined(
                cloud, webhooks, connect, instructions="Be kind. " * 100, tools=[TOOL]
            )
            await line.send("response.create", response=own)
            usage = (await line.until("response.done"))["response"]["usage"]
            read.append(usage["input_token_details"]["text_tokens"])
    assert read[0] > read[1] > read[2] > 0


@pytest.mark.parametrize("arguments", ['{ "a":\n 1 }\n', '{"a": 1', "Sure! {}", ""])
async def test_arguments_are_what_the_model_wrote(
    webhooks: Any, connect: Any, arguments: str
) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await joined(cloud, webhooks, connect, CallsTools(("look", arguments)))
        await line.send("response.create")
        asked = await line.until("response.function_call_arguments.done")
        done = await line.until("response.done")
    assert asked["arguments"] == arguments
    assert done["response"]["output"][0]["arguments"] == arguments
    deltas = [e["delta"] for e in line.events if e["type"].endswith("arguments.delta")]
    assert "".join(deltas) == arguments


async def test_a_tool_that_is_never_answered_holds_nothing_up(webhooks: Any, connect: Any) -> None:
    acts = (CallsTools(("look", {})), Replies("Let us go on."))
    script = Script(steps=(Says("Go."), Waits(5.0), Says("Well?")), model=acts)
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url, script)
        await connect(cloud).join(call.call_id)
        await call.reached("bot_said", text="Let us go on.")
    assert call.marks("tool_answered") == []


async def test_a_server_error_names_the_session(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await joined(cloud, webhooks, connect, FailsWith(None))
        await line.send("response.create")
        response = (await line.until("response.done"))["response"]
    error = response["status_details"]["error"]
    assert (error["type"], error["code"]) == ("server_error", None)
    assert call.session["id"] in error["message"]


@pytest.mark.parametrize("code", ["insufficient_quota", "rate_limit_exceeded"])
async def test_a_response_can_fail_for_want_of_means(
    webhooks: Any, connect: Any, code: str
) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await joined(cloud, webhooks, connect, FailsWith(code))
        await line.send("response.create")
        response = (await line.until("response.done"))["response"]
    assert (response["status"], response["output"]) == ("failed", [])
    assert response["status_details"]["error"]["code"] == code


async def test_a_filter_can_cut_an_answer_short(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await joined(cloud, webhooks, connect, StopsShort("Half", "content_filter"))
        await line.send("response.create")
        response = (await line.until("response.done"))["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "content_filter"}
    assert response["output"][0]["status"] == "incomplete"


async def test_a_client_can_truncate_but_not_beyond_the_end(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await joined(cloud, webhooks, connect, Replies("One two three four five."))
        await line.send("response.create")
        done = await line.until("response.done")
        item_id = done["response"]["output"][0]["id"]
        for end_ms in (900_000, 500, "soon"):
            await line.send(
                "conversation.item.truncate",
                item_id=item_id,
                content_index=0,
                audio_end_ms=end_ms,
            )
        error = (await line.until("error"))["error"]
        truncated = await line.until("conversation.item.truncated")
        assert (await line.until("error"))["error"]["param"] == "audio_end_ms"
    assert "already shorter than 900000ms" in error["message"]
    assert truncated["audio_end_ms"] == 500
    assert call.items[0]["content"][0]["transcript"] == "One two"


async def test_what_was_not_heard_is_not_read_again(webhooks: Any, connect: Any) -> None:
    read = []
    async with Simulator(speed=50) as cloud:
        for end_ms in (None, 1000):
            _, line = await joined(cloud, webhooks, connect, Replies(LONG), Replies("Yes."))
            await line.send("response.create")
            item_id = (await line.until("response.done"))["response"]["output"][0]["id"]
            if end_ms is not None:
                truncate = {"item_id": item_id, "content_index": 0, "audio_end_ms": end_ms}
                await line.send("conversation.item.truncate", **truncate)
            await line.send("response.create")
            usage = (await line.until("response.done"))["response"]["usage"]
            read.append(usage["input_token_details"]["audio_tokens"])
    assert read == [round(len(LONG) / 15.0 * 20), 20]


async def test_tracing_cannot_be_changed_once_it_is_on(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await joined(cloud, webhooks, connect, tracing="auto")
        for tracing in ("auto", None):
            await line.send("session.update", session={"type": "realtime", "tracing": tracing})
        await line.until("session.updated")
        error = (await line.until("error"))["error"]
    assert error["param"] == "session.tracing"


@pytest.mark.parametrize("speed", [25.0, 100.0, float("inf")])
async def test_the_speed_of_the_clock_changes_nothing_else(
    webhooks: Any, connect: Any, speed: float
) -> None:
    acts = (CallsTools(("look", {"a": 1}), preamble="One moment."), Replies("It is here."))
    script = Script(steps=(Says("Where is it?"),), model=acts)
    async with Simulator(speed=speed) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        asked = await line.until("response.function_call_arguments.done")
        await line.until("output_audio_buffer.stopped")
        item = {"type": "function_call_output", "call_id": asked["call_id"], "output": "{}"}
        await line.send("conversation.item.create", item=item)
        await line.send("response.create")
        await line.until("output_audio_buffer.stopped")
    started, stopped = call.marks("bot_audio_started"), call.marks("bot_audio_stopped")
    played = [round(b.at - a.at, 3) for a, b in zip(started, stopped, strict=True)]
    assert played == [pytest.approx(len(text) / 15.0, abs=0.01) for text in SAID]
    assert line.kinds == KINDS


SAID = ("One moment.", "It is here.")
SPOKEN = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "output_audio_buffer.started",
]
CLOSED = [
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
]
ENDED = ["response.done", "rate_limits.updated", "output_audio_buffer.stopped"]
KINDS = [
    "input_audio_buffer.speech_started",
    "input_audio_buffer.speech_stopped",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    *SPOKEN,
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    *CLOSED,
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
    *ENDED,
    "conversation.item.added",
    "conversation.item.done",
    *SPOKEN,
    *CLOSED,
    *ENDED,
]
