"""Every event of the simulator has the keys and types of the recorded one and of openai's types.

The corpus is a handful of calls that make the simulator say everything that it can say. Where
real clouds were recorded, an event may have no key that theirs has not and must have each key
that theirs always has; where they were not, the types of the openai package are the law.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest
import yaml
from aiohttp import web
from msgspec import Struct
from openai.types.realtime import RealtimeServerEvent
from pydantic import BaseModel, TypeAdapter

from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    Silent,
    Simulator,
    StopsShort,
    Waits,
)

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"
Event = dict[str, Any]
ADAPTER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

NEVER = {
    "conversation.created": "no recorded session ever sent it",
    "conversation.item.created": "the name of `added` before general availability",
    "conversation.item.input_audio_transcription.segment": "only of a model that tells speakers",
}
"""Events of the openai package that a sideband of the simulator has no use for; and MCP's."""


class Play(Struct, frozen=True):
    """A call of the corpus: its script, what the client sends first, and when it is over."""

    script: Script
    sent: tuple[Event, ...]
    until: tuple[str, ...]
    profile: Any = "openai"
    model: str = "gpt-realtime"
    faults: Faults = Faults()


def update(transcriber: str, **vad: Any) -> Event:
    turns = {"type": "server_vad", "create_response": True, **vad}
    audio = {"input": {"transcription": {"model": transcriber}, "turn_detection": turns}}
    look = {"name": "look", "description": "Look.", "parameters": {"type": "object"}}
    tools = [{"type": "function", **look}]
    session = {"type": "realtime", "instructions": "Be brief.", "audio": audio, "tools": tools}
    return {"type": "session.update", "session": session}


def item(role: str, text: str, **more: Any) -> Event:
    content = [{"type": "input_text", "text": text}]
    made = {"type": "message", "role": role, "content": content, **more}
    return {"type": "conversation.item.create", "item": made}


CREATE: Event = {"type": "response.create"}
TALE = "Let me tell you a very long story about parcels and all that they see on their way. " * 2
TRANSCRIPTION = "conversation.item.input_audio_transcription"
CALL = Script(
    steps=(
        Hears(),
        Says("Where is my order?"),
        Hears(),
        Presses("1#"),
        Says("Well,"),
        Says("stop!", over=True, after_ms=400),
        Hears(),
        Says("Go on."),
        Waits(9.0),
        Says("Stop again."),
    ),
    model=(
        CallsTools(("look", {"a": 1}), ("look", {"a": 2}), preamble="One moment."),
        Replies("It is on its way and will be with you in no time at all."),
        Replies(TALE),
        Replies("Fine."),
        Replies(TALE),
        Replies("Bye."),
    ),
)
GREETING = item("system", 'Say: "Hello."')
SPOKEN = ("conversation.item.truncated", "response.output_audio_transcript.done")
PLAYS = {
    "a call on openai": Play(CALL, (update("gpt-realtime-whisper"), GREETING, CREATE), SPOKEN),
    "a call on azure": Play(
        CALL,
        (update("gpt-4o-transcribe"), GREETING, CREATE),
        SPOKEN,
        profile="azure",
        model="gpt-realtime-2.1",
    ),
    "no transcripts": Play(
        Script(steps=(Says("Hello."),)),
        (update("whisper-1"),),
        (f"{TRANSCRIPTION}.failed", "response.done"),
        profile="azure",
        faults=Faults(transcription="failed"),
    ),
    "silence": Play(
        Script(),
        (update("gpt-realtime-whisper", idle_timeout_ms=5000), GREETING, CREATE),
        ("input_audio_buffer.timeout_triggered", f"{TRANSCRIPTION}.completed"),
    ),
    "all that a client can ask for": Play(
        Script(model=(Replies("Written."), StopsShort("Half"), Silent(), FailsWith(None))),
        (
            item("user", "Hi.", id="mine"),
            {"type": "conversation.item.retrieve", "item_id": "mine"},
            {"type": "conversation.item.delete", "item_id": "mine"},
            {"type": "input_audio_buffer.clear"},
            {"type": "output_audio_buffer.clear"},
            {"type": "nonsense"},
            {"type": "response.create", "response": {"output_modalities": ["text"]}},
            {"type": "response.create", "response": {"conversation": "none", "metadata": {}}},
        ),
        ("response.output_audio.delta", "response.output_text.done", "error"),
        faults=Faults(session_created=True, audio_deltas=True, session_max_s=20.0),
    ),
    "answers that go wrong": Play(
        Script(
            steps=(Says("A."), Hears(timeout_s=1.0), Says("B."), Waits(2.0), Says("C.")),
            model=(StopsShort("Half"), Silent(), FailsWith(None)),
        ),
        (update("whisper-1"),),
        (),
        faults=Faults(session_max_s=15.0),
    ),
}


def answer_tools(frame: Event) -> Iterator[Event]:
    if frame["type"] != "response.done":
        return
    calls = [made for made in frame["response"]["output"] if made["type"] == "function_call"]
    for call in calls:
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": "{}"}
        yield {"type": "conversation.item.create", "item": output}
    if calls:
        yield CREATE


