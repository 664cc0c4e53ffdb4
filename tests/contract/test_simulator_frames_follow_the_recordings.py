"""The simulator's frames have the shape and the order of those that real clouds sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from offhook.simulator import CallsTools, Faults, Hears, Presses, Replies, Says, Script, Simulator
from support.recordings import ladder, order, recorded, shape, shapes

Event = dict[str, Any]

WHISPER = {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def take(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def played(
    url: str,
    script: Script,
    *sent: Event,
    profile: Any = "openai",
    model: str = "gpt-realtime",
    until: Callable[[list[Event]], bool],
    on: Callable[[Event], list[Event]] = lambda _: [],
    faults: Faults = Faults(),  # noqa: B008 - frozen
) -> list[Event]:
    """Hold a call and return every frame of the cloud."""
    frames: list[Event] = []
    async with (
        Simulator(profile, speed=20.0, deployments=(model,), faults=faults) as cloud,
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {cloud.api_key}"}) as http,
    ):
        call = await cloud.ring(url, script)
        base = f"{cloud.base_url}{cloud.profile.prefix}/realtime"
        body = {"type": "realtime", "model": model, "instructions": "Be brief."}
        async with http.post(f"{base}/calls/{call.call_id}/accept", json=body) as answer:
            assert answer.status == 200
        async with http.ws_connect(f"{base}?call_id={call.call_id}") as line, asyncio.timeout(10):
            for event in sent:
                await line.send_str(json.dumps(event))
            while not until(frames):
                frame = json.loads((await line.receive()).data)
                frames.append(frame)
                for event in on(frame):
                    await line.send_str(json.dumps(event))
    return frames


def seen(*kinds: str) -> Callable[[list[Event]], bool]:
    """Whether the last frames include all of these kinds."""
    return lambda frames: set(kinds) <= {frame["type"] for frame in frames}


def text_item(role: str, text: str) -> Event:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": role, "content": content}
    return {"type": "conversation.item.create", "item": item}


def session_update(**audio: Any) -> Event:
    session: Event = {"type": "realtime", "instructions": "Answer briefly."}
    vad = {"type": "server_vad", "create_response": True, "interrupt_response": True}
    session["audio"] = {
        "input": {**WHISPER["input"], "turn_detection": vad, **audio.pop("input", {})},
    }
    return {"type": "session.update", "session": {**session, **audio}}


HELLO = Script(model=(Replies("Good day to you."),))


async def test_an_audio_answer_comes_in_the_recorded_order(url: str) -> None:
    real = recorded("openai_sideband_audio_turn")
    ours = await played(
        url,
        HELLO,
        session_update(),
        text_item("user", "Greet me, please."),
        {"type": "response.create"},
        until=seen("output_audio_buffer.stopped"),
    )
    assert ladder(ours) == ladder(real)


async def test_an_audio_answer_has_the_recorded_shapes(url: str) -> None:
    real = recorded("openai_sideband_audio_turn")
    ours = await played(
        url,
        HELLO,
        session_update(),
        text_item("user", "Greet me, please."),
        {"type": "response.create"},
        until=seen("output_audio_buffer.stopped"),
    )
    for kind in {frame["type"] for frame in real}:
        assert shapes(ours, kind)[0] == shapes(real, kind)[0], kind


async def test_a_text_answer_on_azure_is_as_recorded(url: str) -> None:
    real = recorded("azure_sideband_text_turn")
    ours = await played(
        url,
        HELLO,
        session_update(output_modalities=["text"]),
        text_item("user", "Greet me, please."),
        {"type": "response.create"},
        profile="azure",
        until=seen("response.done"),
    )
    assert ladder(ours) == ladder(real)
    for kind in {frame["type"] for frame in real}:
        assert shapes(ours, kind)[0] == shapes(real, kind)[0], kind


@pytest.mark.parametrize(
    ("name", "profile"),
    [("openai_ws_server_vad_turn", "openai"), ("azure_ws_server_vad_turn_transcribed", "azure")],
)
async def test_a_caller_turn_is_as_recorded(url: str, name: str, profile: Any) -> None:
    real = recorded(name)
    ours = await played(
        url,
        Script(
            steps=(Says("I would like to buy a kettle."),),
            model=(Replies("Which one would you like?"),),
        ),
        session_update(),
        profile=profile,
        until=seen("response.done", "conversation.item.input_audio_transcription.completed"),
    )
    apart = ("session.created", "output_audio_buffer.started", "rate_limits.updated")
    assert ladder(ours, without=apart) == ladder(real, without=apart)
    for kind in {frame["type"] for frame in real} - {*apart, "response.output_audio.delta"}:
        assert shapes(ours, kind)[0] == shapes(real, kind)[0], kind


async def test_a_failed_transcription_is_as_recorded(url: str) -> None:
    real = recorded("azure_ws_transcription_failed")
    failed = "conversation.item.input_audio_transcription.failed"
    ours = await played(
        url,
        Script(steps=(Says("I would like to buy a kettle."),)),
        session_update(),
        profile="azure",
        faults=Faults(transcription="failed"),
        until=seen(failed, "response.done"),
    )
    [theirs] = [frame for frame in real if frame["type"] == failed]
    [frame] = [frame for frame in ours if frame["type"] == failed]
    assert shape(frame) == shape(theirs)
    assert frame["error"]["code"] == theirs["error"]["code"]
    apart = ("session.created", "output_audio_buffer.started", "output_audio_buffer.stopped")
    assert order(ours, without=apart) == order(real, without=apart)


SILENCE = [
    "input_audio_buffer.timeout_triggered",
    "conversation.item.added",
    "conversation.item.done",
    "input_audio_buffer.committed",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "conversation.item.input_audio_transcription.completed",
]
"""As recorded by pydantic-ai (the cassette of its test of idle time-outs)."""


async def test_silence_is_answered_in_the_recorded_order(url: str) -> None:
    vad = {"type": "server_vad", "idle_timeout_ms": 5000}
    completed = "conversation.item.input_audio_transcription.completed"
    ours = await played(
        url,
        Script(),
        session_update(input={"turn_detection": vad}),
        text_item("system", 'Say: "Hello."'),
        {"type": "response.create"},
        until=seen(completed),
    )
    quiet = [frame["type"] for frame in ours].index("input_audio_buffer.timeout_triggered")
    assert order(ours[quiet:]) == SILENCE
    triggered, nudged, _, committed, added = ours[quiet : quiet + 5]
    assert (nudged["item"]["role"], added["item"]["role"]) == ("system", "user")
    assert committed["previous_item_id"] == nudged["item"]["id"]
    assert triggered["item_id"] == committed["item_id"] == ours[-1]["item_id"]
    assert ours[-1]["usage"] == {"type": "duration", "seconds": 0}
    assert ours[-1]["transcript"] == ""


TOOLS = [{"type": "function", "name": "get_price", "parameters": {"type": "object"}}]


def answer_tools(frame: Event) -> list[Event]:
    """What the recording's client did: the output at once, an answer when the response is done."""
    match frame:
        case {"type": "response.function_call_arguments.done"}:
            item = {
                "type": "function_call_output",
                "call_id": frame["call_id"],
                "output": "It costs 39 euros and 90 cents.",
            }
            return [{"type": "conversation.item.create", "item": item}]
        case {"type": "response.done", "response": {"output": [*_, {"type": "function_call"}]}}:
            return [{"type": "response.create"}]
    return []


