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
from offhook.simulator import HangsUp, Hears, Presses, Says, Simulator
from offhook.talk import SPOKEN_S, steps, talk, unknown
from support.process import offhook

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


async def test_a_port_that_is_taken_is_named() -> None:
    async with Simulator() as other:
        port = int(other.base_url.rpartition(":")[2])
        stage = rehearsal(url="http://127.0.0.1:1/openai/webhook", port=port)
        with pytest.raises(UserError, match=rf":{port}: .*another port with --port"):
            await play(["hello"], stage, console()[0])


@pytest.mark.parametrize("line", ["/help", "/", "/12x", "/byebye"])
async def test_an_unknown_command_is_answered_with_those_that_exist(line: str) -> None:
    out, text = console()
    assert await talk(rehearsal(speed=SPEED), out, typing(line, "/bye")) == 0
    told = text.getvalue()
    assert f"There is no {line}. There are: /1 2 # (press these keys), /bye, /quit" in told
    assert "You press" not in told


@pytest.mark.parametrize("line", ["/1 2 3 #", "/b", "/*", "/bye", "Hello", "!Stop", ""])
def test_what_exists_is_not_complained_about(line: str) -> None:
    assert unknown(line) == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["call", "hello", "--url", "http://127.0.0.1:1/"],
        ["call", "--talk"],
        ["test", "x.toml", "--url", "http://127.0.0.1:1/"],
    ],
)
def test_the_real_model_takes_no_phone(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text(HOLDS, "utf-8")
    result = CliRunner().invoke(app, [*arguments, "--real"])
    assert isinstance(result.exception, UserError)
    assert "no --url, no --talk" in str(result.exception)


@pytest.mark.parametrize("command", [["call", "order-status"], ["test", "x.toml"]])
@pytest.mark.parametrize(("agreed", "status"), [(["--yes"], 0), ([], 2)])
async def test_the_real_model_is_asked_once_the_cost_is_agreed_to(
    command: list[str], agreed: list[str], status: int, tmp_path: Path
) -> None:
    (tmp_path / "x.toml").write_text(HOLDS.replace("'listens'", "{ says = 'Hello' }"), "utf-8")
    async with Simulator(speed=500.0) as cloud:
        settings = f"OPENAI_API_KEY={cloud.api_key}\nOPENAI_BASE={cloud.base_url}\n"
        (tmp_path / ".env").write_text(settings, "utf-8")
        arguments = (*command, "--real", *agreed)
        async with offhook(*arguments, env={}, cwd=tmp_path, told=True) as process:
            assert await process.ended() == status, process.text
        told = process.text
        assert "1 scenario with the real model gpt-realtime-2.1" in told
        assert "That is about $" in told
        assert ("Used: " in told) is bool(agreed)
        assert len(cloud.sessions) == len(agreed)
        assert agreed or "say --yes to agree" in told


async def test_a_person_talks_to_the_bot() -> None:
    out, text = console()
    lines = typing("Where is my order ACME 12345?", "What do you sell?",
                   "!Is the Kettle Glass in stock?", "/1 2 3 4 5 #", "/bye")  # fmt: skip
    assert await talk(rehearsal(speed=SPEED), out, lines) == 0
    told = text.getvalue()
    for piece in (
        "Bot: You are talking to an AI assistant. Hello and welcome to ACME.",
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
