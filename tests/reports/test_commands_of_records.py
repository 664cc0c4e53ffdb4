"""`offhook calls`, `stats` and `export`, as a person sees them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from offhook.cli import app
from offhook.errors import UserError
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.schema import moments, tool_calls, transfers, turns, utterances
from offhook.store.vault import Vault, new_key
from support.made_calls import DAY, NOON, put, put_calls, row, said

KEY = new_key()
Run = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a database with three calls."""
    address = f"sqlite:///{tmp_path / 'records.sqlite3'}"
    asyncio.run(_fill(address))
    return address


async def _fill(address: str) -> None:
    vault = Vault(KEY)
    database = Database(address)
    await database.open()
    number: dict[str, Any] = {"caller_number": vault.seal("+493023125077")}
    number |= {"caller_hash": vault.hash("+493023125077")}
    await put_calls(
        database,
        [
            row("rtc_u1_one", **number),
            row("rtc_u1_two", NOON + DAY, reason="transferred", fault="bot", target="workshop",
                caller_number=None, caller_masked=None, caller_hash=None, cost_usd=1.5),
            row("rtc_u1_three", NOON + 2 * DAY, reason=None, fault=None, ended_at=None,
                phase="live", cost_usd=None, **number),
        ],
    )  # fmt: skip
    greeting = said("rtc_u1_one", 0, "Hello, this is ACME. How can I help?", at=NOON + 900)
    greeting |= {"who": "bot", "spoken_ms": 2400, "heard_ms": 1500}
    question = said("rtc_u1_one", 1, "Is the [bold]kettle[/] there?\x1b[31m", at=NOON + 3000)
    await put(database, utterances, [greeting, question])
    tool = {"call_id": "rtc_u1_one", "ref": "fc_1", "name": "lookup", "asked_at": NOON + 4000}
    tool |= {"ended_at": NOON + 4120, "outcome": "answered", "arguments": '{"q":1}'}
    await put(database, tool_calls, [tool | {"output": "in stock"}])
    tried = {"call_id": "rtc_u1_one", "n": 0, "target": "desk", "began_at": NOON + 6000}
    await put(database, transfers, [tried | {"outcome": "refused", "reason": "asks"}])
    await put(database, moments, [{"call_id": "rtc_u1_one", "n": 0, "at": NOON, "kind": "rang"}])
    turn = {"call_id": "rtc_u1_one", "item": "item_1", "n": 0, "stopped_at": NOON + 3900}
    await put(database, turns, [turn | {"latency_ms": 640}])
    await database.close()