async def performed(play: Play) -> list[Event]:
    """Every frame of the call up to its end, or to the first after all those waited for."""
    frames: list[Event] = []
    cloud = Simulator(play.profile, speed=40.0, deployments=(play.model,), faults=play.faults)
    app = web.Application()
    app.router.add_post("/", taken)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with cloud, aiohttp.ClientSession(headers={"Authorization": "Bearer sim-key"}) as http:
        call = await cloud.ring(f"http://127.0.0.1:{runner.addresses[0][1]}/", play.script)
        base = f"{cloud.base_url}{cloud.profile.prefix}/realtime"
        body = {"type": "realtime", "model": play.model}
        async with http.post(f"{base}/calls/{call.call_id}/accept", json=body) as answer:
            assert answer.status == 200
        async with http.ws_connect(f"{base}?call_id={call.call_id}") as line, asyncio.timeout(20):
            for event in play.sent:
                await line.send_str(json.dumps(event))
            async for message in line:
                frames.append(json.loads(message.data))
                for event in answer_tools(frames[-1]):
                    await line.send_str(json.dumps(event))
                if play.until and set(play.until) <= {f["type"] for f in frames[:-1]}:
                    break
    await runner.cleanup()
    return frames


async def taken(_: web.Request) -> web.Response:
    return web.Response()


@cache
def corpus() -> dict[str, list[Event]]:
    """The frames of each play."""

    async def all_of_them() -> dict[str, list[Event]]:
        frames = await asyncio.gather(*map(performed, PLAYS.values()))
        return dict(zip(PLAYS, frames, strict=True))

    return asyncio.run(all_of_them())


@pytest.fixture(params=PLAYS)
def frames(request: pytest.FixtureRequest) -> list[Event]:
    return corpus()[request.param]


def names_of(union: Any) -> set[str]:
    """The `type` of each member of openai's union of server events."""
    [members, *_] = get_args(union)
    return {name for member in get_args(members) for name in types_of(member)}


def types_of(member: type[BaseModel]) -> tuple[str, ...]:
    return get_args(member.model_fields["type"].annotation)


def test_the_corpus_has_every_event_that_the_simulator_can_send() -> None:
    said = {frame["type"] for frames in corpus().values() for frame in frames}
    known = {name for name in names_of(RealtimeServerEvent) if "mcp" not in name}
    assert said == known - set(NEVER)


def extras(value: Any, path: str = "") -> Iterator[str]:
    """Where a parsed event has keys that openai's types do not know."""
    match value:
        case BaseModel():
            yield from (f"{path}.{name}" for name in value.model_extra or ())
            for name in type(value).model_fields:
                yield from extras(getattr(value, name), f"{path}.{name}")
        case list():
            for inner in value:
                yield from extras(inner, f"{path}[]")


def parsed(frame: Event) -> Any:
    return ADAPTER.validate_python(frame)


@cache
def recorded() -> tuple[Event, ...]:
    """All frames that real clouds sent."""
    if not RECORDINGS.is_dir():
        return ()
    files = sorted(RECORDINGS.glob("*.yaml"))
    sessions = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]
    told = [entry for session in sessions for entry in session["interactions"]]
    return tuple(entry["data"] for entry in told if entry["direction"] == "received")


@pytest.fixture
def theirs() -> tuple[Event, ...]:
    if not recorded():
        pytest.skip(f"the recordings are not beside this checkout: no {RECORDINGS.name}/*.yaml")
    return recorded()


def test_every_event_is_one_of_the_openai_package(frames: list[Event]) -> None:
    for frame in frames:
        assert parsed(frame).type == frame["type"]


def test_no_event_has_a_key_that_neither_openai_nor_a_recording_knows(
    frames: list[Event], theirs: tuple[Event, ...]
) -> None:
    known = {frame["type"] + extra for frame in theirs for extra in extras(parsed(frame))}
    ours = {frame["type"] + extra for frame in frames for extra in extras(parsed(frame))}
    assert ours - known == set()


class Shape:
    """What recordings of one kind of object have in common, and what any of them has."""

    def __init__(self) -> None:
        self.always: set[str] | None = None
        self.kinds: dict[str, set[str]] = {}

    def learn(self, found: Event) -> None:
        self.always = set(found) if self.always is None else self.always & set(found)
        for key, value in found.items():
            self.kinds.setdefault(key, set()).add(kind_of(value))

    def complaints(self, found: Event) -> Iterator[str]:
        yield from (f"lacks {key}" for key in (self.always or set()) - set(found))
        for key, value in found.items():
            kinds = self.kinds.get(key)
            if kinds is None:
                yield f"has {key}"
            elif not {kind_of(value), "null"} & kinds and value is not None:
                yield f"{key} is a {kind_of(value)}, not a {' or '.join(sorted(kinds))}"


def kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
    return type(value).__name__


def objects(value: Any, path: str) -> Iterator[tuple[str, Event]]:
    """Every object in a frame, under a name that tells kinds of items and parts apart."""
    match value:
        case dict():
            kind = value.get("type") if path else value["type"]
            name = f"{path}<{kind or ''} {value.get('role', '')}{value.get('status', '')}>"
            yield name, value
            for key, inner in value.items():
                yield from objects(inner, f"{name}.{key}")
        case list():
            for inner in value:
                yield from objects(inner, f"{path}[]")


def learned(frames: tuple[Event, ...]) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for frame in frames:
        for name, found in objects(frame, ""):
            shapes.setdefault(name, Shape()).learn(found)
    return shapes


FREE = ("parameters", "metadata")  # what the client gave comes back as it is


def test_every_event_has_the_keys_and_types_of_the_recorded_one(
    frames: list[Event], theirs: tuple[Event, ...]
) -> None:
    shapes = learned(theirs)
    judged = 0
    for frame in frames:
        for name, found in objects(frame, ""):
            if name in shapes and not any(key in name for key in FREE):
                judged += 1
                assert list(shapes[name].complaints(found)) == [], (name, frame)
    assert judged >= len(frames) / 2
