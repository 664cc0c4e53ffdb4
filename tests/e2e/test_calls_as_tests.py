"""`offhook.testing`: calls as tests, whose failures tell the call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import psutil
import pytest

from offhook import Bot, tool
from offhook.config import load
from offhook.core.outcomes import HangUp
from offhook.errors import BotError, SettingsError
from offhook.rehearsal import Rehearsal, settings_for
from offhook.shop import make_bot
from offhook.testing import CallsTools, Faults, PhoneError, Replies, call
from offhook.web.app import create_app
from offhook.web.webhook import PATH
from support.serving import running


@tool
async def lookup_order(order_number: Annotated[str, "E.g. ACME-12345"]) -> dict[str, str]:
    """Look up one order."""
    return {"order_number": order_number, "status": "ships today"}


@tool
async def stop_it() -> HangUp:
    """Stop the call."""
    return HangUp("stopped")


BOT = Bot(
    "You answer for ACME.",
    greeting="Hello, this is the AI assistant of ACME.",
    tools=[lookup_order, stop_it],
    targets={"service": "sip:service@pbx.example.com"},
)


async def test_a_call_is_a_test_of_a_few_lines() -> None:
    async with call(BOT) as phone:
        await phone.says("Where is order ACME-12345?")
        answer = await phone.expect_tool("lookup_order", order_number="ACME-12345")
        assert answer == {"order_number": "ACME-12345", "status": "ships today"}
        assert "ships today" in await phone.hears("ships")
    assert phone.heard[0] == "Hello, this is the AI assistant of ACME."
    assert phone.tools == [("lookup_order", {"order_number": "ACME-12345"})]


async def test_the_bundled_shop_answers_where_no_bot_is_given() -> None:
    async with call() as phone:
        await phone.hears("AI assistant")
        await phone.presses("12345 #")
        await phone.expect_tool("lookup_order")
        await phone.hears("Kettle Classic")
        await phone.says("Bye.")
        assert await phone.ended("bot_hung_up") == "bot_hung_up"


async def test_a_transfer_is_seen() -> None:
    async with call(BOT) as phone:
        await phone.says("I would like to speak to a person.")
        assert await phone.transferred() == "sip:service@pbx.example.com"
        await phone.ended("transferred")


async def test_the_caller_may_cut_in() -> None:
    long = "We sell kettles, toasters, lamps, radios and many other things for your home."
    async with call(BOT, model=[Replies(long), Replies("Sure.")]) as phone:
        await phone.says("What do you sell?")
        await phone.says("Stop, please.", over_bot_ms=500)
        await phone.hears("Sure")
    assert long not in phone.heard


async def test_the_model_and_the_cloud_do_what_they_are_told() -> None:
    acts = [CallsTools(("stop_it", {}))]
    async with call(BOT, model=acts, faults=Faults(accept_status=(503,))) as phone:
        await phone.says("Anything.")
        await phone.expect_tool("stop_it")
        await phone.hears("Goodbye")
        await phone.ended("bot_hung_up")
    assert [mark.detail["status"] for mark in phone.call.marks("accept")] == [503, 200]


async def test_what_is_not_heard_fails_with_the_story() -> None:
    async with call(BOT) as phone:
        await phone.says("Where is order ACME-12345?")
        with pytest.raises(PhoneError) as caught:
            await phone.hears("submarine", within=0.5)
    told = str(caught.value)
    assert told.startswith("never heard 'submarine' within 0.5 s\n")
    assert "Caller: Where is order ACME-12345?" in told
    assert "tool lookup_order" in told
    assert told.rstrip().endswith("-->      never heard 'submarine' within 0.5 s")


async def test_a_tool_with_other_arguments_fails() -> None:
    async with call(BOT) as phone:
        await phone.says("Where is order ACME-12345?")
        with pytest.raises(PhoneError, match="lookup_order was not called with"):
            await phone.expect_tool("lookup_order", order_number="ACME-1", within=0.5)


async def test_a_call_that_is_over_is_not_waited_for() -> None:
    async with call(BOT) as phone:
        await phone.hears("assistant")
        await phone.hangs_up()
        with pytest.raises(PhoneError, match="before the call was over"):
            await phone.hears("again", within=30)


async def test_another_end_fails() -> None:
    async with call(BOT) as phone:
        await phone.hangs_up()
        with pytest.raises(PhoneError, match="ended as caller_hung_up, not as transferred"):
            await phone.ended("transferred")


async def test_settings_that_are_wrong_are_told() -> None:
    with pytest.raises(SettingsError, match="OFFHOOK_VAD"):
        async with call(BOT, settings={"OFFHOOK_VAD": "sometimes"}):
            pass


async def test_a_bot_that_cannot_be_loaded_is_told() -> None:
    with pytest.raises(BotError, match="There is no file"):
        async with call("nowhere.py:bot"):
            pass


async def test_the_same_test_runs_against_a_live_server(tmp_path: Path) -> None:
    async with Rehearsal(speed=20) as stage:  # only to find a port that is free
        port = int(stage.cloud.base_url.rpartition(":")[2])
        secret = stage.cloud.webhook_secret
        settings = load(None, {**settings_for(stage.cloud), "PORT": "0"})
    app = create_app(make_bot("en", tmp_path / "shop.sqlite3"), settings)
    async with (
        running(app, settings) as (server, _),
        call(url=server.url + PATH, secret=secret, port=port, speed=20) as phone,
    ):
        await phone.says("Where is order ACME-12345?")
        await phone.expect_tool("lookup_order", order_number="ACME-12345")
        await phone.hears("Kettle Classic")


async def test_no_port_is_opened() -> None:
    before = listening()
    async with call(BOT) as phone:
        await phone.hears("assistant")
        assert listening() == before


def listening() -> set[tuple[str, int]]:
    """The addresses on which this process listens."""
    found = psutil.Process().net_connections("inet")
    return {each.laddr for each in found if each.status == psutil.CONN_LISTEN}
