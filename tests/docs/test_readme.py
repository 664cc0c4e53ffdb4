"""What the README says is so: its code runs, its tables are current, its names exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from aiohttp import ClientSession
from rich.console import Console

from offhook import Bot, Tool
from offhook.cli import app
from offhook.config import Settings, fields, load
from offhook.core.call import Phase
from offhook.core.end import FAULTS, EndReason
from offhook.core.rules import Lines
from offhook.demo import SCENES
from offhook.demo import run as demo
from offhook.runtime.line import make_line
from support.documents import README, ROOT, between, blocks, first_cells, without_blocks
from support.serving import logging_to, serving

TEXT = README.read_text("utf-8")
FIRST_BOT = ROOT / "examples" / "first_bot.py"
PYTHON = blocks(TEXT, "python")
ENV = blocks(TEXT, "env")
OF_THE_CLOUD = {"/openai", "/openai/v1", "/v1"}
OF_THE_API = {
    "/api/stats",
    "/api/calls",
    "/api/calls/active",
    "/metrics",
}  # which is there where records are kept, behind its gate


def settings() -> Settings:
    return load(None, {"OPENAI_API_KEY": "key", "OPENAI_WEBHOOK_SECRET": "secret"})


def run(source: str) -> dict[str, Any]:
    """The names that a block of the README defines."""
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(source, "README.md", "exec"), names)  # noqa: S102
    return names


def test_the_first_bot_is_the_first_block_and_has_at_most_15_lines() -> None:
    assert PYTHON[0] == FIRST_BOT.read_text("utf-8")
    assert len(PYTHON[0].splitlines()) <= 15


@pytest.mark.parametrize("source", PYTHON, ids=range(1, len(PYTHON) + 1))
def test_every_python_block_defines_a_bot_or_tools_that_work(source: str) -> None:
    defined = run(source).values()
    bots = [each for each in defined if isinstance(each, Bot)]
    tools = [each for each in defined if isinstance(each, Tool)]
    assert bots or tools
    for bot in [*bots, Bot("Try the tools.", tools=tools)]:
        assert make_line(bot, settings()).accepts


@pytest.mark.parametrize("text", ENV, ids=range(1, len(ENV) + 1))
def test_every_env_block_is_a_configuration_that_can_serve(text: str, tmp_path: Path) -> None:
    file = tmp_path / "readme.env"
    file.write_text(text, "utf-8")
    assert load(file, {}).endpoint.rest_base.endswith("/v1")


def test_there_is_one_env_block_for_each_cloud(tmp_path: Path) -> None:
    clouds = []
    for text in ENV:
        file = tmp_path / "readme.env"
        file.write_text(text, "utf-8")
        clouds.append(load(file, {}).endpoint.provider)
    assert clouds == ["azure", "openai"]


def test_every_setting_that_is_named_exists() -> None:
    known = {each.name for each in fields()}
    prefixed = r"(?:OFFHOOK|OPENAI|REALTIME|SIP|LOG|TEST)_[A-Z_]+"
    named = set(re.findall(rf"\b(?:{prefixed}|PORT)\b", TEXT))
    assert named <= known
    assert known <= named


def test_every_end_reason_is_explained_with_whose_fault_it_is() -> None:
    told = [(reason, fault) for reason, fault, _ in first_cells(TEXT, "Reason")]
    assert told == [(str(reason), str(FAULTS[reason])) for reason in EndReason]


def test_every_phase_is_explained_in_order() -> None:
    assert [row[0] for row in first_cells(TEXT, "Phase")] == [str(phase) for phase in Phase]


def test_a_bot_in_another_language_replaces_every_sentence() -> None:
    own = next(block for block in PYTHON if 'language="fr"' in block)
    bot: Bot = run(own)["bot"]
    standard, french = Bot("Hello.").lines("fr"), bot.lines("fr")
    kept = [name for name in Lines.__struct_fields__ if getattr(standard, name) in str(french)]
    assert not kept


def commands() -> Iterator[list[str]]:
    """Each `offhook ...` and `make ...` that the README shows, taken apart."""
    shown = "\n".join(blocks(TEXT, "bash")).replace("\\\n", " ").splitlines()
    shown += re.findall(r"`([^`\n]+)`", without_blocks(TEXT))
    for line in shown:
        if re.match(r"(offhook|make) ", line):
            yield shlex.split(line, comments=True)


def test_every_command_that_is_shown_exists() -> None:
    group = typer.main.get_command(app)
    names = getattr(group, "commands")  # noqa: B009  # typer's own click has no such types
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = list(commands())
    assert {"make demo", "make test", "offhook serve"} <= {" ".join(c[:2]) for c in shown}
    for program, command, *_ in shown:
        assert command in (names if program == "offhook" else targets)


def every_command(command: Any) -> Iterator[Any]:
    """The command and all below it, e.g. those of `offhook smoke`."""
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from every_command(below)


def test_every_option_that_is_named_exists() -> None:
    options = {
        option
        for command in every_command(typer.main.get_command(app))
        for parameter in command.params
        for option in parameter.opts
    }
    named = set(re.findall(r"(?<!-)--[a-z][a-z-]*", " ".join(map(" ".join, commands()))))
    named |= set(re.findall(r"`(--[\w-]+)`", without_blocks(TEXT)))
    assert {"--reload", "--env-file", "--speed"} <= named
    assert named <= options


async def test_every_path_of_the_service_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(/(?:\w+/?)*)`", without_blocks(TEXT))) - OF_THE_CLOUD - OF_THE_API
    assert named == {"/", "/healthz", "/readyz", "/openai/webhook"}
    async with serving() as service, ClientSession(service.url) as client:
        for path in named:
            async with client.get(path) as answer:
                assert answer.status == (405 if path == "/openai/webhook" else 200)


def test_the_contents_name_every_section_in_order() -> None:
    contents = TEXT.split("**Contents:**", 1)[1].split("\n")[0]
    titles = re.findall(r"^## (.+)$", without_blocks(TEXT), re.MULTILINE)
    assert re.findall(r"\[([^\]]+)\]\(#", contents) == titles


def test_no_place_is_left_to_be_filled() -> None:
    assert "to be filled" not in TEXT


def told(line: str) -> str:
    """A line of the demo without what differs from one run to the next, and without its rest."""
    line = re.sub(r"^ *\d+ ms  ", "", line.strip()).removesuffix("...")
    return re.sub(r"\d{4}-\d\d-\d\d", "a day", line).strip()


async def test_the_demo_prints_what_the_readme_shows() -> None:
    (shown,) = blocks(between(TEXT, "demo"), "text")
    with logging_to(), StringIO() as out:
        assert await demo(speed=20, console=Console(file=out, width=200)) == 0
        printed = [told(line) for line in out.getvalue().splitlines()]
    in_life = [line for line in shown.splitlines() if not line.startswith("People speak")]
    for line in filter(None, map(told, in_life)):
        assert any(each.startswith(line) for each in printed), line
    assert all(scene.title in shown for scene in SCENES)
