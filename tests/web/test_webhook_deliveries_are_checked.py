"""`POST /openai/webhook`: what is refused, what is taken, what is taken only once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from offhook.config import load
from offhook.errors import SettingsError
from offhook.simulator import DEFAULT_SECRET, Faults, HangsUp, Hears, Script
from offhook.web import webhook
from offhook.web.webhook import MAX_BODY
from support.serving import GREETING, Service, asks, said, serving, signed

OTHER_SECRET = "whsec_" + "b3RoZXItc2VjcmV0" * 3


def ringing(call_id: str | None = "rtc_1", kind: str = "realtime.call.incoming") -> bytes:
    """The body of a delivery."""
    data = {"sip_headers": []} if call_id is None else {"call_id": call_id, "sip_headers": []}
    event = {"object": "event", "id": "evt_1", "type": kind, "created_at": 1, "data": data}
    return json.dumps(event).encode()


class Poster:
    """Posts to the webhook of a service, and keeps the answer's JSON."""

    def __init__(self, service: Service, http: aiohttp.ClientSession) -> None:
        self.service = service
        self.http = http
        self.answer: Any = None

    async def __call__(self, body: Any, headers: dict[str, str] | None = None) -> int:
        """Post with a right signature, or with these headers."""
        given = signed(body, DEFAULT_SECRET) if headers is None else headers
        async with self.http.post(self.service.webhook, data=body, headers=given) as answer:
            assert answer.content_type == "application/json"
            self.answer = await answer.json()
            return answer.status

    @property
    def code(self) -> str:
        """The machine word of a refusal."""
        return str(self.answer["error"]["code"])


@pytest.fixture
async def post() -> AsyncIterator[Poster]:
    async with serving() as service, aiohttp.ClientSession() as http:
        yield Poster(service, http)


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {k: v for k, v in headers.items() if k != name}


REFUSED = {
    "no id": without("webhook-id"),
    "no timestamp": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "another id": lambda headers: {**headers, "webhook-id": "wh_2"},
    "another time": lambda headers: {
        **headers,
        "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1),
    },
    "no base64": lambda headers: {**headers, "webhook-signature": "v1,???"},
    "another version": lambda headers: {
        **headers,
        "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,"),
    },
    "nothing": lambda _: {},
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_not_signed_rightly_is_refused(change: Any, post: Poster) -> None:
    body = ringing()
    assert await post(body, change(signed(body, DEFAULT_SECRET))) == 400
    assert post.code == "invalid_signature"
    assert len(post.service.switchboard) == 0
    assert post.service.counted("offhook_webhook_deliveries_total", result=post.code) == 1


async def test_a_body_that_was_changed_is_refused(post: Poster) -> None:
    headers = signed(ringing("rtc_1"), DEFAULT_SECRET)
    assert await post(ringing("rtc_2"), headers) == 400
    assert post.code == "invalid_signature"


async def test_a_wrong_secret_is_refused(post: Poster) -> None:
    assert await post(ringing(), signed(ringing(), OTHER_SECRET)) == 400
    assert post.code == "invalid_signature"


@pytest.mark.parametrize("age_s", [310, -310])
async def test_a_delivery_out_of_its_time_is_refused(age_s: int, post: Poster) -> None:
    assert await post(ringing(), signed(ringing(), DEFAULT_SECRET, age_s=age_s)) == 400
    assert post.code == "invalid_signature"


async def test_what_is_refused_accepts_no_call() -> None:
    async with serving() as service:
        faults = Faults(webhook_secret=OTHER_SECRET, webhook_retries=0)
        call = await service.ring(faults=faults)
        assert call.webhook_status == 400
        assert len(service.switchboard) == 0
        assert call.marks("accept") == []


async def test_a_refusal_is_logged_with_its_reason(post: Poster) -> None:
    await post(ringing(), {})
    line = await post.service.log.reached("refused", scope="webhook")
    assert line["code"] == "invalid_signature"
    assert "webhook-id" in line["why"]


async def test_headers_may_be_spelled_in_any_case(post: Poster) -> None:
    body = ringing(kind="test.event")
    headers = {k.title(): v for k, v in signed(body, DEFAULT_SECRET).items()}
    assert await post(body, headers) == 200
    headers = {k.upper(): v for k, v in signed(body, DEFAULT_SECRET).items()}
    assert await post(body, headers) == 200


async def test_a_large_body_is_refused_by_its_announced_length(post: Poster) -> None:
    body = b"x" * (MAX_BODY + 1)
    assert await post(body, signed(body, DEFAULT_SECRET)) == 413
    assert post.code == "too_large"


async def test_the_largest_body_is_still_read(post: Poster) -> None:
    body = ringing(kind="test.event").ljust(MAX_BODY)
    assert await post(body) == 200


