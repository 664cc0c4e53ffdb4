"""A file of lines says what holds on each, and one that is wrong says where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.dialplan import DialPlan, Line, PlanError, Wrong, read_plan

GOOD = """
[lines.support]
numbers = ["+493023125000", "+4930231251*"]
bot = "support.py:bot"
language = "de"
targets = { human = "tel:+493023125099" }
timezone = "Europe/Berlin"
hours = [
    "mon-fri 08:00-18:00",
]
closed = [2026-12-25]
when_closed = "human"
capacity = 20
reserved = 5
blocked = ["+49900*"]

[lines.sales]
numbers = ["*"]
daily_budget = 20
anonymous = false
"""


def _read(tmp_path: Path, text: str) -> DialPlan:
    path = tmp_path / "lines.toml"
    path.write_text(text, "utf-8")
    return read_plan(path)


def test_without_a_file_one_line_takes_all() -> None:
    assert DialPlan().lines == (Line(name="default", numbers=("*",)),)


def test_what_a_line_says_is_read(tmp_path: Path) -> None:
    support = _read(tmp_path, GOOD).lines[0]
    assert (support.capacity, support.reserved, support.when_closed) == (20, 5, "human")
    assert support.targets == {"human": "tel:+493023125099"}
    assert support.hours is not None
    assert support.hours.zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[lines.a]\nnumbers = [", 2, "is not TOML"),
        ("[lines.a]\nnumbers = ['*']\nvoize = 'x'", 3, "voize is not known; there are: numbers"),
        ("[lines.a]\nnumbers = ['*']\ncapacity = 'x'", 3, "capacity: must be int"),
        ("[lines.a]\nnumbers = ['*']\ncapacity = 0", 3, "capacity: must be a whole number from 1"),
        ("[lines.a]\nbot = 'x'", 1, "[lines.a] needs numbers"),
        ("[lines.a]\nnumbers = ['030']\nblocked=['x']", 3, "'x' is no number"),
        ("[lines.a]\nnumbers = []", 2, "name at least one"),
        ("[lines.a]\nnumbers = ['*']\nhours = ['mon 8-9']\ntimezone = 'UTC'", 3, "mon 8-9"),
        ("[lines.a]\nnumbers = ['*']\nhours = []", 3, "need a timezone"),
        ("[lines.a]\nnumbers = ['*']\ntimezone = 'Mars/One'", 3, "Europe/Berlin"),
        ("[lines.a]\nnumbers = ['*']\nwhen_closed = 'x'", 3, "means nothing without hours"),
        ("[lines.a]\nnumbers = ['*']\ncapacity = 2\nreserved = 3", 4, "more than the capacity, 2"),
        ("[lines.a]\nnumbers = ['*']\nreserved = -1", 3, "from 0"),
        ("[lines.a]\nnumbers = ['*']\ndaily_budget = -1", 3, "greater than 0"),
        ("[lines.a]\nnumbers = ['*']\n[lines.b]\nnumbers = ['*']", 4, "* is [lines.a]'s"),
        ("[lines.'a b']\nnumbers = ['*']", 1, "letters, digits"),
        ("colour = 'red'\n[lines.a]\nnumbers = ['*']", 1, "colour is not known here"),
        ("", 1, "has no line"),
        ("lines = 3", 1, "has no line"),
        ("[lines]\na = 3", 1, "must be a table"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(PlanError) as error:
        _read(tmp_path, text)
    assert [w.line for w in error.value.wrong] == [line]
    assert says in error.value.wrong[0].what


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = "[lines.a]\nnumbers = ['x']\n[lines.b]\nnumbers = ['*']\ncapacity = 0\nreserved = -2\n"
    with pytest.raises(PlanError) as error:
        _read(tmp_path, text)
    assert [w.line for w in error.value.wrong] == [2, 5, 6]


def test_one_mistake_in_a_line_hides_no_other(tmp_path: Path) -> None:
    rows = ("[lines.a]", "numbers = ['*']", "[lines.b]", "numbers = ['*']", "x = 1", "y = 1")
    more = ("capacity = 'x'", "timezone = 'Mars'", "hours = ['x']", "reserved = -1")
    with pytest.raises(PlanError) as error:
        _read(tmp_path, "\n".join((*rows, *more)))
    assert [w.line for w in error.value.wrong] == [4, 5, 6, 7, 8, 10]


def test_what_only_others_can_check_is_told_with_its_line_too(tmp_path: Path) -> None:
    def check(line: Line) -> Iterator[tuple[str, str]]:
        if line.bot is not None:
            yield "bot", "there is no such file"

    path = tmp_path / "lines.toml"
    path.write_text(GOOD, "utf-8")
    with pytest.raises(PlanError) as error:
        read_plan(path, check)
    assert error.value.wrong == (Wrong(4, "bot: there is no such file"),)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^OFFHOOK_LINES: .*none\.toml cannot be read") as error:
        read_plan(tmp_path / "none.toml")
    assert "line 0" not in str(error.value)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "lines.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match="UTF-8"):
        read_plan(path)