@pytest.fixture
def run(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs a command in a terminal of so many columns."""
    monkeypatch.chdir(tmp_path)

    def _run(*words: str, width: int = 160, key: str = KEY, address: str = url) -> Result:
        settings = {"OFFHOOK_DATABASE_URL": address, "OFFHOOK_RECORDS_KEY": key}
        return CliRunner().invoke(app, words, env=settings | {"COLUMNS": str(width)})

    return _run


def printed(result: Result) -> str:
    assert result.exception is None, result.exception
    return "\n".join(line.rstrip() for line in result.stdout.splitlines())


def complaint(result: Result) -> str:
    assert isinstance(result.exception, UserError)
    return str(result.exception)


def audited(url: str) -> list[tuple[str, str | None]]:
    async def work() -> list[tuple[str, str | None]]:
        database = Database(url)
        entries = await Audit(database).entries()
        await database.close()
        return [(each.action, each.subject) for each in entries]

    return asyncio.run(work())


WIDE = """\
Rang (UTC)        Caller           Line           Bot   Length  End                      \
Fault   Said  Tools     Cost  Call
2026-11-25 12:00  +49 30 *****077  +493023125001  shop       -  live                     \
-          1      0        -  rtc_u1_three
2026-11-24 12:00  -                +493023125001  shop    1:00  transferred to workshop  \
bot        1      0    $1.50  rtc_u1_two
2026-11-23 12:00  +49 30 *****077  +493023125001  shop    1:00  caller hung up           \
caller     1      0  $0.0500  rtc_u1_one"""

NARROW = """\
Rang (UTC)        Caller           End                      Call
2026-11-25 12:00  +49 30 *****077  live                     rtc_u1_three
2026-11-24 12:00  -                transferred to workshop  rtc_u1_two
2026-11-23 12:00  +49 30 *****077  caller hung up           rtc_u1_one"""

ONE = """\
Call     rtc_u1_one
Rang     2026-11-23 12:00 UTC
Caller   +49 30 *****077
Line     +493023125001
Bot      shop, gpt-realtime (openai), en
End      caller hung up (fault: caller)
Length   1:00
Cost     $0.0500
Latency  640 ms (median of 1 turn)

0:00            rang
0:01  Bot       Hello, this is ACME. [not heard: How can I help?]
0:03  Caller    Is the [bold]kettle[/] there? [31m
0:04  Tool      lookup {"q":1} answered in 120 ms: in stock
0:06  Transfer  to desk (asks): refused"""

NUMBERS = """\
Calls                           3
Live now                        1
Answered               3 (100.0%)
Transfers that worked    0 (0.0%)
Ended by a fault                0
Average length               1:00
Longest                      1:00
Cost                        $1.55

End             Calls
none yet            1
caller hung up      1
transferred         1

All            Calls    Cost  Turn p50     p95     p99  Word p50     p95
all                3  $1.55+    640 ms  640 ms  640 ms    900 ms  900 ms"""

DAYS = """\
Day            Calls     Cost  Turn p50     p95     p99  Word p50     p95
2026-11-23         1  $0.0500    640 ms  640 ms  640 ms    900 ms  900 ms
2026-11-24         1    $1.50         -       -       -    900 ms  900 ms
2026-11-25         1        -         -       -       -    900 ms  900 ms"""


@pytest.mark.parametrize(
    ("words", "width", "golden"),
    [
        (["calls"], 160, WIDE),
        (["calls"], 80, NARROW),
        (["calls", "show", "rtc_u1_one"], 100, ONE),
        (["stats"], 100, NUMBERS),
        (["stats", "--by", "day"], 100, DAYS),
        (["calls", "--reason", "bug"], 80, "No calls."),
    ],
)
def test_what_is_printed(run: Run, words: list[str], width: int, golden: str) -> None:
    assert printed(run(*words, width=width)) == golden


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--since", "2026-11-24"], ["rtc_u1_three", "rtc_u1_two"]),
        (["--until", "2026-11-24"], ["rtc_u1_one"]),
        (["--number", "030 23125 077"], []),
        (["--number", "+49 30 23125-077"], ["rtc_u1_three", "rtc_u1_one"]),
        (["--reason", "transferred"], ["rtc_u1_two"]),
        (["--fault", "caller"], ["rtc_u1_one"]),
        (["--line", "+493023125001", "--limit", "1"], ["rtc_u1_three"]),
        (["--text", "kettle"], ["rtc_u1_one"]),
        (["--live"], ["rtc_u1_three"]),
    ],
)
def test_every_option_narrows_the_list(run: Run, words: list[str], found: list[str]) -> None:
    answer = json.loads(printed(run("calls", *words, "--json")))
    assert [each["call_id"] for each in answer["items"]] == found


@pytest.mark.parametrize(
    "words", [["--number", "+49 30 23125-077"], ["--text", "kettle"], ["--live"], ["--since", "7d"]]
)
def test_figures_and_exports_are_narrowed_by_the_same_options(run: Run, words: list[str]) -> None:
    listed = len(json.loads(printed(run("calls", *words, "--json")))["items"])
    assert json.loads(printed(run("stats", *words, "--json")))["stats"]["calls"] == listed
    assert len(printed(run("export", "--format", "jsonl", *words)).splitlines()) == listed


def test_json_goes_on_with_a_cursor(run: Run) -> None:
    first = json.loads(printed(run("calls", "--limit", "2", "--json")))
    rest = json.loads(printed(run("calls", "--cursor", first["next"], "--json")))
    assert [each["call_id"] for each in rest["items"]] == ["rtc_u1_one"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("words", "words_of_help"),
    [
        (["calls", "--since", "soon"], "It takes a date such as 2026-11-22"),
        (["calls", "--reason", "boredom"], "It takes caller_hung_up, "),
        (["calls", "--fault", "mine"], "It takes caller, bot, us, "),
        (["calls", "--number", "ann"], "that is no phone number"),
        (["calls", "--text", ""], "--text: there is no word in it"),
        (["stats", "--text", "?!"], "--text: there is no word in it"),
        (["calls", "--cursor", "x"], "This cursor is broken"),
        (["calls", "show", "rtc_0"], "There is no record of a call rtc_0"),
        (["stats", "--by", "moon"], "It takes model, line or day"),
        (["export", "--format", "xls"], "It takes csv, jsonl, parquet"),
        (["export", "--format", "parquet"], "--output"),
        (["export", "--output", "no/such/folder.csv"], "cannot be written"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(run: Run, words: list[str], words_of_help: str) -> None:
    assert words_of_help in complaint(run(*words))


def test_records_that_are_off_or_not_there_are_told(run: Run) -> None:
    assert "no records are kept" in complaint(run("calls", address="off"))
    assert "There are no records yet" in complaint(run("calls", address="sqlite:///none.db"))


def test_numbers_are_shown_only_when_revealed_and_that_is_noted(run: Run, url: str) -> None:
    assert "+493023125077" not in printed(run("calls"))
    assert audited(url) == []
    assert printed(run("calls", "--reveal")).count("+493023125077") == 2
    assert "Caller   +493023125077" in printed(run("calls", "show", "rtc_u1_one", "--reveal"))
    assert audited(url) == [("number.revealed", "rtc_u1_one"), ("number.revealed", None)]


def test_to_reveal_needs_the_key(run: Run) -> None:
    assert "OFFHOOK_RECORDS_KEY" in complaint(run("calls", "--reveal", key=new_key()))
    assert "OFFHOOK_RECORDS_KEY" in complaint(
        run("calls", "show", "rtc_u1_one", "--reveal", key="")
    )


def test_a_call_as_json_has_all_its_parts(run: Run) -> None:
    record: dict[str, Any] = json.loads(printed(run("calls", "show", "rtc_u1_one", "--json")))
    assert record["call"]["call_id"] == "rtc_u1_one"
    assert record["transcript"][0]["unheard"] == "How can I help?"
    assert "+493023125077" not in json.dumps(record)


def test_stats_as_json_have_everything(run: Run) -> None:
    answer = json.loads(printed(run("stats", "--by", "model", "--json")))
    assert answer["stats"]["calls"] == 3
    assert {each["measure"] for each in answer["latency"]} >= {"latency", "accept", "first_word"}
    assert answer["costs"][0]["group"] == "gpt-realtime"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_is_one_file_without_numbers(run: Run, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"calls.{form}"
    told = printed(run("export", "--format", form, "--output", str(file), width=400))
    assert told.startswith("3 calls in ")
    assert b"rtc_u1_two" in file.read_bytes()
    assert b"+493023125077" not in file.read_bytes()
    assert [each.name for each in tmp_path.glob("*.part")] == []


def test_an_export_goes_to_standard_output_without_a_file(run: Run, url: str) -> None:
    lines = printed(run("export", "--since", "2026-11-24", "--reveal")).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith(",caller_number")
    assert audited(url) == [("number.revealed", None)]


def test_an_export_that_fails_leaves_no_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    assert complaint(run("export", "--output", str(file), "--reveal", key=new_key()))
    assert sorted(each.name for each in tmp_path.glob("calls*")) == []
