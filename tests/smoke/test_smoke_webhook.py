"""`offhook smoke webhook`: a whole signed call, and words for each step that fails."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rich.console import Console

from offhook.rehearsal import Rehearsal, serving
from offhook.smoke import webhook
from offhook.smoke.webhook import run


async def told(**options: Any) -> tuple[int, str]:
    text = io.StringIO()
    status = await run(Console(file=text, width=300, highlight=False), **options)
    return status, text.getvalue()


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_a_running_server_is_rung_and_each_step_told() -> None:
    async with Rehearsal(speed=20) as other, serving(other.cloud) as served:
        port = port_of(other.cloud.base_url)
        await other.cloud.__aexit__(None, None, None)  # its address is free for the next cloud
        status, text = await told(url=served.url, port=port)
        await other.cloud.__aenter__()  # for its own end
    assert status == 0, text
    for step in ("webhook answered 200", "accepted", "sideband attached", "greeting heard"):
        assert f"ok      {step}" in text
    assert "the bot said goodbye and hung up" in text


async def test_it_starts_a_server_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REALTIME_WS_BASE", "wss://my-resource.openai.azure.com/openai/v1/realtime")
    status, text = await told(start=True)
    assert status == 0, text
    assert "call ended" in text


async def test_a_server_that_cannot_start_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, text = await told(start=True, bot="missing.py")
    assert status == 1
    assert "FAILED  start" in text
    assert "status 2" in text


async def test_an_address_where_nobody_listens_is_said() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/openai/webhook"
        status, text = await told(url=url, port=0)
    assert status == 1
    assert "nothing answers" in text


async def test_a_wrong_secret_is_said() -> None:
    async with Rehearsal(speed=20) as other, serving(other.cloud) as served:
        status, text = await told(url=served.url, port=0, secret="whsec_b3RoZXI=")
    assert status == 1
    assert "does not trust the signature" in text


async def test_a_wrong_path_is_said() -> None:
    async with Rehearsal(speed=20) as other, serving(other.cloud) as served:
        status, text = await told(url=served.url.replace("/openai/webhook", "/hook"), port=0)
    assert status == 1
    assert "the path is not that of the webhook" in text


async def test_a_server_that_asks_another_cloud_is_told_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "STEP_S", 0.3)
    async with Rehearsal(speed=20) as other, serving(other.cloud) as served:
        status, text = await told(url=served.url, port=0)
    assert status == 1
    assert "ok      webhook answered 200" in text
    assert "FAILED  accepted" in text
    assert "OPENAI_BASE=http://127.0.0.1:" in text


async def test_a_port_that_is_taken_is_said() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    status, text = await told(port=runner.addresses[0][1])
    await runner.cleanup()
    assert status == 1
    assert "choose another with --port" in text
