"""How long a caller waited and what the call cost, from the frames to the records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook import tool
from offhook.simulator import CallsTools, HangsUp, Hears, Replies, Says, Script
from offhook.store import schema
from offhook.store.database import Database
from offhook.store.prices import list_prices
from support.records import rows, the_call
from support.serving import order_of, plain_bot, serving

DEAR = """
date = 2026-11-22
[models."gpt-realtime-2.1"]
text = { in = 10000.0, cached = 10000.0, out = 10000.0 }
audio = { in = 10000.0, cached = 10000.0, out = 10000.0 }
"""


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with which records are kept."""
    return {"OFFHOOK_DATABASE_URL": database_url, "OFFHOOK_SPOOL_DIR": str(tmp_path / "spool")}


@pytest.fixture
def dear(tmp_path: Path) -> str:
    """A file of prices with which one answer costs dollars."""
    path = tmp_path / "dear.toml"
    path.write_text(DEAR, encoding="utf-8")
    return str(path)


@tool
async def stock(product: str) -> str:
    """Look up the stock of a product."""
    return f"three of {product}"


async def test_turns_usage_and_cost_are_on_record(env: dict[str, Any], database: Database) -> None:
    async with serving(plain_bot(tools=[stock]), **env) as service:
        call = await service.talk(
            Hears(),
            Says("How many lamps are there?"),
            Hears("three"),
            Says("Thanks."),
            Hears("welcome"),
            HangsUp(),
            model=(
                CallsTools(("stock", {"product": "lamp"})),
                Replies("There are three."),
                Replies("You are welcome."),
            ),
        )
        usage = service.record(call).usage
        bill = service.app.state.tariff.bill(usage)
        assert service.counted("offhook_turn_latency_seconds_count") == 2
        assert service.counted("offhook_turn_tools_seconds_count") == 1
        assert service.counted("offhook_ring_to_attach_seconds_count") == 1
        assert service.counted("offhook_cost_usd_total") == pytest.approx(bill.known)
        (line,) = service.log.of("ended", call_id=call.call_id)
    with_tool, plain = sorted(await rows(database, schema.turns), key=lambda row: row["n"])
    for turn in (with_tool, plain):
        assert turn["speech_ended_at"] == turn["stopped_at"] - 500
        assert turn["stopped_at"] <= turn["response_at"] <= turn["audio_at"]
        assert abs(turn["latency_ms"] - (turn["audio_at"] - turn["speech_ended_at"])) <= 1
        assert turn["own_ms"] < 500
    assert with_tool["tool_ms"] is not None
    assert plain["tool_ms"] is None
    used = await rows(database, schema.usage)
    spoken = [row for row in used if row["kind"] == "response"]
    assert sum(row["audio_out"] for row in spoken) == usage.responses.audio_out > 0
    assert {row["model"] for row in spoken} == {"gpt-realtime-2.1"}
    heard = [row for row in used if row["kind"] == "transcription"]
    assert len(heard) == 2
    assert sum(row["seconds"] for row in heard) == usage.seconds > 0
    row = await the_call(database, call.call_id)
    assert row["cost_usd"] == pytest.approx(bill.known)
    assert row["known_usd"] == row["cost_usd"] > 0
    assert row["prices"] == list_prices().edition
    assert line["cost_usd"] == round(bill.known, 4)


async def test_the_cost_of_a_deployment_is_unknown_until_it_is_said_what_it_is(
    env: dict[str, Any], database: Database
) -> None:
    told = "gpt-realtime-whisper=gpt-realtime-whisper"
    async with serving(profile="azure", OFFHOOK_PRICED_AS=told, **env) as service:
        name = service.cloud.deployments[0]
        unknown = await service.talk(Hears(), HangsUp())
        assert service.app.state.tariff.unknown == (name,)
    row = await the_call(database, unknown.call_id)
    assert (row["cost_usd"], row["known_usd"]) == (None, 0.0)
    told += f",{name}=gpt-realtime-2.1"
    async with serving(profile="azure", OFFHOOK_PRICED_AS=told, **env) as service:
        known = await service.talk(Hears(), HangsUp())
    assert (await the_call(database, known.call_id))["cost_usd"] > 0


async def test_once_the_budget_is_spent_new_calls_are_refused_and_live_ones_go_on(
    env: dict[str, Any], database: Database, dear: str
) -> None:
    env |= {"OFFHOOK_PRICES": dear, "OFFHOOK_DAILY_BUDGET": "0.5", "OFFHOOK_BUDGET_CODE": "480"}
    async with serving(**env) as service:
        script = Script(
            steps=(Hears(), Says("Hello?"), Hears("here"), HangsUp()),
            model=(Replies("I am here."),),
        )
        live = await service.ring(script)
        await live.reached("bot_said")
        await service.log.reached("most of the daily budget is spent")
        late = await service.ring()
        await service.ended(late)
        await service.over(live)
        assert [mark.detail["status_code"] for mark in late.marks("reject")] == [480]
        assert order_of(late, "accept", "attach", "reject", "hangup") == ["reject"]
        assert service.counted("offhook_calls_refused_total", reason="over_budget") == 1
        assert service.counted("offhook_webhook_deliveries_total", result="refused") == 1
        assert service.record(live).end is not None
    row = await the_call(database, late.call_id)
    assert (row["phase"], row["reason"], row["fault"]) == ("ended", "over_budget", "configuration")
    assert row["detail"].endswith("of $0.50 spent today")
    assert row["cost_usd"] == 0.0
    assert (await the_call(database, live.call_id))["reason"] == "caller_hung_up"
    async with serving(**env) as service:  # another replica, or the next life of this one
        again = await service.ring()
        assert (await service.ended(again))["reason"] == "over_budget"


async def test_without_a_budget_nobody_is_refused(dear: str) -> None:
    async with serving(OFFHOOK_PRICES=dear) as service:
        await service.talk(Hears(), HangsUp())
        end = await service.ended(await service.talk(Hears(), HangsUp()))
        assert end["reason"] == "caller_hung_up"


async def test_a_refused_call_keeps_no_journal(dear: str, tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    async with serving(
        OFFHOOK_PRICES=dear,
        OFFHOOK_DAILY_BUDGET="0.01",
        OFFHOOK_JOURNAL="1",
        OFFHOOK_JOURNAL_DIR=str(journals),
    ) as service:
        await service.talk(Hears(), HangsUp())
        late = await service.ring()
        assert (await service.ended(late))["reason"] == "over_budget"
    assert len(list(journals.iterdir())) == 1
