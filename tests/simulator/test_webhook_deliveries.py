"""Deliveries are signed, repeated and retried as Standard Webhooks and the cloud's guide say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from offhook.simulator import DEFAULT_SECRET, Faults, Simulator, signature

OTHER_SECRET = "whsec_b3RoZXItc2VjcmV0LWZvci1sb2NhbC10ZXN0cw=="


def test_a_signature_is_what_the_reference_library_computes() -> None:
    body = '{"type": "realtime.call.incoming"}'
    moment = datetime.fromtimestamp(1_800_000_000, tz=UTC)
    reference = Webhook(DEFAULT_SECRET).sign("wh_1", moment, body)
    assert signature(DEFAULT_SECRET, "wh_1", 1_800_000_000, body.encode()) == reference


async def test_a_ring_posts_the_signed_event(webhooks: Any) -> None:
    async with Simulator() as cloud:
        call = await cloud.ring(
            webhooks.url,
            caller="+15550100",
            caller_name="Bo",
            headers=[("X-Twilio-CallSid", "CA1")],
        )
    headers, body = webhooks.requests[0]
    event = json.loads(body)
    named = {header["name"]: header["value"] for header in event["data"]["sip_headers"]}
    assert call.webhook_status == 200
    assert webhooks.verifies(DEFAULT_SECRET)
    assert headers["user-agent"].startswith("OpenAI/1.0")
    assert event["type"] == "realtime.call.incoming"
    assert event["data"]["call_id"] == call.call_id
    assert named["From"].startswith('"Bo" <sip:+15550100@')
    assert named["X-Twilio-CallSid"] == "CA1"


async def test_a_withheld_number_is_anonymous(webhooks: Any) -> None:
    async with Simulator() as cloud:
        await cloud.ring(webhooks.url, caller=None, caller_name=None)
    assert b"sip:anonymous@anonymous.invalid" in webhooks.requests[0][1]
    assert b"+4930" not in webhooks.requests[0][1].split(b'"To"')[0]


async def test_duplicates_share_the_id(webhooks: Any) -> None:
    async with Simulator(faults=Faults(duplicate_webhooks=2)) as cloud:
        call = await cloud.ring(webhooks.url)
    assert call.webhook_statuses == [200, 200, 200]
    assert len({headers["webhook-id"] for headers, _ in webhooks.requests}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in webhooks.requests}) == 3
    assert len({body for _, body in webhooks.requests}) == 1
    assert all(webhooks.verifies(DEFAULT_SECRET, index) for index in range(3))


async def test_a_duplicate_can_come_later(webhooks: Any) -> None:
    faults = Faults(duplicate_webhooks=1, duplicate_webhook_after_s=30.0)
    async with Simulator(speed=300.0, faults=faults) as cloud:
        call = await cloud.ring(webhooks.url)
    first, second = call.marks("webhook_answered")
    assert second.at - first.at > 20.0


@pytest.mark.parametrize("status", [500, 302])
async def test_what_is_not_2xx_is_tried_again(webhooks: Any, status: int) -> None:
    webhooks.statuses = [status, status]
    async with Simulator(speed=100.0) as cloud:
        call = await cloud.ring(webhooks.url)
        assert call.webhook_status == status
        await call.reached("webhook_answered", status=200)
    assert len(webhooks.requests) == 3
    assert len({headers["webhook-id"] for headers, _ in webhooks.requests}) == 1
    assert len({headers["webhook-timestamp"] for headers, _ in webhooks.requests}) == 3


async def test_what_takes_too_long_is_tried_again(webhooks: Any) -> None:
    webhooks.slow = 1
    faults = Faults(webhook_timeout_s=0.05)
    async with Simulator(speed=100.0, faults=faults) as cloud:
        call = await cloud.ring(webhooks.url)
        assert call.webhook_status == 0
        await call.reached("webhook_answered", status=200)


async def test_nobody_there_is_status_0(webhooks: Any) -> None:
    async with Simulator() as cloud:
        call = await cloud.ring(webhooks.url.replace("/webhook", "").rpartition(":")[0] + ":9/")
    assert call.webhook_status == 0


async def test_a_wrong_secret_does_not_verify(webhooks: Any) -> None:
    async with Simulator(faults=Faults(webhook_secret=OTHER_SECRET)) as cloud:
        await cloud.ring(webhooks.url)
    assert not webhooks.verifies(DEFAULT_SECRET)
    assert webhooks.verifies(OTHER_SECRET)


async def test_two_signatures_during_a_rotation(webhooks: Any) -> None:
    async with Simulator(faults=Faults(previous_webhook_secret=OTHER_SECRET)) as cloud:
        await cloud.ring(webhooks.url)
    assert webhooks.verifies(DEFAULT_SECRET)
    assert webhooks.verifies(OTHER_SECRET)


async def test_a_tampered_body_does_not_verify(webhooks: Any) -> None:
    async with Simulator(faults=Faults(webhook_tampered=True)) as cloud:
        await cloud.ring(webhooks.url)
    assert not webhooks.verifies(DEFAULT_SECRET)


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_headers_can_be_left_out(webhooks: Any, header: str) -> None:
    async with Simulator(faults=Faults(webhook_omits=(header,))) as cloud:
        await cloud.ring(webhooks.url)
    assert header not in webhooks.requests[0][0]


@pytest.mark.parametrize("offset", [-4000, 4000])
async def test_a_delivery_can_be_stale_or_from_the_future(webhooks: Any, offset: int) -> None:
    async with Simulator() as cloud:
        await cloud.ring(webhooks.url)
        await cloud.ring(webhooks.url, faults=Faults(webhook_timestamp_offset_s=offset))
    (right, _), (wrong, _) = webhooks.requests
    moved = int(wrong["webhook-timestamp"]) - int(right["webhook-timestamp"])
    assert moved == pytest.approx(offset, abs=5)
    assert webhooks.verifies(DEFAULT_SECRET, 1)


async def test_a_test_event_names_a_call_that_does_not_exist(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        assert await cloud.send_test_event(webhooks.url) == 200
        call_id = json.loads(webhooks.requests[0][1])["data"]["call_id"]
        status, body = await connect(cloud).accept(call_id)
    assert (status, body["error"]["code"]) == (404, "call_id_not_found")


async def test_any_other_event_can_be_delivered(webhooks: Any) -> None:
    async with Simulator() as cloud:
        assert await cloud.deliver(webhooks.url, {"type": "batch.completed", "data": {}}) == 200
    assert webhooks.verifies(DEFAULT_SECRET)


async def test_the_live_api_can_announce_the_same_call(webhooks: Any) -> None:
    async with Simulator(faults=Faults(live_twin=True)) as cloud:
        await cloud.ring(webhooks.url)
    types = [json.loads(body)["type"] for _, body in webhooks.requests]
    assert sorted(types) == ["live.transport.incoming", "realtime.call.incoming"]
