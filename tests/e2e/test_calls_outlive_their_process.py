"""A process dies, and its calls go on in another one, or in the next."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import Table

from offhook.simulator import (
    Call,
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    Replies,
    Says,
    Script,
    Simulator,
)
from offhook.store import schema
from offhook.store.database import Database
from support.postgres import Cluster
from support.process import START_S, Process, offhook
from support.records import rows, script_of, the_call, timeline_of
from support.serving import CALLER, GREETING, PATIENCE_S, environment, sent

BOT = f"""
import asyncio, sys
from pathlib import Path
from offhook import Bot, Call, tool

def note(call, what):
    with open("ran.txt", "a") as ran:
        ran.write(f"{{what}} {{call.idempotency_key}}\\n")
    print("runs:", what, file=sys.stderr, flush=True)

async def answer(call, what):
    note(call, what)
    while not Path("go").exists():
        await asyncio.sleep(0.02)
    return what + " done"

@tool(effects=True, timeout=60)
async def pays(call: Call, amount: int) -> str:
    '''Pay an amount.'''
    return await answer(call, "pays")

@tool(timeout=60)
async def looks(call: Call) -> str:
    '''Look something up.'''
    return await answer(call, "looks")

bot = Bot("You answer the phone.", name="mine", greeting="{GREETING}", tools=[pays, looks])
"""
Two: TypeAlias = tuple[Process, Process]

JOINED = '"event":"other replicas","serving":1'
QUICK = {"OFFHOOK_BEAT_S": "0.1", "OFFHOOK_PATIENCE_S": "1.5"}
TOOLS = {"looks": CallsTools(("looks", {})), "pays": CallsTools(("pays", {"amount": 5}))}


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    async with Simulator(speed=20.0) as cloud:
        yield cloud


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my_bot.py").write_text(BOT)
    return tmp_path


@pytest.fixture
def env(cloud: Simulator, database_url: str, folder: Path) -> dict[str, str]:
    spool = str(folder / "spool")
    return environment(cloud, OFFHOOK_DATABASE_URL=database_url, OFFHOOK_SPOOL_DIR=spool, **QUICK)


def conversation(tool: str) -> Script:
    steps = (Hears(), Says("Go on."), Hears(), Says("Thanks."), Hears(), HangsUp())
    return Script(steps=steps, model=(TOOLS[tool], Replies("Done."), Replies("Bye.")))


@pytest.fixture
def postgres_url(postgres: Cluster) -> str:
    return postgres.create()


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(postgres_url)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def two(
    cloud: Simulator, postgres_database: Database, postgres_url: str, folder: Path
) -> AsyncIterator[Two]:
    """Two processes that know of each other."""
    env = environment(
        cloud,
        OFFHOOK_DATABASE_URL=postgres_url,
        OFFHOOK_SPOOL_DIR=str(folder / "spool"),
        **QUICK,
    )
    async with (
        offhook("serve", "my_bot.py", env=env, cwd=folder) as first,
        offhook("serve", "my_bot.py", env=env, cwd=folder) as second,
    ):
        await asyncio.gather(*(each.said(JOINED, timeout=START_S) for each in (first, second)))
        yield first, second


async def stopped(process: Process) -> None:
    process.signal()
    assert await process.ended() == 0
    assert "Traceback" not in process.text


async def killed(process: Process) -> None:
    process.signal(signal.SIGKILL)
    await process.ended()


def runs(folder: Path) -> list[str]:
    """Which tools have run, and for which function call."""
    return (folder / "ran.txt").read_text().splitlines()


def outputs(call: Call) -> list[str]:
    """What the cloud was told of function calls."""
    items = [body["item"] for body in sent(call, "conversation.item.create")]
    return [item["output"] for item in items if item["type"] == "function_call_output"]


def greetings(call: Call) -> int:
    return sum(GREETING in str(body) for body in sent(call, "conversation.item.create"))


async def left_with(tool: str, cloud: Simulator, first: Process) -> Call:
    """A call that is in the middle of a tool when its process is killed."""
    call = await cloud.ring(await first.listens(), conversation(tool), caller=CALLER)
    await first.said(f"runs: {tool}")
    await killed(first)
    return call


async def on_record(database: Database, call: Call, table: Table = schema.tool_calls) -> None:
    """Return when the database knows of the tool that was asked for, or of something else."""
    async with asyncio.timeout(PATIENCE_S):
        while not await rows(database, table, call_id=call.call_id):
            pass


async def one_story(database: Database, call: Call) -> None:
    """Nothing that was finished is lost, nobody was greeted twice, and all of it has an end."""
    assert greetings(call) == 1
    row = await the_call(database, call.call_id)
    assert (row["phase"], row["reason"]) == ("ended", "caller_hung_up")
    said = await script_of(database, call.call_id)
    assert [text for _, text in said] == [GREETING, "Go on.", "Done.", "Thanks.", "Bye."]
    moments = await timeline_of(database, call.call_id)
    assert moments.count("taken_over") == 1
    assert moments[-1] == "ended"
    (sealed,) = await rows(database, schema.checkpoints, call_id=call.call_id)
    assert sealed["state"] is None


async def test_a_restarted_process_goes_on_with_its_calls(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as first:
        call = await left_with("looks", cloud, first)
    (folder / "go").touch()
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as second:
        await second.said('"status":"ended"')
        await stopped(second)
    key = f"{call.call_id}:"
    assert [line.startswith(f"looks {key}") for line in runs(folder)] == [True, True]
    assert len(set(runs(folder))) == 1
    assert outputs(call) == ["looks done"]
    await one_story(database, call)


async def test_a_call_whose_process_died_between_the_200_and_the_accept_is_answered(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    script = Script(steps=(Hears(), HangsUp()))
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as first:
        url = await first.listens()
        await first.said('"event":"replica"')
        call = await cloud.ring(url, script, caller=CALLER, faults=Faults(accept_hangs=1))
        assert call.webhook_status == 200
        await on_record(database, call, schema.leases)
        await killed(first)
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as second:
        await second.said('"status":"ended"')
        await stopped(second)
    assert [mark.detail["status"] for mark in call.marks("accept")] == [None, 200]
    assert greetings(call) == 1


async def test_a_tool_that_was_asked_for_while_nobody_listened_is_run(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    (folder / "go").touch()
    script = Script(steps=(Hears(),), model=conversation("looks").model)
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as first:
        call = await cloud.ring(await first.listens(), script, caller=CALLER)
        await call.reached("bot_said")
        await killed(first)
    for step in (Says("Go on."), Hears("Done."), Says("Thanks."), Hears("Bye."), HangsUp()):
        call.do(step)
    await call.reached("tool_asked")
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as second:
        await second.said('"status":"ended"')
        await stopped(second)
    assert outputs(call) == ["looks done"]
    assert len(runs(folder)) == 1
    said = [mark.detail["text"] for mark in call.marks("bot_said")]
    assert said == [GREETING, "Done.", "Bye."]


async def test_a_tool_with_effects_is_not_run_again(
    cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as first:
        call = await left_with("pays", cloud, first)
    (folder / "go").touch()
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as second:
        await second.said('"status":"ended"')
        await stopped(second)
    assert len(runs(folder)) == 1
    (output,) = outputs(call)
    assert "interrupted" in output
    await one_story(database, call)


async def test_the_calls_of_the_dead_go_on_with_those_that_live(
    cloud: Simulator, two: Two, folder: Path, postgres_database: Database
) -> None:
    first, second = two
    calls = [
        await cloud.ring(await first.listens(), conversation(tool), caller=CALLER)
        for tool in ("looks", "pays", "looks")
    ]
    await first.said("runs: ", count=3)
    await killed(first)
    (folder / "go").touch()
    await second.said('"status":"ended"', count=3)
    await stopped(second)
    assert sum(line.startswith("pays") for line in runs(folder)) == 1
    for call in calls:
        await one_story(postgres_database, call)


async def test_a_database_that_is_away_just_then_is_waited_for(
    cloud: Simulator,
    two: Two,
    folder: Path,
    postgres: Cluster,
    postgres_database: Database,
) -> None:
    first, second = two
    call = await cloud.ring(await first.listens(), conversation("pays"), caller=CALLER)
    await first.said("runs: pays")
    postgres.stop("fast")  # at once, it would forget what it has not written yet
    try:
        await killed(first)
        (folder / "go").touch()
        await second.said("is not known for now")
    finally:
        postgres.start()
    await second.said('"status":"ended"')
    await stopped(second)
    assert len(runs(folder)) == 1
    await one_story(postgres_database, call)


async def test_a_process_that_was_paused_does_nothing_for_calls_that_are_others_by_now(
    cloud: Simulator, two: Two, folder: Path, postgres_database: Database
) -> None:
    first, second = two
    call = await cloud.ring(await first.listens(), conversation("looks"), caller=CALLER)
    await first.said("runs: looks")
    await on_record(postgres_database, call)
    first.signal(signal.SIGSTOP)
    await second.said('"status":"taken_over"')
    (folder / "go").touch()
    await call.reached("tool_answered")
    first.signal(signal.SIGCONT)
    await first.said('"status":"fenced_off"')
    await second.said('"status":"ended"')
    await stopped(second)
    assert outputs(call) == ["looks done"]
    assert '"status":"ended"' not in first.text
    await one_story(postgres_database, call)
    again = await cloud.ring(await first.listens(), Script(steps=(Hears(), HangsUp())))
    await first.said('"status":"ended"')
    assert again.call_id in first.text


async def test_calls_are_handed_over_when_a_process_leaves(
    cloud: Simulator, two: Two, folder: Path, postgres_database: Database
) -> None:
    first, second = two
    script = Script(steps=(Hears(), Says("Go on."), Hears()), model=conversation("looks").model)
    call = await cloud.ring(await first.listens(), script, caller=CALLER)
    await first.said("runs: looks")
    first.signal()
    await first.said("draining")
    (folder / "go").touch()
    assert await first.ended(20) == 0
    for step in (Says("Thanks."), Hears(), HangsUp()):
        call.do(step)
    await second.said('"status":"ended"')
    await stopped(second)
    assert '"status":"handed_over"' in first.text
    assert "Traceback" not in first.text
    assert outputs(call) == ["looks done"]
    assert len(runs(folder)) == 1
    await one_story(postgres_database, call)


async def test_a_process_can_be_drained_from_outside(
    cloud: Simulator, two: Two, folder: Path, postgres_url: str
) -> None:
    first, second = two
    call = await cloud.ring(await first.listens(), Script(steps=(Hears(), Hears())), caller=CALLER)
    await call.reached("bot_said")
    name = next(line["id"] for line in first.lines if line["event"] == "replica")
    env = {"OFFHOOK_DATABASE_URL": postgres_url, **QUICK}
    async with offhook("drain", env=env, cwd=folder) as which:
        assert await which.ended() != 0
        assert name in which.text
    async with offhook("drain", "--replica", name, env=env, cwd=folder) as drain:
        assert await drain.ended() == 0
    assert await first.ended() == 0
    await second.said('"status":"taken_over"')
    call.caller_hangs_up()
    await second.said('"status":"ended"')


async def test_told_twice_to_leave_it_leaves_at_once_and_the_others_go_on(
    cloud: Simulator, two: Two, folder: Path, postgres_database: Database
) -> None:
    first, second = two
    call = await cloud.ring(await first.listens(), conversation("looks"), caller=CALLER)
    await first.said("runs: looks")
    first.signal()
    await first.said("draining")
    first.signal()
    await first.ended()
    assert "Traceback" not in first.text
    (folder / "go").touch()
    await second.said('"status":"ended"')
    await stopped(second)
    assert outputs(call) == ["looks done"]
    await one_story(postgres_database, call)
