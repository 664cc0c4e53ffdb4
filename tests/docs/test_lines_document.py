"""The documents of lines and admission: the file works, every key, rule, code and count is in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhook.admission import RULES, Codes, Load, Seen
from offhook.bot import Bot
from offhook.config import load
from offhook.core.end import Refused
from offhook.core.party import Party
from offhook.dialplan import Line, PlanError
from offhook.dialplan.reading import _Written
from offhook.observe.metrics import Metrics
from offhook.runtime.directory import Directory
from offhook.runtime.planning import Planner
from support.documents import ROOT, blocks, first_cells

LINES = (ROOT / "docs" / "lines.md").read_text("utf-8")
ADMISSION = (ROOT / "docs" / "admission.md").read_text("utf-8")
TROUBLE = Seen(
    line=Line(name="a", blocked=("*",), anonymous=False, calls_per_hour=1),
    outage="x",
    load=Load(1, 1),
    calls=1,
    open=False,
    over_minutes="x",
    over_budget="x",
)


def planner(tmp_path: Path, text: str) -> Planner:
    path = tmp_path / "lines.toml"
    path.write_text(text, "utf-8")
    settings = load(None, {"OFFHOOK_LINES": str(path)}, serving=False)
    return Planner(Bot("Be brief."), settings)


def test_the_file_that_is_shown_works(tmp_path: Path) -> None:
    (shown,) = blocks(LINES, "toml")
    planned = planner(tmp_path, shown).read()
    directory = Directory(planned.plan, planned.lines)
    assert list(directory.lines) == ["support", "sales", "everything-else"]
    found = [directory.find(n) for n in ("+493023125177", "+493023125200", "+15550100", None)]
    names = [line.plan.name for line in found if line]
    assert names == ["support", "sales", "everything-else", "everything-else"]


def test_every_key_of_the_file_is_explained() -> None:
    explained = {row[0] for row in first_cells(LINES, "Key")}
    assert explained == set(_Written.__struct_fields__)


def test_the_mistakes_that_are_shown_are_told_like_that(tmp_path: Path) -> None:
    (shown,) = blocks(LINES, "text")
    text = "[lines.a]\nnumbers = ['*']\nbot = 'no.py'\n[lines.b]\nnumbers = ['112']\n"
    text += "targets = { human = 'tel:+493023125099', night = 'tel:+493023125098' }\n"
    text += "timezone = 'UTC'\nhours = []\nwhen_closed = 'nihgt'\n"
    with pytest.raises(PlanError) as error:
        planner(tmp_path, text).read()
    told = str(error.value).replace(f"{tmp_path}/", "")
    assert told == shown.strip()


def test_the_rules_are_listed_in_order_with_their_codes_and_reasons() -> None:
    rows = first_cells(ADMISSION, "Order")
    assert [row[0] for row in rows] == [str(n + 1) for n in range(len(RULES))]
    assert [row[1] for row in rows] == [rule.__name__ for rule in RULES]
    for row, rule in zip(rows, RULES, strict=True):
        verdict = None
        for seen in (TROUBLE, Seen(line=None), caller_of("+15550142")):
            verdict = verdict or rule(seen)
        assert isinstance(verdict, Refused)
        assert (row[3], row[4]) == (str(verdict.code), str(verdict.reason))


def caller_of(number: str) -> Seen:
    plan = Line(name="a", blocked=("*",), calls_per_hour=1)
    return Seen(line=plan, caller=Party(number), calls=1, codes=Codes())


def test_every_metric_that_is_named_exists() -> None:
    names = {metric.name for metric in Metrics().registry.collect()}
    for named in set(re.findall(r"`(offhook_\w+)", LINES + ADMISSION)):
        assert named.removesuffix("_total") in names


def test_codes_are_those_of_the_settings() -> None:
    own = load(None, {}, serving=False).admission
    assert Codes() == Codes(
        own.no_line_code,
        own.outage_code,
        own.capacity_code,
        own.rate_code,
        own.blocked_code,
        own.anonymous_code,
        own.closed_code,
        load(None, {}, serving=False).costs.budget_code,
    )
