"""A WebSocket that is opened with a model: a conversation in text, without a call."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from offhook.simulator import Beliefs, CallsTools, FailsWith, Faults, Replies, Script, Simulator

Event = dict[str, Any]
UPDATE = {
    "type": "session.update",
    "session": {
        "type": "realtime",
        "output_modalities": ["text"],
        "instructions": "Be brief.",
        "tools": [
            {
                "type": "function",
                "name": "get_weather",
                "description": "Tell the weather in a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
    },
}
ANSWER = {"type": "response.create"}


def says(text: str) -> Event:
    part = {"type": "input_text", "text": text}
    item = {"type": "message", "role": "user", "content": [part]}
    return {"type": "conversation.item.create", "item": item}


async def opened(
    cloud: Simulator, http: aiohttp.ClientSession, model: str = "gpt-realtime", key: str = ""
) -> aiohttp.ClientWebSocketResponse:
    url = f"{cloud.base_url}{cloud.profile.prefix}/realtime?model={model}"
    headers = {"Authorization": f"Bearer {key or cloud.api_key}"}
    return await http.ws_connect(url, headers=headers)


async def until(line: aiohttp.ClientWebSocketResponse, kind: str) -> list[Event]:
    """All events up to the first of a kind."""
    found: list[Event] = []
    async with asyncio.timeout(5):
        while not found or found[-1]["type"] != kind:
            found.append(json.loads((await line.receive()).data))
    return found


async def test_a_session_is_greeted_and_answers_in_text(http: aiohttp.ClientSession) -> None:
    script = Script(model=(Replies("It is sunny in London."),))
    async with Simulator(speed=100.0, direct=script) as cloud:
        line = await opened(cloud, http, "gpt-realtime-2.1")
        (created,) = await until(line, "session.created")
        assert created["session"]["model"] == "gpt-realtime-2.1"
        assert created["session"]["audio"]["output"]["voice"] == "marin"
        for event in (UPDATE, says("What is the weather in London?"), ANSWER):
            await line.send_json(event)
        events = await until(line, "response.done")
        deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
        assert "".join(deltas) == "It is sunny in London."
        usage = events[-1]["response"]["usage"]
        assert usage["input_token_details"]["audio_tokens"] == 0
        assert usage["output_tokens"] == usage["output_token_details"]["text_tokens"] > 0
        assert [m.detail["text"] for m in cloud.sessions[0].marks("bot_said")] == [
            "It is sunny in London."
        ]


async def test_the_understudy_calls_the_tools_of_a_session(http: aiohttp.ClientSession) -> None:
    async with Simulator(speed=100.0) as cloud:
        line = await opened(cloud, http)
        for event in (UPDATE, says("What is the weather in London?"), ANSWER):
            await line.send_json(event)
        events = await until(line, "response.done")
        (call,) = events[-1]["response"]["output"]
        assert (call["type"], call["name"]) == ("function_call", "get_weather")
        output = {
            "type": "function_call_output",
            "call_id": call["call_id"],
            "output": '{"weather": "sunny"}',
        }
        await line.send_json({"type": "conversation.item.create", "item": output})
        await line.send_json(ANSWER)
        (message,) = (await until(line, "response.done"))[-1]["response"]["output"]
        assert "sunny" in message["content"][0]["text"]


async def test_a_spoken_answer_brings_its_audio_and_is_not_played(
    http: aiohttp.ClientSession,
) -> None:
    async with Simulator(speed=100.0, direct=Script(model=(Replies("Hello there."),))) as cloud:
        line = await opened(cloud, http)
        await line.send_json(ANSWER)
        kinds = {event["type"] for event in await until(line, "rate_limits.updated")}
        assert {"response.output_audio.delta", "response.output_audio_transcript.delta"} <= kinds
        assert not any(kind.startswith("output_audio_buffer") for kind in kinds)


async def test_each_session_has_the_script_to_itself(http: aiohttp.ClientSession) -> None:
    script = Script(model=(CallsTools(("get_weather", {})), FailsWith("server_error")))
    async with Simulator(speed=100.0, direct=script) as cloud:
        for _ in range(2):
            line = await opened(cloud, http)
            for status in ("completed", "failed"):
                await line.send_json(ANSWER)
                assert (await until(line, "response.done"))[-1]["response"]["status"] == status
        assert len(cloud.sessions) == 2


@pytest.mark.parametrize(
    ("profile", "model", "key", "faults", "status"),
    [
        ("openai", "gpt-realtime", "wrong", Faults(), 401),
        ("azure", "nobodys", "", Faults(), 404),
        ("openai", "gpt-realtime", "", Faults(session_status=(503,)), 503),
    ],
)
async def test_a_session_can_be_refused(
    http: aiohttp.ClientSession, profile: Any, model: str, key: str, faults: Faults, status: int
) -> None:
    async with Simulator(profile, speed=100.0, faults=faults) as cloud:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await opened(cloud, http, model, key)
        assert refused.value.status == status
        assert cloud.sessions == []
        if faults.session_status:
            await opened(cloud, http, model)


async def test_what_is_no_event_is_complained_about(http: aiohttp.ClientSession) -> None:
    async with Simulator(speed=100.0) as cloud:
        line = await opened(cloud, http)
        await line.send_str("[]")
        assert (await until(line, "error"))[-1]["error"]["code"] == "invalid_event"
        await line.send_json({"type": "session.update", "session": {}})
        error = (await until(line, "error"))[-1]["error"]
        assert (error["code"], error["param"]) == ("missing_required_parameter", "session.type")


@pytest.mark.parametrize("announced", [True, False])
async def test_a_session_that_is_too_old_is_closed(
    http: aiohttp.ClientSession, announced: bool
) -> None:
    beliefs = Beliefs(expiry_is_announced=announced)
    faults = Faults(session_max_s=5.0)
    async with Simulator(speed=100.0, faults=faults, beliefs=beliefs) as cloud:
        line = await opened(cloud, http)
        await until(line, "session.created")
        if announced:
            assert (await until(line, "error"))[-1]["error"]["code"] == "session_expired"
        async with asyncio.timeout(5):
            assert (await line.receive()).type is aiohttp.WSMsgType.CLOSE
        assert line.close_code == 1001


async def test_a_client_that_leaves_ends_its_session(http: aiohttp.ClientSession) -> None:
    async with Simulator(speed=100.0) as cloud:
        line = await opened(cloud, http)
        await until(line, "session.created")
        (session,) = cloud.sessions
        assert not session.over
        await line.close()
        await opened(cloud, http)  # takes long enough for the other to be noticed
        assert session.over


async def test_a_port_that_is_taken_is_named() -> None:
    async with Simulator() as cloud:
        port = int(cloud.base_url.rpartition(":")[2])
        with pytest.raises(OSError, match=f"Cannot listen on 127.0.0.1:{port}"):
            async with Simulator(port=port):
                pass
