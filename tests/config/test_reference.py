"""The reference is complete, and what it says is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from offhook.config import Entry, fields, load, table
from offhook.config.endpoint import derive
from offhook.config.env_file import read_env_file
from offhook.errors import SettingsError

EXAMPLE_FILE = Path(__file__).parents[2] / ".env.example"
# The names of the TypeScript bot, so that its `.env` works here unchanged.
KEPT = {
    "OPENAI_API_KEY",
    "OPENAI_WEBHOOK_SECRET",
    "REALTIME_MODEL",
    "REALTIME_VOICE",
    "SIP_TARGET_URI",
    "PORT",
    "OPENAI_BASE",
    "REALTIME_WS_BASE",
    "REALTIME_API_VERSION",
    "TEST_MODE",
    "LOG_FORMAT",
}


def at_fault(name: str, value: str) -> bool:
    roomy = {"OFFHOOK_RING_BUDGET_MS": "30000", "OFFHOOK_MAX_CALL_MINUTES": "60"}
    try:
        load(None, roomy | {name: value}, serving=False)
    except SettingsError as error:
        return any(problem.setting == name for problem in error.problems)
    return False


@pytest.mark.parametrize("each", fields(), ids=lambda each: each.name)
def test_every_setting_has_a_meaning_a_default_and_an_example(each: Entry) -> None:
    assert each.meaning
    assert not each.meaning.endswith(".")
    assert bool(each.default) != bool(each.unset)
    assert each.example
    assert each.accepts != "a text"


@pytest.mark.parametrize("each", fields(), ids=lambda each: each.name)
def test_every_default_and_every_example_is_accepted(each: Entry) -> None:
    example = each.example.replace("...", "Zm9v")
    semantic = {"OFFHOOK_VAD": "semantic"} if each.name == "OFFHOOK_VAD_EAGERNESS" else {}
    azure = {"OPENAI_BASE": "https://my-resource.openai.azure.com"}
    cloud = azure if each.name in {"OFFHOOK_PROVIDER", "REALTIME_WS_BASE"} else {}
    load(None, {each.name: example} | semantic | cloud, serving=False)
    load(None, {each.name: each.default}, serving=False)


def test_a_default_written_out_is_the_default() -> None:
    written = {each.name: each.default for each in fields()}
    assert load(None, written, serving=False) == load(None, {}, serving=False)


NUMBERS = [
    pytest.param(each.name, *found.groups(), id=each.name)
    for each in fields()
    if (found := re.search(r"number from ([\d.]+) to ([\d.]+)", each.accepts))
]


@pytest.mark.parametrize(("name", "low", "high"), NUMBERS)
def test_a_range_is_accepted_to_its_ends_and_no_further(name: str, low: str, high: str) -> None:
    assert not at_fault(name, high)
    assert not at_fault(name, low)
    assert at_fault(name, f"{float(high) + 1:g}")
    assert at_fault(name, f"{float(low) - 1:g}")


def test_names_are_unique_and_new_ones_begin_with_ours() -> None:
    names = [each.name for each in fields()]
    assert len(names) == len(set(names))
    assert {name for name in names if not name.startswith("OFFHOOK_")} == KEPT


def test_a_field_is_found_where_its_entry_says() -> None:
    settings = load(None, {}, serving=False)
    for each in fields():
        group, field = each.field.split(".")
        assert hasattr(getattr(settings, group), field)


def test_the_table_has_one_whole_row_per_setting() -> None:
    head, rule, *rows = table().splitlines()
    assert (head, rule) == ("| Setting | Default | Meaning |", "|---|---|---|")
    assert [row.split("`")[1] for row in rows] == [each.name for each in fields()]
    assert all(row.replace("\\|", "").count("|") == 4 for row in rows)
    assert "| `PORT` | `8000` | The port to listen on; 0 takes a free one." in table()


def test_the_example_file_lacks_nothing_but_the_secrets() -> None:
    with pytest.raises(SettingsError) as caught:
        load(EXAMPLE_FILE, {})
    missing = [problem.setting for problem in caught.value.problems]
    assert missing == ["OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET"]


def test_the_example_file_knows_only_settings_and_shows_both_clouds() -> None:
    text = EXAMPLE_FILE.read_text(encoding="utf-8")
    as_given, problems = read_env_file(EXAMPLE_FILE)
    assert problems == []
    assert as_given.keys() <= {each.name for each in fields()}
    commented = dict(re.findall(r"^# ([A-Z_]+)=(.+)$", text, flags=re.MULTILINE))
    assert derive(commented["OPENAI_BASE"]).provider == "azure"
    assert commented.keys() <= as_given.keys()