async def begin(post: Poster, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a delivery has been begun."""
    host, _, port = post.service.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /openai/webhook HTTP/1.1\r\nHost: x\r\n" + b"".join(parts))
    await writer.drain()
    return reader, writer


async def answered(reader: asyncio.StreamReader) -> int:
    """The status of the answer."""
    async with asyncio.timeout(5):
        return int((await reader.readuntil(b"\r\n")).split(b" ")[1])


async def test_a_large_body_without_a_length_is_refused_before_it_has_come(post: Poster) -> None:
    """The answer comes although the sender never finishes."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    reader, writer = await begin(post, b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk)
    assert await answered(reader) == 413
    writer.close()


async def test_a_large_announced_body_is_refused_before_any_of_it_has_come(post: Poster) -> None:
    reader, writer = await begin(post, b"Content-Length: 900000000\r\n\r\n")
    assert await answered(reader) == 413
    writer.close()


async def test_a_sender_who_leaves_in_the_middle_costs_one_line(post: Poster) -> None:
    _, writer = await begin(post, b"Content-Length: 900\r\n\r\n{")
    writer.close()
    line = await post.service.log.reached("refused")
    assert (line["level"], line["code"]) == ("warning", "incomplete")
    assert len(post.service.log.raw) == 1


async def test_a_sender_who_never_comes_to_an_end_is_not_waited_for(
    post: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "READ_S", 0.1)
    reader, writer = await begin(post, b"Content-Length: 900\r\n\r\n{")
    assert await answered(reader) == 408
    writer.close()


BROKEN = {
    "no JSON": b"{",
    "nothing": b"",
    "a list": b"[]",
    "no type": b"{}",
    "a type that is no text": b'{"type": 7}',
    "bytes": b"\xff\xfe",
    "no call id": ringing(None),
    "an empty call id": ringing(""),
    "a call id with a line break": ringing("rtc_1\nX-Evil: 1"),
    "no data": b'{"type": "realtime.call.incoming"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_what_is_signed_but_says_nothing_is_refused(body: bytes, post: Poster) -> None:
    assert await post(body) == 400
    assert post.code == "invalid_payload"
    assert len(post.service.switchboard) == 0


async def test_an_event_of_another_type_is_answered_and_counted(post: Poster) -> None:
    assert await post(ringing(kind="response.completed")) == 200
    assert await post(ringing(kind="response.completed")) == 200
    counted = post.service.counted
    assert counted("offhook_webhook_unknown_events_total", type="response.completed") == 2
    assert len(post.service.log.of("not ours")) == 1
    assert len(post.service.switchboard) == 0


async def test_the_same_call_announced_to_the_other_api_is_answered_once() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp(), faults=Faults(live_twin=True))
        assert len(call.marks("accept")) == 1
        assert asks(call) == ["greeting"]
        assert service.log.of("not ours", eventType="live.transport.incoming")


async def test_the_test_button_of_the_dashboard_is_answered() -> None:
    """It announces a call that does not exist: a 404 to the accept, and nothing more."""
    async with serving() as service:
        assert await service.cloud.send_test_event(service.webhook) == 200
        line = await service.log.reached("ended")
        assert line["reason"] == "caller_left_early"


async def test_the_same_delivery_at_the_same_time_starts_one_call() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp(), faults=Faults(duplicate_webhooks=4))
        assert call.webhook_statuses == [200] * 5
        assert len(call.marks("accept")) == 1
        assert asks(call) == ["greeting"]
        results = sorted(line["result"] for line in service.log.of("received"))
        assert results == ["duplicate"] * 4 + ["started"]


async def test_another_delivery_of_a_live_call_does_nothing(post: Poster) -> None:
    call = await post.service.ring(Script(steps=(Hears(),)))
    await call.reached("bot_said")
    body = ringing(call.call_id)
    assert await post(body, signed(body, DEFAULT_SECRET, delivery_id="wh_new")) == 200
    assert post.answer == {"ok": True, "result": "duplicate"}
    call.caller_hangs_up()
    await post.service.ended(call)
    assert len(call.marks("accept")) == 1
    assert said(call) == [GREETING]


async def test_another_delivery_of_a_call_that_has_ended_does_nothing(post: Poster) -> None:
    call = await post.service.talk(Hears(), HangsUp())
    body = ringing(call.call_id)
    assert await post(body, signed(body, DEFAULT_SECRET, delivery_id="wh_late")) == 200
    assert post.answer["result"] == "duplicate"
    assert len(post.service.switchboard) == 0
    assert len(post.service.log.of("ended")) == 1


async def test_while_a_secret_is_replaced_both_are_good() -> None:
    both = f"{OTHER_SECRET},{DEFAULT_SECRET}"
    async with serving(OPENAI_WEBHOOK_SECRET=both) as service:
        old = await service.ring(faults=Faults(webhook_secret=OTHER_SECRET))
        new = await service.ring()
        assert (old.webhook_status, new.webhook_status) == (200, 200)
        await old.reached("attach")
        await new.reached("attach")


async def test_a_cloud_that_signs_with_two_secrets_needs_one_that_we_know() -> None:
    async with serving() as service:
        call = await service.ring(faults=Faults(previous_webhook_secret=OTHER_SECRET))
        assert call.webhook_status == 200
        await call.reached("attach")


async def test_in_test_mode_on_loopback_nothing_needs_to_be_signed() -> None:
    async with serving(TEST_MODE="1", OPENAI_WEBHOOK_SECRET="") as service:
        omits = ("webhook-id", "webhook-timestamp", "webhook-signature")
        call = await service.talk(Hears(), HangsUp(), faults=Faults(webhook_omits=omits))
        assert call.webhook_status == 200
        assert said(call) == [GREETING]


async def test_in_test_mode_a_repeated_event_is_still_known() -> None:
    async with serving(TEST_MODE="1", OPENAI_WEBHOOK_SECRET="") as service:
        omits = ("webhook-id", "webhook-timestamp", "webhook-signature")
        faults = Faults(webhook_omits=omits, duplicate_webhooks=2)
        call = await service.talk(Hears(), HangsUp(), faults=faults)
        assert len(call.marks("accept")) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "bot.example.com"])
def test_test_mode_refuses_to_start_where_others_can_reach_it(host: str) -> None:
    env = {"OPENAI_API_KEY": "sk-test", "TEST_MODE": "1", "OFFHOOK_HOST": host}
    with pytest.raises(SettingsError) as refused:
        load(None, env)
    assert [p.setting for p in refused.value.problems] == ["TEST_MODE"]


async def test_only_a_post_rings(post: Poster) -> None:
    async with post.http.get(post.service.webhook) as answer:
        assert answer.status == 405
