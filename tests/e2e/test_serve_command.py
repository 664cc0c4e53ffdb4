"""`offhook serve` as people run it: what it says when it starts, when it cannot, and when told
to stop."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from offhook.errors import BotError
from offhook.loading import load_bot
from offhook.simulator import Hears, Says, Script, Simulator
from support.process import Process, offhook
from support.serving import environment, said

BOT = """
from offhook import Bot, tool

@tool
async def opening_hours() -> str:
    '''Tell when the shop is open.'''
    return "nine to five"

bot = Bot("You answer the phone.", name="mine", greeting="{greeting}", tools=[opening_hours])
other = Bot("You answer, too.", name="other", greeting="This is the other one.")
nothing = 42
"""


@pytest.fixture
async def cloud() -> AsyncIterator[Simulator]:
    async with Simulator(speed=60.0) as cloud:
        yield cloud


@pytest.fixture
def bot_file(tmp_path: Path) -> Path:
    file = tmp_path / "my_bot.py"
    file.write_text(BOT.format(greeting="This is my own bot."))
    return file


async def refusal(*arguments: str, env: dict[str, str], cwd: Path) -> str:
    """What it says when it does not start, which is always with status 2 and without a trace."""
    async with offhook("serve", *arguments, env=env, cwd=cwd) as process:
        assert await process.ended(timeout=20) == 2, process.text
        assert "Traceback" not in process.text
        return process.text


async def test_all_that_is_wrong_with_the_settings_is_said_at_once(tmp_path: Path) -> None:
    env = {
        "OPENAI_BASE": "ftp://nowhere",
        "PORT": "eighty",
        "OFFHOOK_REJECT_CODE": "7",
        "SIP_TARGET_URI": "tel:911",
        "OFFHOOK_VOICE": "marin",
    }
    text = await refusal(env=env, cwd=tmp_path)
    for name in (*env, "OPENAI_API_KEY", "OPENAI_WEBHOOK_SECRET", "REALTIME_VOICE"):
        assert name in text
    assert "eighty" not in text


async def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    secret = "sk-proj-verysecretverysecret"
    text = await refusal(env={"PORT": secret, "OFFHOOK_API_KEY": secret}, cwd=tmp_path)
    assert secret not in text
    assert "OPENAI_API_KEY" in text


async def test_test_mode_is_refused_where_others_can_reach_it(tmp_path: Path) -> None:
    env = {"OPENAI_API_KEY": "sk-x", "TEST_MODE": "1", "OFFHOOK_HOST": "0.0.0.0"}
    assert "TEST_MODE" in await refusal(env=env, cwd=tmp_path)


GOOD = {"OPENAI_API_KEY": "sk-x", "OPENAI_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0", "PORT": "0"}

BAD_BOTS = {
    "no_such_file.py": "no file",
    "no_such_module:bot": "no module 'no_such_module'",
    "my_bot.py:nobody": "bot, other",
    "my_bot.py:nothing": "not an offhook.Bot",
    "broken.py": "SyntaxError",
    "raises.py": "line 2",
    "needs.py": "no_such_package",
    "exits.py": "SystemExit",
    "bare_tool.py": "docstring",
    "bad_target.py": "sales",
    ":bot": "module:bot",
}
FILES = {
    "broken.py": "def (:\n",
    "raises.py": "x = 1\nraise ValueError('not today')\n",
    "needs.py": "import no_such_package\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "bare_tool.py": (
        "from offhook import Bot, tool\n@tool\nasync def look(x: str) -> str:\n    return x\n"
    ),
    "bad_target.py": (
        "from offhook import Bot\nbot = Bot('Be brief.', targets={'sales': 'tel:1'})\n"
    ),
}


@pytest.mark.parametrize(("spec", "words"), BAD_BOTS.items(), ids=BAD_BOTS.keys())
def test_a_bot_that_cannot_be_used_is_named_with_the_reason(
    spec: str, words: str, bot_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bot_file.parent)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    for name, text in FILES.items():
        change(Path(name), text)
    with pytest.raises(BotError, match=re.escape(words)):
        load_bot(spec)


@pytest.mark.parametrize("spec", ["broken.py", "bare_tool.py"])
async def test_a_bot_that_cannot_be_used_is_shown_without_a_trace(
    spec: str, bot_file: Path
) -> None:
    change(bot_file.parent / spec, FILES[spec])
    assert BAD_BOTS[spec] in await refusal(spec, env=GOOD, cwd=bot_file.parent)


async def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        text = await refusal(env={**GOOD, "PORT": port}, cwd=tmp_path)
    assert port in text
    assert "PORT" in text


async def call_once(cloud: Simulator, process: Process, greeting: str, *, count: int = 1) -> None:
    """Ring, and hear this greeting."""
    call = await cloud.ring(await process.listens(count=count), Script(steps=(Hears(),)))
    await call.reached("bot_said")
    assert said(call) == [greeting]
    call.caller_hangs_up()
    await process.said(f'"call_id":"{call.call_id}","status":"ended"')


@pytest.mark.parametrize(
    ("spec", "greeting"),
    [
        ("my_bot.py", "This is my own bot."),
        ("my_bot.py:bot", "This is my own bot."),
        ("my_bot.py:other", "This is the other one."),
        ("my_bot:other", "This is the other one."),
    ],
)
async def test_a_bot_of_ones_own_answers(
    spec: str, greeting: str, bot_file: Path, cloud: Simulator
) -> None:
    async with offhook("serve", spec, env=environment(cloud), cwd=bot_file.parent) as process:
        await call_once(cloud, process, greeting)
        process.signal()
        assert await process.ended() == 0


async def test_without_a_bot_the_shop_answers_and_says_what_it_lacks(
    tmp_path: Path, cloud: Simulator
) -> None:
    async with offhook("serve", env=environment(cloud), cwd=tmp_path, cold=True) as process:
        await process.listens()
        started = next(line for line in process.lines if "listens on" in line["event"])
        assert started["bot"] == "acme"
        assert started["targets"] == []
        assert started["consent"] == "notice"
        assert "handoff_human" not in started["tools"]
        await process.said("no transfer target")
        call = await cloud.ring(started["webhook"], Script(steps=(Hears(),)))
        await call.reached("bot_said")
        assert "ACME" in said(call)[0]
        assert "no disclosure" not in process.text
        call.caller_hangs_up()
        await process.said("caller_hung_up")


async def test_a_disclosure_that_is_switched_off_is_warned_of_at_the_start(
    tmp_path: Path, cloud: Simulator
) -> None:
    env = environment(cloud, OFFHOOK_CONSENT="none")
    async with offhook("serve", env=env, cwd=tmp_path) as process:
        await process.listens()
        assert '"level":"warning"' in (await process.said("no disclosure")).replace(" ", "")


async def test_a_transfer_target_is_offered_and_its_address_never_shown(
    tmp_path: Path, cloud: Simulator
) -> None:
    env = environment(cloud, SIP_TARGET_URI="tel:+14155550177")
    async with offhook("serve", env=env, cwd=tmp_path) as process:
        await process.listens()
        started = next(line for line in process.lines if "listens on" in line["event"])
        assert started["targets"] == ["default"]
        assert "handoff_human" in started["tools"]
        assert "5550177" not in process.text
        assert "no transfer target" not in process.text


async def test_what_the_daily_budget_cannot_count_is_said_at_the_start(
    tmp_path: Path, cloud: Simulator
) -> None:
    env = environment(cloud, OFFHOOK_DAILY_BUDGET="50", REALTIME_MODEL="gpt-realtime-9")
    async with offhook("serve", env=env, cwd=tmp_path) as process:
        await process.listens()
        line = json.loads(await process.said("the daily budget does not count a model"))
        assert (line["model"], line["level"]) == ("gpt-realtime-9", "warning")
        assert "OFFHOOK_PRICES" in line["hint"]
        await process.said("without records, the daily budget counts this process only")


async def test_wrong_prices_are_said_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("date = 2026-11-22\n[models.x]\nminute = -1\n")
    text = await refusal(env={**GOOD, "OFFHOOK_PRICES": "mine.toml"}, cwd=tmp_path)
    assert "OFFHOOK_PRICES" in text
    assert "minute" in text
    text = await refusal(env={**GOOD, "OFFHOOK_PRICED_AS": "phone=gpt-9"}, cwd=tmp_path)
    assert "OFFHOOK_PRICED_AS" in text
    assert "gpt-realtime-2.1" in text


async def test_settings_come_from_a_file_too(tmp_path: Path, cloud: Simulator) -> None:
    lines = [f"{name}={value}" for name, value in environment(cloud).items()]
    (tmp_path / ".env").write_text("\n".join(lines))
    async with offhook("serve", env={}, cwd=tmp_path) as process:
        await process.listens()
        process.signal(signal.SIGINT)
        assert await process.ended() in (0, 130, -signal.SIGINT)


async def ready(process: Process) -> int:
    """The status of `/readyz`."""
    url = (await process.listens()).replace("/openai/webhook", "/readyz")
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


async def test_told_to_stop_it_waits_for_the_live_call(bot_file: Path, cloud: Simulator) -> None:
    env = environment(cloud)
    async with offhook("serve", "my_bot.py", env=env, cwd=bot_file.parent) as process:
        call = await cloud.ring(await process.listens(), Script(steps=(Hears(),)))
        await call.reached("bot_said")
        assert await ready(process) == 200
        process.signal()
        await process.said("draining")
        assert await ready(process) == 503
        call.do(Says("Still there?"))
        await call.reached("bot_said", text="You said: Still there?")
        call.caller_hangs_up()
        assert await process.ended() == 0
        assert "caller_hung_up" in process.text
        assert "Traceback" not in process.text


async def test_told_twice_it_stops_at_once_and_leaves_no_call_alive(bot_file: Path) -> None:
    """At the speed of life, in which a goodbye takes seconds."""
    async with Simulator(speed=1.0) as cloud:
        env = environment(cloud, OFFHOOK_DRAIN_S="60")
        async with offhook("serve", "my_bot.py", env=env, cwd=bot_file.parent) as process:
            call = await cloud.ring(await process.listens(), Script(steps=(Hears(),)))
            await call.reached("bot_audio_started")
            process.signal()
            await process.said("draining")
            process.signal()
            await call.reached("hangup", timeout=1)
            status = await process.ended(timeout=3)
            assert status in (0, -signal.SIGTERM)
            assert "Traceback" not in process.text
            assert process.text.count('"shutting down"') == 1


async def test_it_stops_at_once_when_nobody_is_on_the_line(
    bot_file: Path, cloud: Simulator
) -> None:
    async with offhook(
        "serve", "my_bot.py", env=environment(cloud), cwd=bot_file.parent
    ) as process:
        await process.listens()
        process.signal()
        assert await process.ended() == 0


def saved(file: Path) -> str:
    """What is in the file."""
    return file.read_text()


def change(file: Path, text: str) -> None:
    """Save a file as an editor does."""
    file.write_text(text)


async def test_a_changed_file_is_served_but_not_while_a_call_is_live(
    bot_file: Path, cloud: Simulator
) -> None:
    env = environment(cloud)
    arguments = ("serve", "my_bot.py", "--reload")
    async with offhook(*arguments, env=env, cwd=bot_file.parent) as process:
        call = await cloud.ring(await process.listens(), Script(steps=(Hears(),)))
        await call.reached("bot_said")
        change(bot_file, BOT.format(greeting="This is my newer bot."))
        line = json.loads(await process.said('"changed"'))
        assert line["waiting_for_calls"] is True
        for count in range(1, 11):  # longer than a server takes to stop
            call.do(Says("Still there?"))
            await call.reached("bot_said", text="You said: Still there?", count=count)
        call.caller_hangs_up()
        await call_once(cloud, process, "This is my newer bot.", count=2)


async def test_a_changed_setting_is_served_too(bot_file: Path, cloud: Simulator) -> None:
    env_file = bot_file.parent / ".env"
    change(env_file, "REALTIME_MODEL=gpt-realtime-1.5\n")
    env = environment(cloud)
    async with offhook("serve", "my_bot.py", "--reload", env=env, cwd=bot_file.parent) as process:
        await process.listens()
        change(bot_file.parent / "notes.txt", "nothing to do with it")
        change(env_file, "REALTIME_MODEL=gpt-realtime-2.1\n")
        await process.listens(count=2)
        models = [line["model"] for line in process.lines if "listens on" in line["event"]]
        assert models == ["gpt-realtime-1.5", "gpt-realtime-2.1"]
        (changed,) = [line for line in process.lines if line["event"] == "changed"]
        assert changed["files"] == [".env"]


async def test_a_changed_file_that_is_broken_is_said_so(bot_file: Path, cloud: Simulator) -> None:
    env = environment(cloud)
    async with offhook("serve", "my_bot.py", "--reload", env=env, cwd=bot_file.parent) as process:
        await process.listens()
        change(bot_file, "def (:\n")
        await process.said("SyntaxError", timeout=20)
        assert "Traceback" not in process.text


async def test_a_broken_file_that_is_mended_is_served_again(
    bot_file: Path, cloud: Simulator
) -> None:
    env, good = environment(cloud), saved(bot_file)
    async with offhook("serve", "my_bot.py", "--reload", env=env, cwd=bot_file.parent) as process:
        await process.listens()
        change(bot_file, "def (:\n")
        await process.said("SyntaxError", timeout=20)
        again = asyncio.create_task(process.said("listens on", timeout=20, count=2))
        while not again.done():  # until the next look at the files has begun
            change(bot_file, good)
            await asyncio.wait({again}, timeout=0.5)
        await again
