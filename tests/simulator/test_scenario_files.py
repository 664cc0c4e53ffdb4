"""Scenario files: what they say is what is played, and a mistake is named with its line."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from offhook.simulator import (
    CallsTools,
    FailsWith,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Silent,
    StopsShort,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.scenario import ScenarioError, parse, read
from offhook.simulator.shelf import catalogue, find
from offhook.simulator.toml_lines import Path as KeyPath
from offhook.simulator.toml_lines import line_of, lines


def test_the_caller_does_what_is_written_in_order() -> None:
    scenario = parse(
        """
title = "All verbs"
caller = [
    "listens",
    { listens_for = "help", at_most_s = 3 },
    { says = "Hello", after_s = 2 },
    { says = "Stop", over_bot_ms = 900, lasts_s = 1.5, heard_as = "Shop" },
    { says = "And", during_tool = "lookup_order" },
    { says = "Noise", never_stops = true },
    { presses = "1 2 #", gap_s = 0.1 },
    { waits_s = 2 },
    { waits_for = "attach", times = 2 },
    "loses the sideband",
    { loses_sideband_s = 3 },
    "hangs up",
]
""",
        "verbs",
    )
    assert list(scenario.script.steps) == [
        Hears(),
        Hears("help", 3.0),
        Says("Hello", after_ms=2000),
        Says("Stop", over=True, after_ms=900, seconds=1.5, transcript="Shop"),
        WaitsForTool("lookup_order"),
        Says("And"),
        Says("Noise", stops=False),
        Presses("12#", 0.1),
        Waits(2.0),
        WaitsFor("attach", 2),
        LosesSideband(),
        LosesSideband(3.0),
        HangsUp(),
    ]


def test_the_model_does_what_is_written_in_order() -> None:
    scenario = parse(
        """
title = "All acts"
model = [
    { says = "Hello", when_asked = "hi", always = true },
    { tells = "It is {status}." },
    { says = "One moment.", calls = "lookup_order", with = { order_number = "1" } },
    { calls = [{ tool = "a", with = { x = 1 } }, { tool = "b", with_text = "{" }] },
    { fails = "server_error", when_ordered = true },
    { stops_short = "We sell", because = "content_filter" },
    "says nothing",
    "fails",
]
""",
        "acts",
    )
    assert list(scenario.script.model) == [
        Replies("Hello", to="hi", repeat=True),
        Replies(from_tool="It is {status}."),
        CallsTools(("lookup_order", {"order_number": "1"}), preamble="One moment."),
        CallsTools(("a", {"x": 1}), ("b", "{")),
        FailsWith("server_error", ordered=True),
        StopsShort("We sell", "content_filter"),
        Silent(),
        FailsWith(),
    ]


def test_the_rest_of_the_file_is_read() -> None:
    scenario = parse(
        """
