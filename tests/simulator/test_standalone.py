"""A simulator that runs alone says what a bot must set, rings when told to, and tells all."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from msgspec import ValidationError

from offhook.config import load
from offhook.simulator import DEFAULT_SECRET, Beliefs, Faults, Simulator, State
from offhook.simulator.shelf import catalogue
from offhook.simulator.standalone import dotenv, simulator, usage

OTHER_SECRET = "whsec_b3RoZXItc2VjcmV0LWZvci1sb2NhbC10ZXN0cw=="


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    async with simulator("openai", "127.0.0.1", 0, 100.0) as standalone:
        yield standalone


@pytest.fixture
async def ask(cloud: Simulator, http: aiohttp.ClientSession) -> Any:
    async def request(method: str, path: str, body: Any = None, raw: Any = None) -> Any:
        url = f"{cloud.base_url}/simulator/calls{path}"
        async with http.request(method, url, json=body, data=raw) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    return request


async def test_a_call_needs_only_a_target_and_a_secret(webhooks: Any, ask: Any) -> None:
    status, call = await ask("POST", "", {"target": webhooks.url, "secret": OTHER_SECRET})
    assert (status, call["state"], call["webhook"], call["ended"]) == (201, "ringing", [200], None)
    assert call["scenario"] == "hello"
    assert webhooks.verifies(OTHER_SECRET)
    assert not webhooks.verifies(DEFAULT_SECRET)


async def test_a_call_says_who_calls_whom_with_which_headers(webhooks: Any, ask: Any) -> None:
    ring = {
        "target": webhooks.url,
        "secret": DEFAULT_SECRET,
        "from": "+15550100",
        "to": "+15550199",
        "headers": {"X-A": ["1", "2"], "X-B": "3"},
        "trunk": "forwarded",
    }
    assert (await ask("POST", "", ring))[0] == 201
    body = webhooks.requests[0][1].decode()
    assert "sip:+15550100@" in body
    assert "sip:+15550199@" in body
    assert "Diversion" in body
    assert re.findall(r'"X-[AB]","value":"(.)"', body) == ["1", "2", "3"]


async def test_a_number_can_be_withheld(webhooks: Any, ask: Any) -> None:
    await ask("POST", "", {"target": webhooks.url, "secret": DEFAULT_SECRET, "from": None})
    assert b"anonymous@anonymous.invalid" in webhooks.requests[0][1]


async def test_a_call_shows_what_happened(
    cloud: Simulator, webhooks: Any, ask: Any, connect: Any
) -> None:
    ring = {"target": webhooks.url, "secret": DEFAULT_SECRET, "scenario": "hello"}
    _, rung = await ask("POST", "", ring)
    line = await connect(cloud).join(rung["id"])
    await line.order("Good day.")
    await cloud.calls[rung["id"]].finished(5)
    status, call = await ask("GET", f"/{rung['id']}")
    assert (status, call["state"], call["ended"]) == (200, State.ENDED, "caller_hung_up")
    assert call["transcript"] == [
        "bot: Good day.",
        "caller: Hello, can you hear me?",
        "bot: Yes, I can hear you well. Goodbye.",
        "caller hangs up",
    ]
    assert call["untrue"] == []
    kinds = [mark["kind"] for mark in call["trace"]]
    assert (kinds[0], kinds[-1]) == ("ring", "detach")
    assert {"at", "kind", "detail"} == set(call["trace"][0])
    assert (await ask("GET", ""))[1]["calls"][0]["id"] == rung["id"]


async def test_a_call_shows_what_did_not_come_true(
    cloud: Simulator, webhooks: Any, ask: Any
) -> None:
    ring = {"target": webhooks.url, "secret": DEFAULT_SECRET, "scenario": "hangs-up-while-ringing"}
    _, call = await ask("POST", "", {**ring, "scenario": "transfer-refused"})
    assert cloud.calls[call["id"]].faults.refer == 500  # as the scenario has it
    cloud.calls[call["id"]].caller_hangs_up()
    _, call = await ask("GET", f"/{call['id']}")
    assert "the bot never said 'connecting you'" in call["untrue"]
    _, call = await ask("POST", "", ring)
    assert (call["ended"], call["untrue"]) == ("caller_hung_up", [])


async def test_a_call_can_have_faults_of_its_own(cloud: Simulator, webhooks: Any, ask: Any) -> None:
    faults = {"accept_status": [503], "refer": "silent", "session_created": True}
    ring = {"target": webhooks.url, "secret": DEFAULT_SECRET, "faults": faults}
    _, call = await ask("POST", "", ring)
    own = cloud.calls[call["id"]].faults
    assert (own.accept_status, own.refer, own.session_created) == ((503,), "silent", True)
    assert cloud.faults.refer == "ok"


TARGET = "http://127.0.0.1:9/"
BAD: list[tuple[Any, str]] = [
    ({}, "`target`"),
    ({"target": TARGET}, "`secret`"),
    ({"secret": DEFAULT_SECRET}, "`target`"),
    ({"target": "bot.example.com", "secret": DEFAULT_SECRET}, "http or https"),
    ({"target": "http://[", "secret": DEFAULT_SECRET}, "http or https"),
    ({"target": "http://x:99999/", "secret": DEFAULT_SECRET}, "http or https"),
    ({"target": TARGET, "secret": "whsec_MDE"}, "base64"),
    ({"target": TARGET, "secret": "whsec_"}, "signing secret"),
    ({"target": TARGET, "secret": 5}, "`$.secret`"),
    ({"target": TARGET, "secret": DEFAULT_SECRET, "headers": {"X": 1}}, "`$.headers"),
    ({"target": TARGET, "secret": DEFAULT_SECRET, "trunk": "tin can"}, "tin can"),
    ({"target": TARGET, "secret": DEFAULT_SECRET, "tarrget": 1}, "`tarrget`"),
    ({"target": TARGET, "secret": DEFAULT_SECRET, "faults": {"luck": 1}}, "`luck`"),
    ({"target": TARGET, "secret": DEFAULT_SECRET, "faults": {"deaf": "yes"}}, "`$.deaf`"),
    ([], "array"),
    (None, "does not fit"),
]


@pytest.mark.parametrize(("body", "words"), BAD)
async def test_a_bad_request_is_told_in_words(ask: Any, body: Any, words: str) -> None:
    status, answer = await ask("POST", "", body)
    assert status == 400
    assert words in answer["error"]["message"]


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"target=x"])
async def test_what_is_no_json_is_told_so(ask: Any, raw: bytes) -> None:
    status, answer = await ask("POST", "", raw=raw)
    assert (status, "does not fit" in answer["error"]["message"]) == (400, True)


async def test_an_enormous_body_is_refused(ask: Any) -> None:
    assert (await ask("POST", "", raw=io.BytesIO(b" " * 2_000_000)))[0] == 413


async def test_an_unknown_scenario_is_404_with_those_that_are_known(ask: Any) -> None:
    ring = {"target": TARGET, "secret": DEFAULT_SECRET, "scenario": "a-unicorn"}
    status, answer = await ask("POST", "", ring)
    assert (status, answer["error"]["scenarios"]) == (404, list(catalogue()))
    assert "a-unicorn" in answer["error"]["message"]


async def test_an_unknown_call_and_an_unknown_address_are_404(ask: Any) -> None:
    assert (await ask("GET", "/rtc_u0_nobody"))[0] == 404
    assert (await ask("GET", "/a/b"))[0] == 404
    assert (await ask("DELETE", ""))[0] == 404


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_offhook_can_use_the_settings_as_they_are_printed(
    profile: Any, tmp_path: Path
) -> None:
    async with simulator(profile, "127.0.0.1", 0, 1.0) as cloud:
        env_file = tmp_path / ".env"
        env_file.write_text(usage(cloud), encoding="utf-8")
        settings = load(env_file, {})
        assert settings.endpoint.provider == profile
        assert settings.endpoint.rest_base == cloud.base_url + cloud.profile.prefix
        assert f"OPENAI_BASE_URL={settings.endpoint.rest_base}" in dotenv(cloud)


def test_switches_are_thrown_by_name() -> None:
    cloud = simulator(
        "azure",
        "127.0.0.1",
        0,
        1.0,
        ["refer=silent", "accept_status=[503, 429]", "not_found_status=400", "deaf=true"],
    )
    assert (cloud.faults.refer, cloud.faults.accept_status) == ("silent", (503, 429))
    assert (cloud.faults.deaf, cloud.beliefs.not_found_status) == (True, 400)


@pytest.mark.parametrize(
    ("switch", "words"),
    [("luck=1", "`luck`"), ("deaf", "`name=value`"), ("deaf=5", "bool"), ("refer=1.5", "refer")],
)
def test_a_wrong_switch_is_told_in_words(switch: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        simulator("openai", "127.0.0.1", 0, 1.0, [switch])


def test_no_switch_has_two_meanings() -> None:
    assert not set(Faults.__struct_fields__) & set(Beliefs.__struct_fields__)


def started(*arguments: str) -> subprocess.Popen[str]:
    """`offhook simulator` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "offhook", "simulator", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to stop with")
def test_the_command_prints_the_settings_and_stops_when_told_to() -> None:
    with started("--profile", "azure", "--port", "0") as process:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "\n"))
        port = re.search(r":(\d+)\.", told)
        assert port is not None
        assert "azure" in told
        with started("--port", port[1]) as second:
            _, words = second.communicate(timeout=20)
            assert second.returncode == 2
            assert "Address already in use" in " ".join(words.split())
            assert "Traceback" not in words
        process.send_signal(signal.SIGTERM)
        _, trouble = process.communicate(timeout=20)
    assert "OPENAI_API_KEY=sim-key\n" in told
    assert (process.returncode, trouble) == (0, "")
