"""openai-agents' SIP model holds a whole call on the simulator, as its own example does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import function_tool, set_tracing_disabled
from agents.realtime import OpenAIRealtimeSIPModel, RealtimeAgent, RealtimeRunner
from aiohttp import web
from openai import AsyncOpenAI

from offhook.simulator import Call, CallsTools, Hears, Replies, Says, Script, Simulator, WaitsFor

set_tracing_disabled(True)

SCRIPT = Script(
    steps=(
        Hears(),
        Says("Where is my order ACME-12345?"),
        WaitsFor("bot_audio_started", count=3),
        Says("Wait, wait!", after_ms=1000),
        Hears(),
    ),
    model=(
        Replies("Hello, this is Acme."),
        CallsTools(("lookup_order", {"order_number": "ACME-12345"}), preamble="One moment."),
        Replies(from_tool="Your order is {status}."),
        Replies("Yes?"),
    ),
)
LONG_STATUS = "on its way, and it will be with you some time in the course of the next few days"


@function_tool
def lookup_order(order_number: str) -> str:
    """Say where an order is."""
    assert order_number == "ACME-12345"
    return f'{{"status": "{LONG_STATUS}"}}'


AGENT = RealtimeAgent[Any](name="shop", instructions="Be brief.", tools=[lookup_order])


class Bot:
    """What the example of openai-agents does: unwrap, accept, attach, greet, listen."""

    def __init__(self, cloud: Simulator) -> None:
        self._prefix = cloud.base_url + cloud.profile.prefix
        self._key = cloud.api_key
        self.client = AsyncOpenAI(
            api_key=cloud.api_key,
            base_url=self._prefix,
            webhook_secret=cloud.webhook_secret,
            max_retries=0,
        )
        self.url = ""
        self.events: list[str] = []
        self.errors: list[Any] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def take(self, request: web.Request) -> web.Response:
        event = self.client.webhooks.unwrap(await request.read(), dict(request.headers))
        assert event.type == "realtime.call.incoming"
        payload = await OpenAIRealtimeSIPModel.build_initial_session_payload(AGENT)
        await self.client.realtime.calls.accept(
            event.data.call_id, **payload.model_dump(exclude_none=True)
        )
        self._tasks.append(asyncio.create_task(self._observe(event.data.call_id)))
        return web.Response()

    async def _observe(self, call_id: str) -> None:
        runner = RealtimeRunner(AGENT, model=OpenAIRealtimeSIPModel())
        url = f"{self._prefix.replace('http', 'ws', 1)}/realtime?call_id={call_id}"
        session = await runner.run(
            model_config={"call_id": call_id, "api_key": self._key, "url": url}
        )
        async with session:
            await session.send_message("Greet the caller.")
            async for event in session:
                self.events.append(event.type)
                if event.type == "error":
                    self.errors.append(event.error)

    async def ended(self) -> None:
        """The session has seen the end of the call."""
        async with asyncio.timeout(5):
            await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()


@pytest.fixture(params=["openai", "azure"])
async def cloud(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    models = ("gpt-realtime", "gpt-realtime-2", "gpt-realtime-2.1")
    async with Simulator(request.param, speed=20.0, deployments=models) as simulator:
        yield simulator


@pytest.fixture
async def bot(cloud: Simulator) -> AsyncIterator[Bot]:
    bot = Bot(cloud)
    app = web.Application()
    app.router.add_post("/", bot.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield bot
    await bot.close()
    await runner.cleanup()


async def held(cloud: Simulator, bot: Bot) -> Call:
    call = await cloud.ring(bot.url, SCRIPT)
    assert call.webhook_status == 200
    await call.reached("bot_said", text="Yes?")
    await bot.client.realtime.calls.hangup(call.call_id)
    await call.finished(5)
    await bot.ended()
    return call


async def test_openai_agents_holds_a_call_with_a_tool_and_an_interruption(
    cloud: Simulator, bot: Bot
) -> None:
    call = await held(cloud, bot)
    assert bot.errors == []
    assert call.marks("error_sent") == []
    assert call.marks("script_stuck") == []
    assert {"tool_start", "tool_end", "history_updated"} <= set(bot.events)
    [asked], [answered] = call.marks("tool_asked"), call.marks("tool_answered")
    assert asked.detail["call_id"] == answered.detail["call_id"]
    said = [mark.detail for mark in call.marks("bot_said")]
    assert [line["interrupted"] for line in said] == [False, False, True, False]
    assert f"Your order is {LONG_STATUS}.".startswith(said[2]["text"])