title = "The rest"
from = "withheld"
to = "+493023125199"
name = "Ann"
headers = { X-Ticket = "7" }
starts = "ringing"
[cloud]
refer = ["silent", 500]
duplicate_webhooks = 2
[bot]
language = "de"
slow_tools_s = 1
[must]
tools = [{ called = "a", with = { x = 1 }, times = 2 }]
""",
        "rest",
    )
    assert scenario.caller is None
    assert scenario.called == "+493023125199"
    assert scenario.caller_name == "Ann"
    assert scenario.headers == (("X-Ticket", "7"),)
    assert scenario.script.starts == "ringing"
    assert scenario.faults.refer == ("silent", 500)
    assert scenario.faults.duplicate_webhooks == 2
    assert (scenario.bot.language, scenario.bot.slow_tools_s) == ("de", 1.0)
    assert scenario.must.tools[0].with_ == {"x": 1}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("title = 'x'\ncaler = []", 2, "did you mean 'caller'?"),
        ("title = 'x'\ncaller = [\n  'listens',\n  { sais = 'x' },\n]", 4, "did you mean 'says'?"),
        ("title = 'x'\ncaller = [\n  'listen',\n]", 3, "words here are 'listens', 'hangs up'"),
        ("title = 'x'\ncaller = [{ says = 1 }]", 2, "expected `str"),
        ("title = 'x'\ncaller = [{ says = 'a', presses = '1' }]", 2, "says and presses"),
        ("title = 'x'\ncaller = [\n\n{ over_bot_ms = 9 }]", 4, "there is none"),
        ("title = 'x'\nmodel = [{ call = 'x' }]", 2, "did you mean 'calls'?"),
        ("title = 'x'\nmodel = [{ calls = 'x', fails = 'y' }]", 2, "calls and fails"),
        ("title = 'x'\nmodel = [{ calls = [{ tol = 'x' }] }]", 2, "did you mean 'tool'?"),
        ("title = 'x'\nmodel = [{ calls = [{ tool = 'x' }], with = { a = 1 } }]", 2, "its own"),
        (
            "title = 'x'\ncaller = [{ presses = '1', over_bot_ms = 2 }]",
            2,
            "means nothing with presses",
        ),
        ("title = 'x'\ncaller = [{ says = 'a', after_s = 1, over_bot_ms = 2 }]", 2, "not both"),
        (
            "title = 'x'\nmodel = [{ says = 'a', with = { b = 1 } }]",
            2,
            "with means nothing with says",
        ),
        ("title = 'x'\n[cloud]\n# c\nrefers = 500", 4, "did you mean 'refer'?"),
        ("title = 'x'\n[cloud]\nduplicate_webhooks = 'two'", 3, "expected `int`"),
        ("title = 'x'\n[must]\nended = 'hung_up'", 3, "invalid enum value 'hung_up'"),
        ("title = 'x'\n[must]\nsays = ['x']", 3, "did you mean 'said'?"),
        ("title = 'x'\n[must]\ntools = [\n  { caled = 'x' },\n]", 4, "did you mean 'called'?"),
        ("title = 'x'\n[bot]\nlang = 'de'", 3, "did you mean 'language'?"),
        ("caller = []", 1, "missing: `title`"),
        ("title = 'x'\ncaller = [", 2, "this is not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(text: str, line: int, told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(text, "x", "my.toml")
    assert str(caught.value).startswith(f"my.toml:{line}: ")
    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read(tmp_path / "none.toml")


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(ScenarioError, match="did you mean order-status"):
        find("ordr-status")


def test_the_catalogue_is_large_and_each_scenario_says_what_it_is_about() -> None:
    assert len(catalogue()) >= 25
    for scenario in catalogue().values():
        assert scenario.title
        assert scenario.about
        assert scenario.must.ended is not None


def paths(value: Any, at: KeyPath = ()) -> list[KeyPath]:
    found = [at] if at else []
    match value:
        case dict():
            found += [path for key, each in value.items() for path in paths(each, (*at, key))]
        case list():
            found += [path for n, each in enumerate(value) for path in paths(each, (*at, n))]
    return found


def texts() -> list[Any]:
    folder = resources.files("offhook.simulator") / "catalogue"
    return [pytest.param(f.read_text("utf-8"), id=f.name) for f in folder.iterdir()]


@pytest.mark.parametrize("text", texts())
def test_every_key_has_a_line_on_which_it_stands(text: str) -> None:
    found, written = lines(text), text.splitlines()
    for path in paths(tomllib.loads(text)):
        assert path in found
        if isinstance(path[-1], str):
            assert path[-1] in written[found[path] - 1]


def test_lines_are_found_in_all_that_toml_allows() -> None:
    text = '''# a comment with [brackets] and "quotes
"a key".b = 1 # [no]
many = """
not = "a key"
"""
raw = 'c:\\[x]'
[[list]]
x = [ # comment ]
  1, 2,
  { y = "]" }, ]
[[list]]
x = 2021-01-01 00:00:00
[list.deep]
z = '\''{'\''
'''
    found = lines(text)
    for path in paths(tomllib.loads(text)):
        assert path in found, path
    assert found["a key", "b"] == 2
    assert found["list", 0, "x", 2, "y"] == 10
    assert found["list", 1, "x"] == 12
    assert found["list", 1, "deep", "z"] == 14
    assert line_of(found, ("list", 1, "nowhere")) == 11
