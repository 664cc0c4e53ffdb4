"""What a whole call leaves behind is found by its number, handed out, and deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from offhook import tool
from offhook.simulator import CallsTools, HangsUp, Hears, Presses, Replies, Says, WaitsFor
from offhook.store import schema
from offhook.store.database import Database
from offhook.store.subject import erase, handout
from offhook.store.subject.find import Findings, find
from offhook.store.vault import Vault, mask, new_key
from support.records import rows, script_of, the_call
from support.rows import files_with
from support.serving import CALLER, plain_bot, serving

KEY = new_key()
DIGITS = CALLER.removeprefix("+")
LATER = 2**42  # Unix ms; no call of these tests is live any more


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with which everything is kept, numbers encrypted."""
    keep = {f"OFFHOOK_KEEP_{name}": "full" for name in ("TRANSCRIPTS", "TOOL_RESULTS", "NAMES")}
    return keep | {
        "OFFHOOK_DATABASE_URL": database_url,
        "OFFHOOK_SPOOL_DIR": str(tmp_path / "spool"),
        "OFFHOOK_RECORDS_KEY": KEY,
        "OFFHOOK_JOURNAL": "1",
        "OFFHOOK_JOURNAL_DIR": str(tmp_path / "journals"),
    }


async def found_in(database: Database, folder: Path) -> Findings:
    return await find(
        database, Vault(KEY), CALLER, folder / "journals", folder / "spool", now=LATER
    )


async def test_a_call_is_handed_out_and_deleted_by_its_number(
    env: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    async with serving(plain_bot(), **env) as service:
        call = await service.talk(
            Hears(), Says(f"My number is {CALLER}."), Hears(), HangsUp(), model=(Replies("Yes!"),)
        )
    row = await the_call(database, call.call_id)
    assert row["caller_masked"] == mask(CALLER)
    assert DIGITS not in row["caller_number"]
    found = await found_in(database, tmp_path)
    assert [c.call_id for c in found.calls] == [call.call_id]
    assert len(found.journals) == 1
    out = await handout.collect(database, Vault(KEY), found)
    assert out["calls"][0]["caller_number"] == CALLER
    done = await erase.erase(database, found, tmp_path / "spool", now=LATER, actor="test")
    assert (done.calls, done.journals) == (1, 1)
    assert files_with(DIGITS, tmp_path) == []
    assert await script_of(database, call.call_id) == []
    again = await found_in(database, tmp_path)
    assert (again.calls, again.mentions, again.journals) == ((), (), {})
    row = await the_call(database, call.call_id)
    assert (row["reason"], row["purged_at"]) == ("caller_hung_up", LATER)


async def test_pressed_keys_are_not_in_the_records_of_what_is_made_of_them(
    env: dict[str, Any], database: Database
) -> None:
    @tool
    async def check_pin(pin: str) -> str:
        """Check a PIN."""
        return f"{pin} is right"

    masked = dict.fromkeys(("OFFHOOK_KEEP_TRANSCRIPTS", "OFFHOOK_KEEP_TOOL_RESULTS"), "masked")
    async with serving(plain_bot(tools=[check_pin]), **env | masked) as service:
        await service.talk(
            Hears(),
            Presses("4711#", gap_s=0.1),
            WaitsFor("caller_pressed", 5),
            Says("That is my PIN."),
            Hears("!"),
            HangsUp(),
            model=(CallsTools(("check_pin", {"pin": "4711"})), Replies("4711 is right!")),
        )
    (checked,) = await rows(database, schema.tool_calls)
    assert (checked["arguments"], checked["output"]) == ('{"pin":"[keys]"}', "[keys] is right")
    texts = [row["text"] for row in await rows(database, schema.utterances)]
    assert "[keys] is right!" in texts
