"""What is recorded outlives the process: killed, told to stop, or with its database away."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from offhook.simulator import (
    Call,
    CallsTools,
    HangsUp,
    Hears,
    Replies,
    Says,
    Script,
    Simulator,
)
from offhook.store import schema
from offhook.store.database import Database
from support.process import offhook
from support.records import Absence, rows, script_of, the_call
from support.serving import CALLER, GREETING, environment, plain_bot, serving

AWAY = "the database is away; calls go on, and records wait"
BACK = "the database is back"
TAKEN_OVER = '"status":"taken_over"'
ADOPTED = "records of a process that has ended are written"

BOT = f"""
from offhook import Bot, tool

@tool(effects=True)
async def pays(amount: int) -> str:
    '''Pay an amount.'''
    return "paid"

bot = Bot("You answer the phone.", name="mine", greeting="{GREETING}", tools=[pays])
"""
PAYS = CallsTools(("pays", {"amount": 5}))


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    async with Simulator(speed=60.0) as cloud:
        yield cloud


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the process runs: its bot is there, and its spool will be."""
    (tmp_path / "my_bot.py").write_text(BOT)
    return tmp_path


@pytest.fixture
def env(cloud: Simulator, database_url: str, folder: Path) -> dict[str, str]:
    spool = str(folder / "spool")
    return environment(cloud, OFFHOOK_DATABASE_URL=database_url, OFFHOOK_SPOOL_DIR=spool)


async def killed_after_a_tool(cloud: Simulator, env: dict[str, str], folder: Path) -> Call:
    """A call whose process is killed as soon as the cloud has the answer of its tool."""
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
        steps = (Hears(), Says("Please pay five."), Hears("never"))
        script = Script(steps=steps, model=(PAYS, Replies("Paid!")))
        call = await cloud.ring(await process.listens(), script, caller=CALLER)
        await call.reached("tool_answered")
        process.signal(signal.SIGKILL)
        await process.ended()
    return call


async def nothing_is_lost(database: Database, call: Call) -> None:
    said = await script_of(database, call.call_id)
    assert said[:2] == [("bot", GREETING), ("caller", "Please pay five.")]
    (paid,) = await rows(database, schema.tool_calls)
    assert (paid["outcome"], paid["output"]) == ("answered", "paid")
    row = await the_call(database, call.call_id)
    assert row["ended_at"] is None


async def test_a_killed_process_loses_nothing_that_was_finished(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    call = await killed_after_a_tool(cloud, env, folder)
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
        await process.said(TAKEN_OVER, timeout=20)
        process.signal(signal.SIGKILL)
        await process.ended()
        assert "Traceback" not in process.text
    await nothing_is_lost(database, call)


async def test_nor_if_the_database_was_away_when_it_was_killed(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database, absence: Absence
) -> None:
    async with absence():
        call = await killed_after_a_tool(cloud, env, folder)
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
        await process.said(ADOPTED, timeout=20)
        process.signal()
        assert await process.ended() == 0
    await nothing_is_lost(database, call)
    assert list((folder / "spool").iterdir()) == []


async def test_told_twice_to_stop_it_loses_nothing(
    env: dict[str, str], folder: Path, database: Database
) -> None:
    async with Simulator(speed=20.0) as cloud:
        env = environment(cloud, **{**env, "OPENAI_BASE": cloud.base_url, "OFFHOOK_DRAIN_S": "0.1"})
        async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
            steps = (Hears(), Says("Hello."))
            call = await cloud.ring(await process.listens(), Script(steps=steps), caller=CALLER)
            await process.said('"who":"caller"')
            process.signal()
            await process.said("draining")
            process.signal()
            await process.ended()
            assert "Traceback" not in process.text
    row = await the_call(database, call.call_id)
    assert (row["phase"], row["reason"]) == ("ended", "shut_down")
    assert ("caller", "Hello.") in await script_of(database, call.call_id)
    assert list((folder / "spool").iterdir()) == []


async def test_calls_go_on_while_the_database_is_away_and_their_records_are_complete(
    env: dict[str, str], database: Database, absence: Absence
) -> None:
    here: dict[str, Any] = {
        name: env[name] for name in ("OFFHOOK_DATABASE_URL", "OFFHOOK_SPOOL_DIR")
    }
    here |= {
        "OFFHOOK_BEAT_S": "60",
        "OFFHOOK_PATIENCE_S": "600",
    }  # the lock is asked for on our loop
    steps = (Hears(), Says("One."), Hears(), Says("Two."), Hears(), HangsUp())
    async with serving(plain_bot(), **here) as service:
        before = await service.ring(Script(steps=(Hears(),)))
        await before.reached("bot_said")
        async with absence():
            calls = await asyncio.gather(*(service.ring(Script(steps=steps)) for _ in range(5)))
            for call in calls:
                await service.over(call)
            await service.log.reached(AWAY)
            before.do(Says("Still there?"))
            await before.reached("bot_said", count=2)
        await service.log.reached(BACK)
        before.caller_hangs_up()
        await service.over(before)
        assert len(service.log.of(AWAY)) == len(service.log.of(BACK)) == 1
    for call in calls:
        row = await the_call(database, call.call_id)
        assert (row["phase"], row["reason"]) == ("ended", "caller_hung_up")
        words = [text for who, text in await script_of(database, call.call_id) if who == "caller"]
        assert words == ["One.", "Two."]
    assert ("caller", "Still there?") in await script_of(database, before.call_id)


async def test_a_database_that_cannot_be_opened_keeps_no_call_from_being_answered(
    cloud: Simulator, folder: Path
) -> None:
    nowhere = "postgresql://offhook:canary-password@127.0.0.1:1/calls"
    env = environment(cloud, OFFHOOK_DATABASE_URL=nowhere)
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
        script = Script(steps=(Hears(), HangsUp()))
        call = await cloud.ring(await process.listens(), script, caller=CALLER)
        await process.said('"status":"ended"')
        process.signal()
        assert await process.ended() == 0
        assert process.text.count(AWAY) == 1
        assert "canary-password" not in process.text
        assert "Traceback" not in process.text
    (spool,) = (folder / "offhook-spool").iterdir()
    assert call.call_id in spool.read_text()


async def test_records_are_kept_where_nothing_is_set(cloud: Simulator, folder: Path) -> None:
    env = environment(cloud, OFFHOOK_DATABASE_URL="")
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as process:
        await process.listens()
        process.signal()
        assert await process.ended() == 0
    assert (folder / "offhook.sqlite3").exists()
    assert list((folder / "offhook-spool").iterdir()) == []
