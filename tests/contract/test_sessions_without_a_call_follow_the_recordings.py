"""A session that is opened with a model sends what the real cloud sent in one like it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from offhook.simulator import CallsTools, Replies, Script, Simulator
from support.recordings import Event, order, recorded, shapes

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Look up the weather for a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
UPDATE = {
    "type": "session.update",
    "session": {
        "type": "realtime",
        "output_modalities": ["text"],
        "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}},
        "tools": [WEATHER],
    },
}
ASKS = {
    "type": "conversation.item.create",
    "item": {
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "What is the weather in London?"}],
    },
}
ONE = Script(
    model=(CallsTools(("get_weather", {"city": "London"})), Replies("It is sunny in London."))
)
AFTER = ("rate_limits.updated", "conversation.item.added", "conversation.item.done")


async def conversed(script: Script, model: str, profile: Any) -> list[Event]:
    """One question that takes a function call; every frame up to the end of the answer."""
    frames: list[Event] = []
    async with (
        Simulator(profile, speed=20.0, direct=script, deployments=(model,)) as cloud,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {cloud.api_key}"}) as http,
        http.ws_connect(f"{cloud.base_url}{cloud.profile.prefix}/realtime?model={model}") as line,
        asyncio.timeout(10),
    ):
        for event in (UPDATE, ASKS, {"type": "response.create"}):
            await line.send_json(event)
        while sum(frame["type"] == "response.done" for frame in frames) < 2:
            frames.append(json.loads((await line.receive()).data))
            for output in _outputs(frames[-1]):
                await line.send_json({"type": "conversation.item.create", "item": output})
            if _outputs(frames[-1]):
                await line.send_json({"type": "response.create"})
    return frames


def _outputs(frame: Event) -> list[Event]:
    if frame["type"] != "response.done":
        return []
    return [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "sunny"}
        for item in frame["response"]["output"]
        if item["type"] == "function_call"
    ]


@pytest.mark.parametrize(
    ("name", "profile"), [("openai_ws_tool_call", "openai"), ("azure_ws_tool_call", "azure")]
)
async def test_a_function_call_in_text_is_as_recorded(name: str, profile: Any) -> None:
    real = recorded(name)
    model = real[0]["session"]["model"]
    ours = await conversed(ONE, model, profile)
    # When the output's item and the limits are told depends on how quick the client is.
    assert order(ours, without=AFTER) == order(_to_the_answer(real), without=AFTER)
    told = {frame["type"] for frame in real}
    for kind in {frame["type"] for frame in ours} & told - {"session.updated"}:
        assert shapes(ours, kind)[0] == shapes(real, kind)[0], kind


def _to_the_answer(frames: list[Event]) -> list[Event]:
    ends = [n for n, frame in enumerate(frames) if frame["type"] == "response.done"]
    return frames[: ends[1] + 1]
