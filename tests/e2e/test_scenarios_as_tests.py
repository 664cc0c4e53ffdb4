"""`offhook test` and the pytest plugin: scenario files as tests, with reports."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from offhook.calling import rehearsal
from offhook.errors import UserError
from offhook.suite import files, run

pytest_plugins = ["pytester"]

SPEED = 20.0
GOOD = "title = 'Good'\ncaller = ['listens', 'hangs up']\n[must]\nended = 'caller_hung_up'\n"
BAD = GOOD.replace("caller_hung_up", "transferred")


def write(folder: Path, **texts: str) -> list[Path]:
    (folder / "deep").mkdir()
    for name, text in texts.items():
        (folder / "deep" / f"{name}.toml").write_text(text, "utf-8")
    return files([folder])


async def play(paths: list[Path], junit: Path | None = None) -> tuple[int, str]:
    text = io.StringIO()
    out = Console(file=text, width=200)
    return await run(paths, rehearsal(speed=SPEED), out, junit), text.getvalue()


async def test_a_folder_of_files_that_hold_passes(tmp_path: Path) -> None:
    status, told = await play(write(tmp_path, one=GOOD, two=GOOD))
    assert status == 0
    assert "2 passed, 0 failed" in told


async def test_what_fails_is_told_and_reported(tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    paths = write(tmp_path, a_good=GOOD, b_bad=BAD, c_wrong="titel = 'x'")
    status, told = await play(paths, junit)
    assert status == 1
    assert "1 passed, 2 failed" in told
    assert "the call ended as caller_hung_up, not as transferred" in told
    assert "c_wrong.toml:1: there is no 'titel' here; did you mean 'title'?" in told
    suite = ET.parse(junit).getroot()[0]  # noqa: S314 - we have just written it
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    good, bad, wrong = suite
    assert good.get("name") == "a_good"
    assert "Caller hangs up" in (good.findtext("system-out") or "")
    assert "not as transferred" in (bad.findtext("failure") or "")
    error = wrong.find("error")
    assert error is not None
    assert "titel" in (error.get("message") or "")


def test_nothing_to_play_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no \.toml file"):
        files([tmp_path])
    with pytest.raises(UserError, match="There is no"):
        files([tmp_path / "nowhere"])


def test_the_plugin_offers_calls_and_plays_scenarios(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\noffhook_scenarios = scenarios\n")
    folder = pytester.mkdir("scenarios")
    (folder / "good.toml").write_text(GOOD, "utf-8")
    (folder / "bad.toml").write_text(BAD, "utf-8")
    pytester.makepyfile(
        """
        async def test_an_order_is_found(offhook_call):
            async with offhook_call() as phone:
                await phone.says("Where is order ACME-12345?")
                await phone.expect_tool("lookup_order", order_number="ACME 12345")
                await phone.hears("Kettle Classic")
        """
    )
    arguments = ["-q", "-p", "no:cacheprovider"]
    if "offhook.pytest_plugin" not in _registered():
        arguments += ["-p", "offhook.pytest_plugin"]
    result = pytester.runpytest_subprocess(*arguments)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*the call ended as caller_hung_up, not as transferred*"])


def _registered() -> set[str]:
    from importlib.metadata import entry_points

    return {entry.value for entry in entry_points(group="pytest11")}
