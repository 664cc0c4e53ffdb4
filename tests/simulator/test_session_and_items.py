"""Session updates, items and their errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from offhook.simulator import CallsTools, Faults, Replies, Script, Simulator


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    async with Simulator(speed=50) as simulator:
        yield simulator


@pytest.fixture
async def line(cloud: Simulator, webhooks: Any, connect: Any) -> Any:
    call = await cloud.ring(
        webhooks.url, Script(model=(CallsTools(("look", {})), Replies("A few words to be heard.")))
    )
    return await connect(cloud).join(call.call_id)


async def failed(line: Any) -> Any:
    return (await line.until("error"))["error"]


async def test_an_update_echoes_the_whole_session_and_merges(line: Any) -> None:
    vad = {"type": "server_vad", "threshold": 0.7}
    session = {"type": "realtime", "audio": {"input": {"turn_detection": vad}}}
    await line.send("session.update", session=session)
    session = (await line.until("session.updated"))["session"]
    assert session["instructions"] == "Be brief."
    assert session["audio"]["input"]["turn_detection"]["threshold"] == 0.7
    assert session["audio"]["input"]["turn_detection"]["prefix_padding_ms"] == 300
    assert session["audio"]["output"]["voice"] == "alloy"
    assert session["prompt"] is None


async def test_another_vad_brings_its_own_defaults_and_null_switches_it_off(line: Any) -> None:
    for vad in ({"type": "semantic_vad", "eagerness": "low"}, None):
        audio = {"input": {"turn_detection": vad}}
        await line.send("session.update", session={"type": "realtime", "audio": audio})
        session = (await line.until("session.updated"))["session"]
        found = session["audio"]["input"]["turn_detection"]
        if vad is None:
            assert found is None
        else:
            assert found == {**vad, "create_response": True, "interrupt_response": True}


async def test_a_bad_update_changes_nothing(line: Any) -> None:
    bad = {"type": "realtime", "instructions": "New.", "voice": "marin"}
    await line.send("session.update", event_id="e1", session=bad)
    error = await failed(line)
    assert (error["code"], error["param"], error["event_id"]) == (
        "unknown_parameter",
        "session.voice",
        "e1",
    )
    await line.send("session.update", session={"type": "realtime"})
    assert (await line.until("session.updated"))["session"]["instructions"] == "Be brief."


@pytest.mark.parametrize(
    ("kind", "fields", "code", "param"),
    [
        (
            "session.update",
            {"session": {"instructions": "x"}},
            "missing_required_parameter",
            "session.type",
        ),
        ("session.update", {}, "missing_required_parameter", "session"),
        (
            "session.update",
            {"session": {"type": "realtime", "model": "other"}},
            "invalid_value",
            "session.model",
        ),
        ("session.close", {}, "invalid_value", "type"),
        ("response.cancel", {}, "response_cancel_not_active", None),
        ("response.create", {"response": {"voice": "x"}}, "unknown_parameter", "response.voice"),
        ("input_audio_buffer.commit", {}, "input_audio_buffer_commit_empty", None),
        ("conversation.item.create", {}, "missing_required_parameter", "item"),
        (
            "conversation.item.create",
            {"item": {"type": "message", "role": "system", "content": [{"type": "text"}]}},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "call_x", "output": "{}"}},
            "invalid_tool_call_id",
            "item.call_id",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "x" * 33, "output": "{}"}},
            "string_above_max_length",
            "item.call_id",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "call_x", "output": {}}},
            "invalid_type",
            "item.output",
        ),
        (
            "conversation.item.delete",
            {"item_id": "item_x"},
            "item_delete_invalid_item_id",
            "item_id",
        ),
    ],
)
async def test_an_error_says_what_is_wrong(
    line: Any, kind: str, fields: Any, code: str, param: str | None
) -> None:
    await line.send(kind, event_id="mine", **fields)
    error = await failed(line)
    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert error["type"] == "invalid_request_error"


async def test_what_is_no_json_object_is_an_error(line: Any) -> None:
    await line.socket.send_str("[1")
    assert (await failed(line))["code"] == "invalid_event"


async def test_the_voice_cannot_change_once_it_was_heard(line: Any) -> None:
    await line.order("Hello.")
    await line.until("output_audio_buffer.stopped")
    voices = []
    for voice in ("alloy", "marin"):
        audio = {"output": {"voice": voice}}
        await line.send(
            "session.update", session={"type": "realtime", "instructions": voice, "audio": audio}
        )
        if voice == "alloy":
            voices.append((await line.until("session.updated"))["session"]["instructions"])
    error = await failed(line)
    assert voices == ["alloy"]
    assert error["code"] == "cannot_update_voice"
    assert error["message"] == (
        "Cannot update a conversation's voice if assistant audio is present."
    )


def message(item_id: str, text: str = "Hi.") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {"id": item_id, "type": "message", "role": "user", "content": content}


async def test_items_keep_their_ids_and_their_order(line: Any) -> None:
    await line.send("conversation.item.create", item=message("mine_1"))
    await line.send("conversation.item.create", item=message("mine_2"))
    await line.send("conversation.item.create", item=message("mine_0"), previous_item_id="root")
    for item_id, previous in (("mine_1", None), ("mine_2", "mine_1"), ("mine_0", None)):
        added = await line.until("conversation.item.added")
        assert (added["item"]["id"], added["previous_item_id"]) == (item_id, previous)


async def test_an_item_id_is_used_once(line: Any) -> None:
    await line.send("conversation.item.create", item=message("mine"))
    await line.send("conversation.item.create", event_id="again", item=message("mine"))
    error = await failed(line)
    assert (error["code"], error["event_id"]) == ("item_create_duplicate_item_id", "again")


async def test_an_item_can_be_retrieved_and_deleted(line: Any) -> None:
    await line.send("conversation.item.create", item=message("mine"))
    await line.send("conversation.item.retrieve", item_id="mine")
    await line.send("conversation.item.delete", item_id="mine")
    assert (await line.until("conversation.item.retrieved"))["item"]["id"] == "mine"
    assert (await line.until("conversation.item.deleted"))["item_id"] == "mine"


async def test_only_the_bots_audio_can_be_truncated(line: Any) -> None:
    await line.send("conversation.item.create", item=message("mine"))
    await line.send("conversation.item.truncate", item_id="mine", content_index=0, audio_end_ms=100)
    error = await failed(line)
    assert (error["code"], error["message"]) == (
        None,
        "Only model output audio messages can be truncated",
    )


async def test_a_parameter_can_be_refused_in_updates_only(webhooks: Any, connect: Any) -> None:
    faults = Faults(refuse_parameter="session.audio.output.voice", refuse_in=("session.update",))
    audio = {"output": {"voice": "marin"}}
    async with Simulator(speed=50, faults=faults) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id, audio=audio)
        await line.send("session.update", session={"type": "realtime", "audio": audio})
        assert (await failed(line))["param"] == "session.audio.output.voice"
    assert call.marks("error_sent")[0].detail["code"] == "unknown_parameter"
    assert call.marks("session_update")[0].detail["problem"] == "unknown_parameter"


async def test_newer_models_have_other_defaults(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).join(call.call_id, model="gpt-realtime-2.1")
    audio = call.session["audio"]
    assert audio["output"]["voice"] == "marin"
    assert audio["input"]["turn_detection"]["silence_duration_ms"] == 500
