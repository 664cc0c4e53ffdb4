"""Several replicas with one PostgreSQL: a call has one of them, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from offhook.core.party import Party
from offhook.runtime.switchboard import Switchboard
from offhook.simulator import Call, Faults, HangsUp, Hears, Says, Script, Simulator
from offhook.store.database import Database
from offhook.telephony import incoming
from offhook.web.app import create_app
from support.postgres import Cluster
from support.records import script_of, the_call
from support.serving import (
    CALLER,
    GREETING,
    PATIENCE_S,
    Log,
    logging_to,
    plain_bot,
    running,
    sent,
    settings_for,
)

CHAT = Script(steps=(Hears(), Says("One."), Hears(), Says("Two."), Hears(), HangsUp()))
QUICK = {"OFFHOOK_BEAT_S": "0.1", "OFFHOOK_PATIENCE_S": "10"}


class Replicas:
    """The replicas, and an address whose webhooks come in at all of them at the same moment."""

    def __init__(self, cloud: Simulator, apps: list[Any], log: Log) -> None:
        self.cloud = cloud
        self.log = log
        self.apps = apps
        self.url = ""

    @property
    def boards(self) -> list[Switchboard]:
        return [app.state.switchboard for app in self.apps]

    async def receive(self, request: web.Request) -> web.Response:
        event = incoming.parse(await request.read(), None)
        assert isinstance(event, incoming.Incoming)
        for board in self.boards:
            board.incoming(event.call_id, event.call_id, Party(CALLER), None)
        return web.json_response({"ok": True})

    async def ring(self, script: Script = CHAT, faults: Faults | None = None) -> Call:
        return await self.cloud.ring(self.url, script, caller=CALLER, faults=faults)

    def counted(self, name: str) -> float:
        found = (a.state.metrics.registry.get_sample_value(name) for a in self.apps)
        return sum(value or 0.0 for value in found)

    async def idle(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            for board in self.boards:
                await board.idle()


@asynccontextmanager
async def replicas(url: str, folder: Path, count: int = 2, **env: str) -> AsyncIterator[Replicas]:
    async with AsyncExitStack() as stack:
        cloud = await stack.enter_async_context(Simulator(speed=60.0))
        log = stack.enter_context(logging_to())
        apps = []
        for n in range(count):
            spool = str(folder / f"spool{n}")  # as on machines of their own
            settings = settings_for(
                cloud, OFFHOOK_DATABASE_URL=url, OFFHOOK_SPOOL_DIR=spool, **QUICK, **env
            )
            apps.append(create_app(plain_bot(), settings))
            await stack.enter_async_context(running(apps[-1], settings))
        them = Replicas(cloud, apps, log)
        relay = web.Application()
        relay.router.add_post("/", them.receive)
        runner = web.AppRunner(relay)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        them.url = site.name
        await log.reached("other replicas", serving=count - 1, count=count)
        yield them


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.create()


async def test_a_call_that_comes_in_everywhere_at_once_is_accepted_and_greeted_once(
    url: str, tmp_path: Path
) -> None:
    async with replicas(url, tmp_path) as them:
        calls = await asyncio.gather(*(them.ring() for _ in range(20)))
        for call in calls:
            await call.finished(PATIENCE_S)
        await them.idle()
        assert them.counted("offhook_claims_lost_total") == 20
    for call in calls:
        assert [mark.detail["status"] for mark in call.marks("accept")] == [200]
        orders = [b for b in sent(call, "conversation.item.create") if GREETING in str(b)]
        assert len(orders) == 1


async def test_without_its_database_calls_go_on_and_the_cloud_decides_who_has_a_new_one(
    postgres: Cluster, url: str, tmp_path: Path
) -> None:
    async with replicas(url, tmp_path) as them:
        before = await them.ring(Script(steps=(Hears(),)))
        await before.reached("bot_said")
        postgres.stop()
        try:
            during = await them.ring()
            await during.finished(PATIENCE_S)
            before.do(Says("Still there?"))
            await before.reached("bot_said", count=2)
        finally:
            postgres.start()
        before.caller_hangs_up()
        await them.idle()
        assert all([await app.state.writer.stored(PATIENCE_S) for app in them.apps])
        assert them.counted("offhook_calls_fenced_off_total") == 0
        assert them.counted("offhook_calls_taken_over_total") == 0
    database = Database(url)
    words = [text for who, text in await script_of(database, during.call_id) if who == "caller"]
    assert words == ["One.", "Two."]
    assert (await the_call(database, before.call_id))["phase"] == "ended"
    await database.close()


@pytest.mark.parametrize("handover", ["attach_first", "let_go_first"])
async def test_all_calls_of_a_replica_that_leaves_go_to_the_others_unheard(
    handover: str, url: str, tmp_path: Path
) -> None:
    async with replicas(url, tmp_path, 3, OFFHOOK_HANDOVER=handover) as them:
        calls = [await them.ring(Script(steps=(Hears(),))) for _ in range(12)]
        for call in calls:
            await call.reached("bot_said")
        leaving = max(them.boards, key=len)
        left = len(leaving)
        async with asyncio.timeout(PATIENCE_S):
            await leaving.drain(0.0)
        assert them.counted("offhook_calls_handed_over_total") == left
        await them.log.reached("taken over", count=left)
        for call in calls:
            call.do(Says("Still there?"))
            await call.reached("bot_said", count=2)
            call.caller_hangs_up()
        await them.idle()
        assert them.counted("offhook_calls_taken_over_total") == left
        assert them.counted("offhook_calls_fenced_off_total") == 0
    for call in calls:
        orders = [b for b in sent(call, "conversation.item.create") if GREETING in str(b)]
        assert len(orders) == 1


async def test_what_a_caller_says_while_the_call_changes_hands_is_on_record(
    url: str, tmp_path: Path
) -> None:
    """The line of the heir is open before the cloud tells it anything."""
    said = [f"Sentence {n}." for n in range(12)]
    talk = [step for text in said for step in (Says(text), Hears())]
    deaf = Faults(attach_deaf_s=30.0)  # half a second, at this speed
    async with replicas(url, tmp_path) as them:
        call = await them.ring(Script(steps=(Hears(),)), deaf)
        await call.reached("bot_said")
        leaving = max(them.boards, key=len)
        draining = asyncio.create_task(leaving.drain(0.0))
        await call.reached("attach", count=2)
        for step in talk:
            call.do(step)
        await draining
        await call.reached("bot_said", count=len(said) + 1)
        call.caller_hangs_up()
        await them.log.reached("taken over")
        await them.idle()
        assert them.counted("offhook_calls_handed_over_total") == 1
    database = Database(url)
    words = [text for who, text in await script_of(database, call.call_id) if who == "caller"]
    assert words == said
    await database.close()
