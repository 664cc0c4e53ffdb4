"""`offhook replay`: the same code decides the same, and other code is shown."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from offhook import replay as replaying
from offhook.cli import app
from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.outcomes import Transfer
from offhook.core.step import Stepped, step
from offhook.rehearsal import Rehearsal
from offhook.replay import JournalError, differences, load, replay
from offhook.retelling import as_scenario
from offhook.runtime.entries import read, written
from offhook.simulator.scenario import parse
from offhook.simulator.shelf import find

SPEED = 60.0
Line = dict[str, Any]


async def journal_of(name: str, folder: Path) -> Path:
    """Play a scenario of the catalogue; the journal of it."""
    settings = {"OFFHOOK_JOURNAL": "1", "OFFHOOK_JOURNAL_DIR": str(folder)}
    async with Rehearsal(speed=SPEED, settings=settings) as stage:
        assert (await stage.play(find(name))).held
    (path,) = (folder / name for name in os.listdir(folder))
    return path


def changed(path: Path, change: Callable[[list[Line]], object]) -> Path:
    """The journal with its lines changed."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def asks_a_tool(event: on.Event) -> bool:
    return isinstance(event, on.ToolAsked)


def shown(path: Path) -> tuple[int, str]:
    text = io.StringIO()
    status = replay(path, Console(file=text, width=200, highlight=False))
    return status, text.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "order-status",
        "keypad-human",
        "transfer-refused",
        "sideband-breaks",
        "webhook-twice",
        "model-fails-once",
        "accept-busy",
        "tool-breaks",
        "private-words",
    ],
)
async def test_the_code_that_wrote_a_journal_decides_the_same_again(
    name: str, tmp_path: Path
) -> None:
    status, text = shown(await journal_of(name, tmp_path))
    assert status == 0, text


async def test_a_journal_from_before_the_end_of_a_session_was_heard_is_decided_the_same(
    tmp_path: Path,
) -> None:
    path = await journal_of("order-status", tmp_path)

    def older(lines: list[Line]) -> None:
        del lines[0]["data"]["epoch"]
        (told,) = (each for each in lines if each["data"].get("is") == "on.ExpiryTold")
        lines.remove(told)

    status, text = shown(changed(path, older))
    assert status == 0, text


async def test_another_decision_is_shown_with_its_line_and_both_sides(tmp_path: Path) -> None:
    path = await journal_of("order-status", tmp_path)

    def other_tool(lines: list[Line]) -> None:
        line = next(each for each in lines if each["data"].get("is") == "do.RunTool")
        line["data"]["name"] = "another_tool"

    cause = 1 + next(
        n for n, line in enumerate(path.read_text("utf-8").splitlines()) if '"on.ToolAsked"' in line
    )
    status, text = shown(changed(path, other_tool))
    assert status == 1
    assert f"line {cause}," in text
    assert "recorded  do.RunTool" in text
    assert "name='another_tool'" in text
    assert "today     do.RunTool" in text
    assert "1 of its decisions" in text


async def test_other_code_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await journal_of("order-status", tmp_path)

    def deaf_to_tools(call: Call, event: on.Event, now: float) -> Stepped:
        return (call, [do.Ignore(event)]) if asks_a_tool(event) else step(call, event, now)

    monkeypatch.setattr(replaying, "step", deaf_to_tools)
    found = list(differences(load(path)))
    assert any("do.RunTool" in line for each in found for line in each.recorded)
    assert any("do.Ignore" in line for each in found for line in each.today)


async def test_code_that_raises_today_is_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await journal_of("order-status", tmp_path)

    def broken(call: Call, event: on.Event, now: float) -> Stepped:
        if asks_a_tool(event):
            raise LookupError("a bug")
        return step(call, event, now)

    monkeypatch.setattr(replaying, "step", broken)
    found = list(differences(load(path)))
    assert any("LookupError: a bug" in line for each in found for line in each.today)


async def test_what_the_surface_no_longer_tells_is_a_difference(tmp_path: Path) -> None:
    path = await journal_of("order-status", tmp_path)

    def without_a_word(lines: list[Line]) -> None:
        kind = "conversation.item.input_audio_transcription.completed"
        lines.remove(next(each for each in lines if each["data"].get("type") == kind))

    status, text = shown(changed(path, without_a_word))
    assert status == 1
    assert "recorded  told on.CallerSaid" in text


async def test_a_journal_that_breaks_off_is_replayed_as_far_as_it_goes(tmp_path: Path) -> None:
    path = await journal_of("order-status", tmp_path)
    path.write_text(path.read_text("utf-8")[:-200], "utf-8")
    status, text = shown(path)
    assert status == 0
    assert "has no end" in text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not begin with a ring"),
        ("hello\n", "this is no line of a journal"),
        ('{"t":0,"kind":"end","data":{}}\n', "does not begin with a ring"),
        ('{"t":0,"kind":"ring","data":{"journal":7}}\n', "form 7"),
        ('{"t":0,"kind":"ring","data":{"journal":1}}\n', "does not fit"),
    ],
)
def test_a_file_that_is_no_journal_is_named_with_the_reason(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(JournalError, match=why):
        load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        load(tmp_path / "none.jsonl")


async def test_an_event_of_another_version_is_said(tmp_path: Path) -> None:
    path = await journal_of("order-status", tmp_path)

    def renamed(lines: list[Line]) -> None:
        line = next(each for each in lines if each["data"].get("is") == "on.Accepted")
        line["data"]["is"] = "on.Welcomed"

    with pytest.raises(JournalError, match=r"line 3: .* knows no on\.Welcomed"):
        shown(changed(path, renamed))


def test_reading_gives_back_what_was_written() -> None:
    for value in (
        on.ToolEnded("call_1", Transfer("desk", "asks", "One moment.")),
        on.HookAnswered(Transfer("desk")),
        on.HookAnswered("say it"),
        on.SayEnded("greeting", on.SayEnd.CUT),
        do.CancelTools(("a", "b")),
        do.Ignore(on.AttachFailed(on.Refusal.GONE, "http 404")),
    ):
        assert read(json.loads(json.dumps(written(value)))) == value


@pytest.mark.parametrize("name", ["keypad-order", "cut-in", "withheld-number"])
async def test_a_journal_is_a_scenario_that_plays(name: str, tmp_path: Path) -> None:
    text = as_scenario(load(await journal_of(name, tmp_path)))
    async with Rehearsal(speed=SPEED) as stage:
        played = await stage.play(parse(text, "mine"))
    missing = [line for line in played.untrue if "called" not in line or name != "keypad-order"]
    assert not missing, text


async def test_the_scenario_has_words_tools_keys_and_the_end(tmp_path: Path) -> None:
    text = as_scenario(load(await journal_of("keypad-order", tmp_path)))
    assert '{ presses = "00000#" }' in text
    assert "The keys are placeholders" in text
    assert 'calls = "lookup_order"' in text
    assert '"hangs up",' in text
    assert 'tools = [{ called = "lookup_order" }]' in text
    assert 'ended = "caller_hung_up"' in text


async def test_the_command_prints_and_gives_its_status(tmp_path: Path) -> None:
    path = await journal_of("order-status", tmp_path)
    same = CliRunner().invoke(app, ["replay", str(path)])
    assert (same.exit_code, "decides the same" in same.stdout) == (0, True)
    told = CliRunner().invoke(app, ["replay", "--as-scenario", str(path)])
    assert parse(told.stdout, "mine").must.ended == "bot_hung_up"
