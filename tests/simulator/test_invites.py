"""Webhooks bring the headers that trunks, PBXs and hostile callers send."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from offhook.simulator import Faults, Invite, Simulator, Trunk


def headers(**fields: Any) -> list[tuple[str, str]]:
    data = Invite(**fields).data("rtc_u0_x")
    return [(header["name"], header["value"]) for header in data["sip_headers"]]


def values(found: list[tuple[str, str]], name: str) -> list[str]:
    return [value for key, value in found if key.lower() == name.lower()]


def test_a_caller_without_a_name_has_only_an_address() -> None:
    [sender] = values(headers(caller_name=None, caller="+15550100"), "From")
    assert re.fullmatch(r"<sip:\+15550100@trunk\.example\.com>;tag=\w+", sender)


def test_names_of_headers_come_in_any_spelling() -> None:
    assert {"FROM", "to"} <= {name for name, _ in headers(trunk="pbx")}


def test_headers_repeat_and_keep_their_order() -> None:
    found = headers(trunk="pbx", headers=(("X-A", "1"), ("X-B", "2"), ("X-A", "3")))
    assert len(values(found, "Via")) == 2
    assert len(values(found, "P-Asserted-Identity")) == 2
    assert found[-3:] == [("X-A", "1"), ("X-B", "2"), ("X-A", "3")]


def test_a_pbx_hides_headers_in_the_address_that_it_dials() -> None:
    [address] = values(headers(trunk="pbx", called="+15550199"), "To")
    assert address.startswith("<sip:proj_")
    assert "?x_called=+15550199&x_twilio_callsid=CA" in address


@pytest.mark.parametrize(
    ("trunk", "name", "value"),
    [
        ("twilio", "X-Twilio-CallSid", r"CA[0-9a-f]{32}"),
        ("twilio", "X-Twilio-VerStat", r"TN-Validation-\S+"),
        ("telnyx", "X-call_leg_id", r"leg_[0-9a-f]{32}"),
        ("pbx", "Remote-Party-ID", r"<sip:\S+>;party=calling;privacy=off"),
        ("forwarded", "Diversion", r"<sip:\S+>;reason=no-answer"),
        ("forwarded", "History-Info", r"<sip:\S+>;index=1"),
        ("hostile", "X-Long", r"A{8000}"),
    ],
)
def test_each_trunk_adds_its_own_headers(trunk: Trunk, name: str, value: str) -> None:
    [found] = values(headers(trunk=trunk), name)
    assert re.fullmatch(value, found)


def test_a_hostile_caller_writes_what_nobody_should_trust() -> None:
    found = dict(headers(trunk="hostile"))
    assert "<sip:ceo@example.com>" in found["FROM"]
    assert "\x00" in found["X-Control"]


@pytest.mark.parametrize("security", ["srtp", "rtp", None])
def test_the_security_of_the_media_is_told_or_not(security: str | None) -> None:
    data = Invite(media_security=security).data("rtc_u0_x")
    assert data.get("sip_media_security") == security
    assert ("sip_media_security" in data) is (security is not None)


async def test_a_ring_takes_a_trunk(webhooks: Any) -> None:
    async with Simulator() as cloud:
        await cloud.ring(webhooks.url, trunk="twilio", media_security=None)
    data = json.loads(webhooks.requests[0][1])["data"]
    assert "X-Twilio-CallSid" in {header["name"] for header in data["sip_headers"]}
    assert "sip_media_security" not in data


async def test_webhooks_can_have_fields_that_nobody_knows(webhooks: Any) -> None:
    async with Simulator(faults=Faults(novelties=True)) as cloud:
        await cloud.ring(webhooks.url)
    event = json.loads(webhooks.requests[0][1])
    assert "x_novelty" in event
    assert "x_novelty" in event["data"]["sip_headers"][0]
