"""`offhook call`: stories with a verdict, and a phone in the terminal."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from offhook.calling import play, rehearsal
from offhook.cli import app
from offhook.errors import UserError
from offhook.rehearsal import Rehearsal, serving
from offhook.simulator import HangsUp, Hears, Presses, Says
from offhook.talk import SPOKEN_S, steps, talk

SPEED = 20.0
HOLDS = "title = 'Mine'\ncaller = ['listens', 'hangs up']\n[must]\nended = 'caller_hung_up'\n"


def console() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=200, highlight=False), text


async def typing(*lines: str) -> AsyncIterator[str]:
    for line in lines:
        yield line


async def test_a_call_is_told_and_judged(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(HOLDS, "utf-8")
    out, text = console()
    assert await play(["order-status", str(mine)], rehearsal(speed=SPEED), out) == 0
    told = text.getvalue()
    assert "tool lookup_order" in told
    assert "Ann: Where is my order ACME 12345?" in told
    assert told.count("Everything held") == 2


async def test_what_did_not_hold_makes_the_status_1(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(HOLDS.replace("caller_hung_up", "transferred"), "utf-8")
    out, text = console()
    assert await play([str(mine)], rehearsal(speed=SPEED), out) == 1
    assert "NOT TRUE the call ended as caller_hung_up, not as transferred" in text.getvalue()


async def test_a_running_server_is_rung() -> None:
    async with Rehearsal(speed=SPEED) as other, serving(other.cloud) as served:
        port = int(other.cloud.base_url.rpartition(":")[2])
        await other.cloud.__aexit__(None, None, None)  # its address is free for the next cloud
        out, text = console()
        stage = rehearsal(url=served.url, speed=SPEED, port=port)
        assert await play(["order-status"], stage, out) == 0, text.getvalue()
        assert f"OPENAI_BASE=http://127.0.0.1:{port}" in text.getvalue()
        await other.cloud.__aenter__()  # for its own end


def test_a_bot_and_an_address_exclude_each_other() -> None:
    with pytest.raises(UserError, match="not both"):
        rehearsal("my:bot", url="http://127.0.0.1:1/openai/webhook")


async def test_a_person_talks_to_the_bot() -> None:
    out, text = console()
    lines = typing("Where is my order ACME 12345?", "What do you sell?",
                   "!Is the Kettle Glass in stock?", "/1 2 3 4 5 #", "/bye")  # fmt: skip
    assert await talk(rehearsal(speed=SPEED), out, lines) == 0
    told = text.getvalue()
    for piece in (
        "Bot: Hello, this is the AI assistant of ACME.",
        "You: Where is my order ACME 12345?",
        "Kettle Classic",
        "(cut off)",
        "You: Is the Kettle Glass in stock?",
        "You press #",
        "the call is over: caller_hung_up",
    ):
        assert piece in told
    assert told.count("after ") >= 4


async def test_the_end_of_the_input_hangs_up() -> None:
    out, text = console()
    assert await talk(rehearsal(speed=SPEED), out, typing()) == 0
    assert "caller_hung_up" in text.getvalue()


def test_what_is_typed_is_what_the_caller_does() -> None:
    assert list(steps("", waits=False)) == []
    assert list(steps("Hi", waits=False)) == [Says("Hi", seconds=SPOKEN_S)]
    assert list(steps("Hi", waits=True)) == [Hears(), Says("Hi", seconds=SPOKEN_S)]
    assert list(steps("/1 2 #", waits=False)) == [Presses("12#")]
    assert list(steps("/bye", waits=False)) == [HangsUp()]
    assert list(steps("!No", waits=False)) == [Says("No")]
    assert list(steps("!No", waits=True)) == [Says("No", over=True, after_ms=400)]


def test_the_catalogue_is_listed() -> None:
    result = CliRunner().invoke(app, ["call", "--list"])
    assert result.exit_code == 0
    assert "order-status" in result.stdout


def test_a_call_without_a_name_says_what_to_do() -> None:
    result = CliRunner().invoke(app, ["call"])
    assert isinstance(result.exception, UserError)
    assert "--list" in str(result.exception)