@pytest.mark.parametrize(
    ("name", "profile", "model", "preamble"),
    [
        ("openai_ws_tool_call", "openai", "gpt-realtime", ""),
        ("azure_ws_tool_call", "azure", "gpt-realtime", ""),
        (
            "openai_2.1_ws_tool_call_with_preamble",
            "openai",
            "gpt-realtime-2.1",
            "One moment, I am looking up the price of the kettle.",
        ),
    ],
)
async def test_a_tool_round_is_as_recorded(
    url: str, name: str, profile: Any, model: str, preamble: str
) -> None:
    real = recorded(name)
    script = Script(
        model=(
            CallsTools(("get_price", {"product": "kettle"}), preamble=preamble),
            Replies(from_tool="{output}"),
        )
    )
    ours = await played(
        url,
        script,
        session_update(output_modalities=["text"], tools=TOOLS),
        text_item("user", "What does the kettle cost?"),
        {"type": "response.create"},
        profile=profile,
        model=model,
        on=answer_tools,
        until=lambda frames: sum(frame["type"] == "response.done" for frame in frames) == 2,
    )
    apart = ("session.created", "rate_limits.updated")
    assert ladder(ours, without=apart) == ladder(real, without=apart)
    for kind in {frame["type"] for frame in real} - {*apart, "session.updated"}:
        assert shapes(ours, kind) == shapes(real, kind) or kind.endswith(".delta"), kind


ADAPTER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


async def test_every_frame_is_one_that_the_openai_package_knows(url: str) -> None:
    ours = await played(
        url,
        Script(
            steps=(
                Hears(),
                Says("Where is my order?"),
                Hears(),
                Presses("12#"),
                Says("Well,"),
                Says("stop", over=True, after_ms=400),
                Hears(),
                Says("Bye."),
            ),
            model=(
                CallsTools(("lookup", {"a": 1}), ("lookup", {"a": 2}), preamble="One moment."),
                Replies("It is on its way and will be with you in no time at all."),
                Replies("Let me tell you a very long story about parcels and what they see."),
                Replies("Fine."),
                Replies("Bye."),
            ),
        ),
        session_update(),
        text_item("system", 'Say: "Hello."'),
        {"type": "response.create"},
        {"type": "nonsense"},
        on=lambda frame: [] if frame["type"] != "response.done" else answer_all(frame),
        until=lambda frames: (
            seen("output_audio_buffer.cleared")(frames)
            and json.dumps(frames[-3:]).count("Bye.") > 0
        ),
    )
    for frame in ours:
        ADAPTER.validate_python(frame, strict=False)


def answer_all(frame: Event) -> list[Event]:
    calls = [item for item in frame["response"]["output"] if item["type"] == "function_call"]
    outputs: list[Event] = [
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"},
        }
        for call in calls
    ]
    return [*outputs, {"type": "response.create"}] if calls else []
