"""`offhook route` and `offhook outage`, as people use them."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from offhook.bot import Bot
from offhook.config import Settings, load
from offhook.core.end import EndReason
from offhook.errors import UserError
from offhook.routing import as_json, as_text, route
from offhook.store import schema
from offhook.store.database import Database
from offhook.store.switches import Switch, read_switch, write_switch
from offhook.store.upserts import Upserts
from offhook.store.vault import Vault
from offhook.switching import describe, seconds, status, switch
from support.process import offhook
from support.records import call_fact, rows

BOT = Bot("Be brief.", name="shop-bot", targets={"support": "tel:+493023125001"})
LINES = """
[lines.shop]
numbers = ["+493023125000", "+4930231251*"]
language = "de"
targets = { night = "tel:+493023125098" }
timezone = "Europe/Berlin"
hours = ["mon-fri 08:00-18:00"]
when_closed = "night"

[lines.office]
numbers = ["+493023126*"]
timezone = "Europe/Berlin"
hours = ["mon-fri 08:00-18:00"]
blocked = ["+15550166"]
calls_per_hour = 2
daily_minutes = 10
"""
NIGHT = """\
+15550142 calls +493023125000 at 2026-12-24T19:00+01:00

  no_line    ok
  outage     ok
  capacity   ok
  rate       ok
  blocked    ok
  anonymous  ok
> hours      closed: out of hours
  minutes    ok
  money      ok

line       shop
bot        shop-bot, voice marin, language de
targets    support (tel:+493023125001), night (tel:+493023125098)
records    none, so nothing is known of live calls, frequent callers and spending
outcome    accepted and transferred to night at once (closed)"""
BLOCKED = """\
+15550166 calls +493023126001 at 2026-12-24T19:00+01:00

  no_line    ok
  outage     ok
  capacity   ok
  rate       ok
> blocked    blocked 603: by +15550166
  anonymous  ok
  hours      closed 480: out of hours
  minutes    ok
  money      ok

line       office
bot        shop-bot, voice marin, language en
targets    support (tel:+493023125001)
records    none, so nothing is known of live calls, frequent callers and spending
outcome    rejected with 603 (blocked)"""
NOBODY = """\
a withheld number calls +15550100 at 2026-12-24T19:00+00:00

> no_line    no_line 404: no line has this number
  outage     ok
  capacity   ok
  rate       ok
  blocked    ok
  anonymous  ok
  hours      ok
  minutes    ok
  money      ok

