"""`offhook smoke realtime`: each step is told, and each failure says what to check."""

from __future__ import annotations

import io
import json
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from rich.console import Console

from offhook.config import Settings, load
from offhook.real import connection
from offhook.real.connection import session_url
from offhook.smoke import realtime
from offhook.smoke.realtime import run

KEY = "sk-test0123456789abcdef"
Json = dict[str, Any]

ANSWER = {
    "id": "resp_1",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "ready"}]}],
    "usage": {"total_tokens": 31},
}


class Door:
    """A cloud's WebSocket for sessions without a call, as it answers in a test."""

    def __init__(self) -> None:
        self.status = 101
        self.response: Json = ANSWER
        self.voice: str | None = None
        self.errors: dict[str, Json] = {}
        self.queries: list[str] = []
        self.headers: list[str] = []
        self.got: list[Json] = []

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Take one session."""
        self.queries.append(request.query_string)
        self.headers.append(
            request.headers.get("Authorization", request.headers.get("api-key", ""))
        )
        if self.status != 101:
            return web.json_response({"error": {}}, status=self.status)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self._send(socket, "session.created", session={"model": request.query["model"]})
        async for message in socket:
            await self._answer(socket, json.loads(message.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, event: Json) -> None:
        self.got.append(event)
        if error := self.errors.get(event["type"]):
            await self._send(socket, "error", error=error)
            return
        match event["type"]:
            case "session.update":
                voice = self.voice or event["session"]["audio"]["output"]["voice"]
                session = {"audio": {"output": {"voice": voice}}}
                await self._send(socket, "session.updated", session=session)
            case "response.create":
                await self._send(socket, "response.created", response={})
                await self._send(socket, "response.done", response=self.response)

    async def _send(self, socket: web.WebSocketResponse, kind: str, **fields: Any) -> None:
        await socket.send_json({"type": kind, **fields})


@asynccontextmanager
async def opened(door: Door, **env: str) -> AsyncIterator[Settings]:
    app = web.Application()
    app.router.add_get("/v1/realtime", door.open)
    app.router.add_get("/openai/v1/realtime", door.open)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield settings(OPENAI_BASE=base, **env)
    finally:
        await runner.cleanup()


def settings(**env: str) -> Settings:
    return load(None, {"OPENAI_API_KEY": KEY, **env}, serving=False)


async def told(settings: Settings) -> tuple[int, str]:
    text = io.StringIO()
    status = await run(Console(file=text, width=300, highlight=False), settings)
    return status, text.getvalue()


async def test_each_step_is_told_with_its_time() -> None:
    door = Door()
    async with opened(door, REALTIME_MODEL="gpt-realtime", REALTIME_VOICE="cedar") as given:
        status, text = await told(given)
    assert status == 0, text
    for step in ("connected", "session opened", "voice accepted", "answered in text"):
        assert any(line.startswith("ok") and step in line and " ms" in line
                   for line in text.splitlines()), step  # fmt: skip
    assert "'ready', 31 tokens" in text
    assert door.queries == ["model=gpt-realtime"]
    assert door.headers == [f"Bearer {KEY}"]
    assert [event["type"] for event in door.got] == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    assert door.got[0]["session"] == {
        "type": "realtime",
        "audio": {"output": {"voice": "cedar"}},
    }
    assert door.got[-1]["response"] == {"output_modalities": ["text"]}


async def test_azure_has_its_own_path_key_and_deployment() -> None:
    door = Door()
    env = {"OFFHOOK_PROVIDER": "azure", "REALTIME_MODEL": "my-deployment"}
    async with opened(door, **env) as given:
        assert session_url(given).endswith("/openai/v1/realtime?model=my-deployment")
        status, _ = await told(given)
    assert status == 0
    assert door.headers == [KEY]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "Is 'gpt-realtime-2.1' a realtime model"),
        (401, "the key is wrong"),
        (403, "may not do this"),
        (404, "there is no 'gpt-realtime-2.1' here"),
        (429, "Check billing and limits"),
        (503, "the cloud has a problem"),
        (418, "this is no Realtime endpoint"),
    ],
)
async def test_a_refused_connection_says_what_to_check(status: int, words: str) -> None:
    door = Door()
    door.status = status
    async with opened(door) as given:
        result, text = await told(given)
    assert result == 1
    assert "FAILED  connected" in text
    assert f"http {status}" in text
    assert words in text


async def test_on_azure_a_missing_deployment_is_named() -> None:
    door = Door()
    door.status = 404
    env = {"OFFHOOK_PROVIDER": "azure", "REALTIME_MODEL": "mine"}
    async with opened(door, **env) as given:
        _, text = await told(given)
    assert "no deployment 'mine'" in text


@pytest.mark.parametrize(
    ("event", "error", "step", "words"),
    [
        ("session.update", {"code": "invalid_value", "param": "session.audio.output.voice"},
         "voice accepted", "check REALTIME_VOICE"),
        ("session.update", {"code": "model_not_found"}, "voice accepted", "check REALTIME_MODEL"),
        ("response.create", {"code": "insufficient_quota"}, "answered in text", "check billing"),
        ("response.create", {"code": "rate_limit_exceeded"}, "answered in text", "rate limit"),
        ("response.create", {"code": "invalid_api_key", "message": f"Incorrect key: {KEY}"},
         "answered in text", "check OPENAI_API_KEY"),
    ],
)  # fmt: skip
async def test_an_error_of_the_session_says_what_to_check(
    event: str, error: Json, step: str, words: str
) -> None:
    door = Door()
    door.errors[event] = error
    async with opened(door) as given:
        status, text = await told(given)
    assert status == 1
    assert f"FAILED  {step}" in text
    assert words in text
    assert KEY not in text


async def test_a_voice_that_the_session_does_not_take_over_is_a_failure() -> None:
    door = Door()
    door.voice = "alloy"
    async with opened(door) as given:
        status, text = await told(given)
    assert status == 1
    assert "keeps the voice 'alloy'" in text


async def test_an_answer_that_fails_is_told() -> None:
    door = Door()
    door.response = {
        "status": "failed",
        "status_details": {"error": {"code": "insufficient_quota", "message": "No credit."}},
    }
    async with opened(door) as given:
        status, text = await told(given)
    assert status == 1
    assert "check billing (insufficient_quota: No credit.)" in text


async def test_a_host_without_an_answer_is_told_from_one_that_is_unknown() -> None:
    with sockets.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        status, text = await told(settings(OPENAI_BASE=f"http://127.0.0.1:{port}"))
    assert status == 1
    assert "no connection to 127.0.0.1" in text


async def test_each_way_not_to_connect_has_words_of_its_own() -> None:
    key: Any = type("Key", (), {"host": "h", "port": 443, "ssl": True, "is_ssl": True})()
    why = {
        connection.unreachable(error, "h")
        for error in (
            aiohttp.ClientConnectorDNSError(key, OSError("no name")),
            aiohttp.ClientConnectorCertificateError(key, ValueError("bad")),
            aiohttp.ClientConnectorSSLError(key, OSError("bad")),
            TimeoutError(),
            aiohttp.ClientConnectorError(key, OSError("refused")),
            aiohttp.ServerDisconnectedError(),
        )
    }
    assert len(why) == 6


async def test_silence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(realtime, "ANSWER_S", 0.05)
    door = Door()
    door.response = {}

    async def mute(*_: object) -> None:
        pass

    monkeypatch.setattr(door, "_answer", mute)
    async with opened(door) as given:
        status, text = await told(given)
    assert status == 1
    assert "no session.updated within" in text


async def test_without_a_key_nothing_is_tried() -> None:
    status, text = await told(load(None, {}, serving=False))
    assert status == 1
    assert "there is no OPENAI_API_KEY" in text
