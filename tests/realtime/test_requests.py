"""What the cloud's answers mean, by status and code, never by their text."""

from __future__ import annotations

import json

import pytest

from offhook.core.events import Refusal
from offhook.realtime import requests


def error(code: str | None, param: str | None = None) -> bytes:
    return json.dumps(
        {"error": {"code": code, "param": param, "message": "no", "type": "x"}}
    ).encode()


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (404, error("call_id_not_found"), Refusal.GONE),
        (400, error("call_id_not_found"), Refusal.GONE),
        (404, b"", Refusal.GONE),
        (404, error("DeploymentNotFound"), Refusal.WRONG),
        (409, error(None), Refusal.TAKEN),
        (400, error("decision_already_made"), Refusal.TAKEN),
        (429, error("rate_limit_exceeded"), Refusal.BUSY),
        (429, error("insufficient_quota"), Refusal.WRONG),
        (408, b"", Refusal.BUSY),
        (500, b"Internal Server Error", Refusal.BUSY),
        (503, b"\xff", Refusal.BUSY),
        (401, error("invalid_api_key"), Refusal.WRONG),
        (403, b"", Refusal.WRONG),
        (400, error("unknown_parameter", "session.audio.output.voice"), Refusal.VARIANT),
        (400, error("unknown_parameter", "session.temperature"), Refusal.WRONG),
        (302, b"", Refusal.WRONG),
    ],
)
def test_an_answer_has_one_meaning(status: int, body: bytes, meaning: Refusal) -> None:
    assert requests.refusal(status, body)[0] is meaning


def test_the_detail_names_status_and_code_but_repeats_no_message() -> None:
    body = json.dumps({"error": {"code": "bad", "message": "sk-secret"}}).encode()
    assert requests.refusal(400, body)[1] == "http 400 bad"


@pytest.mark.parametrize(
    ("status", "meaning"),
    [(404, Refusal.GONE), (401, Refusal.WRONG), (403, Refusal.WRONG), (500, Refusal.BUSY)],
)
def test_a_refused_upgrade_has_one_meaning(status: int, meaning: Refusal) -> None:
    assert requests.handshake_refusal(status)[0] is meaning


def test_a_hang_up_has_no_body_and_a_refer_has_only_its_target() -> None:
    assert requests.HANG_UP.body is None
    assert requests.refer("tel:+493023125001").body == b'{"target_uri":"tel:+493023125001"}'
    assert requests.reject(486).body == b'{"status_code":486}'