records    none, so nothing is known of live calls, frequent callers and spending
outcome    rejected with 404 (no_line)"""


def settings(tmp_path: Path, **env: str) -> Settings:
    path = tmp_path / "lines.toml"
    path.write_text(LINES, "utf-8")
    given = {"OFFHOOK_LINES": str(path), "OFFHOOK_DATABASE_URL": "off", **env}
    return load(None, given, serving=False)


@pytest.mark.parametrize(
    ("called", "caller", "text"),
    [
        ("+49 30 23125-000", "+15550142", NIGHT),
        ("+493023126001", "+15550166", BLOCKED),
        ("+15550100", "anonymous", NOBODY),
    ],
)
async def test_it_says_what_each_rule_says_and_what_comes_of_it(
    tmp_path: Path, called: str, caller: str, text: str
) -> None:
    told = await route(settings(tmp_path), BOT, called, caller, at="2026-12-24 19:00")
    assert as_text(told) == text


async def test_by_day_the_call_comes_in(tmp_path: Path) -> None:
    told = await route(settings(tmp_path), BOT, "+493023125100", "+15550142", at="2026-12-24T12:00")
    assert (told.outcome, told.line, told.reason, told.code) == ("accept", "shop", None, None)
    assert all(rule.says == "ok" for rule in told.rules)


async def test_as_json_it_is_one_object_with_the_same_in_it(tmp_path: Path) -> None:
    told = await route(settings(tmp_path), BOT, "+493023126001", "+15550166", at="2026-12-24 19:00")
    data: dict[str, Any] = json.loads(as_json(told))
    assert (data["outcome"], data["code"], data["reason"]) == ("reject", 603, "blocked")
    deciding = [rule for rule in data["rules"] if rule["decides"]]
    assert [rule["rule"] for rule in deciding] == ["blocked"]
    assert data["targets"] == {"support": "tel:+493023125001"}


async def test_it_reads_what_the_records_tell(
    tmp_path: Path, database_url: str, database: Database
) -> None:
    now = round(time.time() * 1000)
    let_in: dict[str, Any] = {
        "line": "office",
        "caller_hash": Vault(None).hash("+15550142"),
        "rang_at": now - 1000,
        "accepted_at": now - 1_000_000,
        "ended_at": now,
    }
    await Upserts(database).write([call_fact(call_id=f"rtc_{n}", **let_in) for n in range(2)])
    await write_switch(database, Switch(on=True, since=now, by="ann"))
    own = settings(tmp_path, OFFHOOK_DATABASE_URL=database_url)
    told = await route(own, BOT, "+493023126001", "+15550142")
    says = {rule.rule: rule.says for rule in told.rules}
    assert told.records == "read"
    assert says["outage"] == EndReason.OUTAGE
    assert says["rate"] == EndReason.TOO_MANY_CALLS
    assert says["minutes"] == EndReason.OVER_MINUTES


async def test_it_makes_no_database_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite3"
    own = settings(tmp_path, OFFHOOK_DATABASE_URL=f"sqlite:///{path}")
    assert (await route(own, BOT, "+493023125000", "+15550142")).records == "none"
    assert not path.exists()


async def test_what_nobody_can_dial_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'nonsense' is no number to dial"):
        await route(settings(tmp_path), BOT, "nonsense", "+15550142")


async def test_a_time_that_is_none_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"2026-12-24 19:00"):
        await route(settings(tmp_path), BOT, "+493023125000", "+15550142", at="noon")


@pytest.mark.parametrize(("text", "length"), [("30m", 1800), ("1h30m", 5400), ("45s", 45)])
def test_a_length_of_time_is_read(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "30", "m", "half an hour", "-5m"])
def test_what_is_no_length_of_time_is_explained(text: str) -> None:
    with pytest.raises(UserError, match="30m or 1h30m"):
        seconds(text)


def test_a_switch_is_told_in_words() -> None:
    on = Switch(on=True, since=0, until=60_000, by="ann", reason="the cloud is down")
    assert describe(on, 1) == (
        "Outage mode is on since 1970-01-01 00:00:00 UTC by ann, "
        "until 1970-01-01 00:01:00 UTC: the cloud is down"
    )
    assert describe(on, 60_000).endswith("when its time was over.")
    assert describe(Switch(), 1) == "Outage mode is off."


async def test_the_switch_is_put_for_all_replicas_and_noted_in_the_audit_log(
    tmp_path: Path, database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFHOOK_DATABASE_URL", database_url)
    none = Path(tmp_path, "none.env")
    await asyncio.to_thread(none.touch)
    assert "Outage mode is on" in await switch(none, on=True, lasting="30m", reason="a test")
    put = await read_switch(database)
    assert (put.on, put.reason, put.until) == (True, "a test", put.since + 1_800_000)
    assert "a test" in await status(none)
    await switch(none, on=False)
    assert "Outage mode is off" in await status(none)
    noted = [row["action"] for row in await rows(database, schema.audit)]
    assert noted == ["outage.on", "outage.off"]


async def test_without_a_database_the_command_says_what_there_is_to_do(tmp_path: Path) -> None:
    env = {"OFFHOOK_DATABASE_URL": "off"}
    async with offhook("outage", "status", env=env, cwd=tmp_path) as process:
        assert await process.ended() == 2
    assert "OFFHOOK_DATABASE_URL is off" in process.text


async def test_a_server_does_not_start_with_wrong_lines_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "lines.toml").write_text("[lines.a]\nnumbers = ['*']\nbot = 'no.py'\n", "utf-8")
    env = {"OFFHOOK_LINES": "lines.toml", "TEST_MODE": "1", "OPENAI_API_KEY": "k"}
    async with offhook("serve", env=env, cwd=tmp_path) as process:
        assert await process.ended() == 2
    assert process.text == "lines.toml, line 3: bot: There is no file no.py."
