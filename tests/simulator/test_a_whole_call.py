"""A call from its ring to its end, as a client sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from offhook.simulator import (
    CallsTools,
    Hears,
    Replies,
    Says,
    Script,
    Simulator,
    State,
)

Connect = Callable[[Simulator], Any]

ORDER_STATUS = Script(
    name="order-status",
    steps=(Hears(), Says("Where is my order ACME-12345?"), Hears(), Says("A human, please.")),
    model=(
        CallsTools(("lookup_order", {"order_number": "ACME-12345"}), preamble="One moment."),
        Replies(from_tool="Your order {order_number} is {status}."),
        CallsTools(("transfer", {"reason": "asked for"})),
    ),
)


@pytest.mark.parametrize("profile", ["openai", "azure"])
@pytest.mark.parametrize("speed", [30.0, float("inf")])
async def test_a_call_goes_from_ring_to_transfer(
    profile: Literal["openai", "azure"], speed: float, webhooks: Any, connect: Connect
) -> None:
    async with Simulator(profile, speed=speed) as cloud:
        client = connect(cloud)
        call = await cloud.ring(webhooks.url, ORDER_STATUS)
        assert call.webhook_status == 200
        line = await client.join(call.call_id)

        await line.order("Hello, this is Acme.")
        await line.until("output_audio_buffer.stopped")
        asked = await line.until("response.function_call_arguments.done")
        await line.send(
            "conversation.item.create",
            item={
                "type": "function_call_output",
                "call_id": asked["call_id"],
                "output": '{"order_number": "ACME-12345", "status": "on its way"}',
            },
        )
        await line.until("response.done")
        await line.send("response.create")
        asked = await line.until("response.function_call_arguments.done")
        assert asked["name"] == "transfer"
        await line.until("response.done")
        await line.order("I connect you.")
        await line.until("output_audio_buffer.stopped")
        assert await client.post(call.call_id, "refer", {"target_uri": "tel:+15550123"}) == (
            200,
            None,
        )
        assert await line.closed() == 1000
        assert await call.finished(5) is State.TRANSFERRED
    tools = [line for line in call.transcript().splitlines() if line.startswith("tool")]
    assert tools == ['tool answers {"order_number": "ACME-12345", "status": "on its way"}']
    assert [line for line in call.transcript().splitlines() if line not in tools] == [
        "bot: Hello, this is Acme.",
        "caller: Where is my order ACME-12345?",
        'bot calls lookup_order {"order_number": "ACME-12345"}',
        "bot: One moment.",
        "bot: Your order ACME-12345 is on its way.",
        "caller: A human, please.",
        'bot calls transfer {"reason": "asked for"}',
        "bot: I connect you.",
        "transfer to tel:+15550123: 200",
    ]
