"""Lines are made from the file and the settings; what is wrong with them is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.bot import Bot
from offhook.config import load
from offhook.dialplan import PlanError
from offhook.observe.metrics import Metrics
from offhook.runtime.directory import Directory
from offhook.runtime.planning import Planned, Planner
from offhook.runtime.quotas import Quotas
from offhook.runtime.reload import Reload
from support.serving import logging_to

BOT = Bot("Be brief.", name="own", voice="cedar", targets={"support": "tel:+493023125001"})
OTHER = """
from offhook import Bot
bot = Bot("Sell bicycles.", name="bicycles", language="de")
"""
GOOD = """
[lines.shop]
numbers = ["+493023125000"]
voice = "marin"
language = "de"
targets = { support = "tel:+493023125099", night = "tel:+493023125098" }
timezone = "Europe/Berlin"
hours = ["mon-fri 08:00-18:00"]
when_closed = "night"
max_call_minutes = 10
blocked = ["+493023125077"]

[lines.bicycles]
numbers = ["*"]
bot = "{bot}"
anonymous = true
calls_per_hour = 2
"""


def planned(tmp_path: Path, text: str, **env: str) -> Planned:
    path = tmp_path / "lines.toml"
    path.write_text(text, "utf-8")
    settings = load(None, {"OFFHOOK_LINES": str(path), **env}, serving=False)
    return Planner(BOT, settings).read()


def good(tmp_path: Path, **env: str) -> Planned:
    bot = tmp_path / "bicycles_bot.py"
    bot.write_text(OTHER, "utf-8")
    return planned(tmp_path, GOOD.replace("{bot}", str(bot)), **env)


def wrong(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    with pytest.raises(PlanError) as error:
        planned(tmp_path, text)
    return [(w.line, w.what) for w in error.value.wrong]


def test_without_a_file_there_is_one_line_with_the_bot_and_the_settings() -> None:
    made = Planner(BOT, load(None, {}, serving=False)).read()
    (line,) = made.lines.values()
    assert (line.bot, line.plan.name, line.plan.numbers) == (BOT, "default", ("*",))


def test_a_line_says_what_goes_before_the_bots_own(tmp_path: Path) -> None:
    line = good(tmp_path).lines["shop"]
    assert (line.config.voice, line.language, line.rules.bot) == ("marin", "de", "own")
    assert list(line.rules.targets) == ["support", "night"]
    assert line.target_uri("support") == "tel:+493023125099"
    assert line.rules.limits.call == 600.0
    assert "Guten Tag" in line.rules.lines.greeting


def test_a_line_may_have_a_bot_of_its_own(tmp_path: Path) -> None:
    line = good(tmp_path).lines["bicycles"]
    assert (line.bot.name, line.rules.bot, line.language) == ("bicycles", "bicycles", "de")


def test_what_a_line_does_not_say_the_settings_do(tmp_path: Path) -> None:
    made = good(
        tmp_path, OFFHOOK_BLOCKED="+4990*", OFFHOOK_ANONYMOUS="reject", OFFHOOK_CALLS_PER_HOUR="9"
    )
    shop, bicycles = made.plan.lines
    assert (shop.blocked, shop.anonymous, shop.calls_per_hour) == (
        ("+493023125077", "+4990*"),
        False,
        9,
    )
    assert (bicycles.anonymous, bicycles.calls_per_hour) == (True, 2)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("bot = 'nowhere.py:bot'", "bot: There is no file nowhere.py"),
        ("bot = 'nowhere'", "bot: There is no module"),
        ("voice = 'a voice'", "voice: must be a name"),
        ("language = 'German'", "language: must be a language tag"),
        ("targets = { a = 'tel:110' }", 'targets: transfer target "a"'),
        ("targets = { A = 'tel:+493023125001' }", "targets: transfer target 'A'"),
    ],
)
def test_what_only_we_can_see_is_told_with_its_line(tmp_path: Path, row: str, says: str) -> None:
    ((line, what),) = wrong(tmp_path, f"[lines.a]\nnumbers = ['*']\n{row}\n")
    assert line == 3
    assert says in what


def test_a_target_for_the_night_that_nobody_has_is_told(tmp_path: Path) -> None:
    rows = "[lines.a]\nnumbers=['*']\ntimezone='UTC'\nhours=[]\nwhen_closed='night'\n"
    assert wrong(tmp_path, rows) == [
        (5, "when_closed: 'night' is no target of the line; there are: support")
    ]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "[lines.a]\nnumbers=['*']\nvoice='a b'\nbot='no.py'\n[lines.b]\nnumbers=['+1*']\nx=1\n"
    assert [line for line, _ in wrong(tmp_path, text)] == [3, 4, 7]


def reload_of(tmp_path: Path, text: str) -> tuple[Reload, Directory, Path, Metrics]:
    path = tmp_path / "lines.toml"
    path.write_text(text, "utf-8")
    settings = load(None, {"OFFHOOK_LINES": str(path)}, serving=False)
    planner = Planner(BOT, settings)
    made = planner.read()
    directory, metrics = Directory(made.plan, made.lines), Metrics()
    quotas = Quotas(settings, metrics)
    return Reload(planner, path, directory, quotas, metrics), directory, path, metrics


async def test_a_wrong_file_is_refused_with_its_line_and_the_old_lines_stay(
    tmp_path: Path,
) -> None:
    reload, directory, path, metrics = reload_of(tmp_path, "[lines.a]\nnumbers=['*']\n")
    before = directory.first
    path.write_text("[lines.a]\nnumbers=['*']\nvoice = 'a b'\nbot = 3\n", "utf-8")
    with logging_to() as log:
        assert not await reload.read()
        told = log.of("lines refused, the old ones stay", level="error")
    assert [(each["line_number"], each["file"]) for each in told] == [
        (3, str(path)),
        (4, str(path)),
    ]
    assert directory.first is before
    values = metrics.registry.get_sample_value
    assert values("offhook_lines_reloads_total", {"result": "refused"}) == 1


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(tmp_path: Path) -> None:
    reload, directory, path, _ = reload_of(tmp_path, "[lines.a]\nnumbers=['*']\n")
    path.unlink()
    assert not await reload.read()
    assert list(directory.lines) == ["a"]


async def test_new_lines_hold_for_those_who_ask_afterwards(tmp_path: Path) -> None:
    reload, directory, path, _ = reload_of(tmp_path, "[lines.a]\nnumbers=['*']\n")
    began_with = directory.find("+15550100")
    path.write_text("[lines.b]\nnumbers=['*']\nvoice='cedar'\ndaily_minutes=3\n", "utf-8")
    assert await reload.read()
    found = directory.find("+15550100")
    assert found is not None
    assert found.plan.name == "b"
    assert began_with is not None
    assert began_with.plan.name == "a"
