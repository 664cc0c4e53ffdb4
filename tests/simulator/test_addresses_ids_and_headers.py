"""Where the clouds are reached, what their ids look like, and what their answers carry."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from offhook.simulator import CallsTools, Faults, Replies, Says, Script, Simulator

ID = {
    "event_id": r"event_[0-9A-Za-z]{21}|event_[0-9a-f]{16}",
    "item_id": r"item_[0-9A-Za-z]{21}",
    "response_id": r"resp_[0-9A-Za-z]{21}",
    "conversation_id": r"conv_[0-9A-Za-z]{21}",
    "call_id": r"call_[0-9A-Za-z]{16}",
    "id": r"(sess(_u[0-7])?|resp|item)_[0-9A-Za-z]{21}",
}


def ids(value: Any) -> list[tuple[str, str]]:
    """Every id in a frame, with its key."""
    match value:
        case dict():
            own = [(k, v) for k, v in value.items() if k in ID and v is not None]
            return own + [found for inner in value.values() for found in ids(inner)]
        case list():
            return [found for inner in value for found in ids(inner)]
    return []


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_ids_have_the_shapes_of_the_clouds(webhooks: Any, connect: Any, profile: Any) -> None:
    script = Script(
        steps=(Says("Go."),), model=(CallsTools(("a", {}), preamble="Wait."), Replies("Done."))
    )
    async with Simulator(profile, speed=50) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        await line.send("session.update", session={"type": "realtime"})
        await line.until("output_audio_buffer.stopped")
    found = [pair for event in line.events for pair in ids(event)]
    assert {key for key, _ in found} == set(ID)
    assert [pair for pair in found if not re.fullmatch(ID[pair[0]], pair[1])] == []
    buffer = [e for e in line.events if e["type"].startswith("output_audio_buffer.")]
    assert all(re.fullmatch(r"event_[0-9a-f]{16}", event["event_id"]) for event in buffer)
    events = [event["event_id"] for event in line.events]
    assert len(set(events)) == len(events)
    assert call.session["id"].startswith("sess_u") is (profile == "openai")


async def test_calls_and_deliveries_have_ids_of_their_own(webhooks: Any) -> None:
    async with Simulator() as cloud:
        await cloud.ring(webhooks.url)
    headers, body = webhooks.requests[0]
    event = json.loads(body)
    assert re.fullmatch(r"wh_[0-9a-f]{32}", headers["webhook-id"])
    assert re.fullmatch(r"evt_[0-9a-f]{32}", event["id"])
    assert re.fullmatch(r"rtc_u[0-7]_[0-9A-Za-z]{21}", event["data"]["call_id"])


@pytest.mark.parametrize("verb", ["accept", "reject", "refer", "hangup"])
async def test_success_is_an_empty_body_of_known_length(
    webhooks: Any, http: Any, verb: str
) -> None:
    body = {"accept": {"type": "realtime"}, "refer": {"target_uri": "tel:+15550123"}}.get(verb)
    async with Simulator() as cloud:
        call = await cloud.ring(webhooks.url)
        url = f"{cloud.base_url}/v1/realtime/calls/{call.call_id}/{verb}"
        headers = {"Authorization": f"Bearer {cloud.api_key}"}
        async with http.post(url, json=body, headers=headers) as answer:
            assert (answer.status, await answer.read()) == (200, b"")
            assert answer.headers["content-length"] == "0"
            assert answer.headers["x-request-id"].startswith("req_")


async def test_answers_can_lack_a_request_id(webhooks: Any, http: Any) -> None:
    async with Simulator(faults=Faults(omits_request_id=True)) as cloud:
        call = await cloud.ring(webhooks.url)
        url = f"{cloud.base_url}/v1/realtime/calls/{call.call_id}/hangup"
        headers = {"Authorization": f"Bearer {cloud.api_key}"}
        async with http.post(url, headers=headers) as answer:
            assert "x-request-id" not in answer.headers


@pytest.mark.parametrize(
    ("profile", "path", "code"),
    [
        ("openai", "/openai/v1/realtime/calls/x/accept", None),
        ("azure", "/v1/realtime/calls/x/accept", "404"),
        ("azure", "/openai/realtime?api-version=2025-04-01-preview", "404"),
        ("openai", "/v1/nowhere", None),
    ],
)
async def test_each_cloud_has_its_own_addresses(
    http: Any, profile: Any, path: str, code: str | None
) -> None:
    async with (
        Simulator(profile) as cloud,
        http.post(cloud.base_url + path, headers={"api-key": cloud.api_key}) as answer,
    ):
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (404, code)
