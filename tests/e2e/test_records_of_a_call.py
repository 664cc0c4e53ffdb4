"""Whole calls against the simulator leave the right records, in either database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook import tool
from offhook.simulator import (
    CallsTools,
    HangsUp,
    Hears,
    Replies,
    Says,
)
from offhook.store import schema
from offhook.store.database import Database
from support.records import rows, script_of, the_call, timeline_of
from support.serving import GREETING, plain_bot, serving


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, str]:
    """Settings with which records are kept."""
    return {"OFFHOOK_DATABASE_URL": database_url, "OFFHOOK_SPOOL_DIR": str(tmp_path / "spool")}


async def test_a_whole_call_is_on_record_in_spoken_order(
    env: dict[str, str], database: Database
) -> None:
    @tool
    async def stock(product: str) -> dict[str, Any]:
        """Look up the stock of a product."""
        return {"left": 3}

    async with serving(plain_bot(tools=[stock]), **env) as service:
        call = await service.talk(
            Hears(),
            Says("How many lamps are there?"),
            Hears("!"),
            Says("Thanks."),
            HangsUp(),
            model=(CallsTools(("stock", {"product": "lamp"})), Replies("There are three!")),
        )
    row = await the_call(database, call.call_id)
    assert (row["phase"], row["reason"], row["fault"]) == ("ended", "caller_hung_up", "caller")
    times = [row[f"{name}_at"] for name in ("rang", "accepted", "attached", "greeted", "ended")]
    assert times == sorted(times)
    assert row["caller_masked"] != "+15550142"
    said = await script_of(database, call.call_id)
    assert said[:4] == [
        ("bot", GREETING),
        ("caller", "How many lamps are there?"),
        ("bot", "There are three!"),
        ("caller", "Thanks."),
    ]
    (looked_up,) = await rows(database, schema.tool_calls)
    assert (looked_up["name"], looked_up["outcome"]) == ("stock", "answered")
    assert looked_up["arguments"] == '{"product":"lamp"}'
    assert looked_up["output"] == '{"left":3}'
    assert looked_up["asked_at"] <= looked_up["ended_at"]
    timeline = await timeline_of(database, call.call_id)
    assert timeline == ["rang", "accepted", "attached", "greeted", "sideband_lost", "ended"]
    (delivery,) = await rows(database, schema.deliveries)
    assert (delivery["result"], delivery["status"]) == ("started", 200)
    assert delivery["call_id"] == call.call_id
    print(row, delivery, said)
