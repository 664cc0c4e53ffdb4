"""A process dies, and its calls go on in another one, or in the next."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

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
from support.postgres import Cluster
from support.process import Process, offhook
from support.records import rows, script_of, the_call, timeline_of
from support.serving import CALLER, GREETING, environment, sent

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
QUICK = {"OFFHOOK_BEAT_S": "0.1", "OFFHOOK_PATIENCE_S": "0.6"}
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


def serve(env: dict[str, str], folder: Path) -> object:
    return offhook("serve", "my_bot.py", env=env, cwd=folder)


def conversation(tool: str) -> Script:
    steps = (Hears(), Says("Go on."), Hears(), Says("Thanks."), Hears(), HangsUp())
    return Script(steps=steps, model=(TOOLS[tool], Replies("Done."), Replies("Bye.")))


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


@pytest.mark.parametrize("tool", ["looks", "pays"])
async def test_a_restarted_process_goes_on_with_its_calls(
    tool: str, cloud: Simulator, env: dict[str, str], folder: Path, database: Database
) -> None:
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as first:
        call = await cloud.ring(await first.listens(), conversation(tool), caller=CALLER)
        await first.said(f"runs: {tool}")
        await killed(first)
    (folder / "go").touch()
    async with offhook("serve", "my_bot.py", env=env, cwd=folder) as second:
        await second.said('"status":"taken_over"')
        await second.said('"status":"ended"')
        assert "Traceback" not in second.text
    assert greetings(call) == 1
