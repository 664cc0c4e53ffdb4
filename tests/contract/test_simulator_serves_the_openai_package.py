"""The openai package talks to the simulator as it does to the cloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from offhook.simulator import CallsTools, Hears, Replies, Says, Script, Simulator, State

SCRIPT = Script(
    steps=(Hears(), Says("Where is my order?"), Hears(), Says("A human please.")),
    model=(
        CallsTools(("lookup_order", {"order_number": "ACME-12345"}), preamble="One moment."),
        Replies(from_tool="It is {status}."),
        CallsTools(("transfer", {"reason": "asked for"})),
    ),
)


class Receiver:
    """Keeps the deliveries."""

    def __init__(self) -> None:
        self.url = ""
        self.deliveries: list[tuple[str, dict[str, str]]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.deliveries.append((await request.text(), dict(request.headers)))
        return web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield receiver
    await runner.cleanup()


async def hold_the_call(connection: Any) -> None:
    """Greet, answer the first tool, return at the second."""
    await connection.session.update(session={"type": "realtime", "tool_choice": "auto"})
    await connection.response.create(response={"instructions": 'Say "Hello, this is Acme."'})
    async for event in connection:
        assert event.type != "error", event
        if event.type != "response.done":
            continue
        calls = [item for item in event.response.output if item.type == "function_call"]
        for call in calls:
            if call.name == "transfer":
                return
            await connection.conversation.item.create(
                item={
                    "type": "function_call_output",
                    "call_id": call.call_id,
                    "output": '{"status": "on its way"}',
                }
            )
            await connection.response.create()


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_the_openai_package_holds_a_call(profile: Any, receiver: Receiver) -> None:
    async with Simulator(profile, speed=40.0) as cloud:
        client = AsyncOpenAI(
            api_key=cloud.api_key,
            base_url=cloud.base_url + cloud.profile.prefix,
            webhook_secret=cloud.webhook_secret,
            max_retries=0,
        )
        async with client:
            call = await cloud.ring(receiver.url, SCRIPT)
            rung = client.webhooks.unwrap(*receiver.deliveries[0])
            assert rung.type == "realtime.call.incoming"
            assert rung.data.call_id == call.call_id
            await client.realtime.calls.accept(
                call.call_id, type="realtime", model="gpt-realtime", instructions="Be brief."
            )
            async with client.realtime.connect(call_id=call.call_id) as connection:
                async with asyncio.timeout(10):
                    await hold_the_call(connection)
                await client.realtime.calls.refer(call.call_id, target_uri="tel:+15550123")
                assert await call.finished(5) is State.TRANSFERRED
            with pytest.raises(openai.NotFoundError) as gone:
                await client.realtime.calls.hangup(call.call_id)
            assert gone.value.code == "call_id_not_found"
    assert "bot: It is on its way." in call.transcript()


async def test_the_openai_package_hangs_up(receiver: Receiver) -> None:
    async with Simulator(speed=40.0) as cloud:
        client = AsyncOpenAI(api_key=cloud.api_key, base_url=f"{cloud.base_url}/v1", max_retries=0)
        async with client:
            call = await cloud.ring(receiver.url)
            await client.realtime.calls.accept(call.call_id, type="realtime")
            await client.realtime.calls.hangup(call.call_id)
            assert await call.finished(5) is State.ENDED


async def test_the_openai_package_rejects(receiver: Receiver) -> None:
    async with Simulator() as cloud:
        client = AsyncOpenAI(api_key=cloud.api_key, base_url=f"{cloud.base_url}/v1", max_retries=0)
        async with client:
            call = await cloud.ring(receiver.url)
            await client.realtime.calls.reject(call.call_id, status_code=486)
            assert await call.finished(5) is State.REJECTED
            with pytest.raises(openai.NotFoundError):
                await client.realtime.calls.accept(call.call_id, type="realtime")
    assert call.marks("reject")[0].detail == {"status_code": 486}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "a-stranger"}, openai.NotFoundError),
        ({"extra_body": {"temperature": 1}}, openai.BadRequestError),
        ({"extra_headers": {"Authorization": "Bearer no"}}, openai.AuthenticationError),
    ],
)
async def test_the_openai_package_understands_refusals(
    receiver: Receiver, change: Any, error: type[Exception]
) -> None:
    async with Simulator("azure") as cloud:
        base_url = cloud.base_url + cloud.profile.prefix
        client = AsyncOpenAI(api_key=cloud.api_key, base_url=base_url, max_retries=0)
        async with client:
            call = await cloud.ring(receiver.url)
            body: Any = {"type": "realtime", "model": "gpt-realtime", **change}
            with pytest.raises(error):
                await client.realtime.calls.accept(call.call_id, **body)


async def test_the_openai_package_refuses_a_wrong_signature(receiver: Receiver) -> None:
    async with Simulator() as cloud:
        client = AsyncOpenAI(api_key=cloud.api_key, webhook_secret="whsec_" + "c2VjcmV0" * 4)
        async with client:
            await cloud.ring(receiver.url)
            with pytest.raises(openai.InvalidWebhookSignatureError):
                client.webhooks.unwrap(*receiver.deliveries[0])


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_the_openai_package_holds_a_session_in_text(profile: Any) -> None:
    script = Script(
        model=(CallsTools(("get_weather", {"city": "London"})), Replies(from_tool="It is {sky}."))
    )
    async with Simulator(profile, speed=100.0, direct=script) as cloud:
        base_url = cloud.base_url + cloud.profile.prefix
        client = AsyncOpenAI(api_key=cloud.api_key, base_url=base_url, max_retries=0)
        async with (
            client,
            client.realtime.connect(model="gpt-realtime") as connection,
            asyncio.timeout(10),
        ):
            assert await in_text(connection) == "It is sunny."


async def in_text(connection: Any) -> str:
    """One turn with a function call; the text that it comes to."""
    await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
    part = {"type": "input_text", "text": "What is the weather in London?"}
    await connection.conversation.item.create(
        item={"type": "message", "role": "user", "content": [part]}
    )
    await connection.response.create()
    async for event in connection:
        assert event.type != "error", event
        if event.type == "response.output_text.done":
            return str(event.text)
        if event.type == "response.done":
            (call,) = event.response.output
            output = {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": '{"sky": "sunny"}',
            }
            await connection.conversation.item.create(item=output)
            await connection.response.create()
    raise AssertionError("the cloud has closed the connection")
