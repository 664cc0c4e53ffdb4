"""Callers leave at bad moments, sidebands break or fall silent, and news has unknown fields."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from offhook.simulator import (
    Faults,
    HangsUp,
    Replies,
    Says,
    Script,
    Simulator,
    State,
    Waits,
)

LONG = "This is a rather long answer that takes its time to be spoken and can be cut off. " * 3


async def test_a_caller_may_leave_while_the_answer_is_made(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Says("Go on."), Waits(0.6), HangsUp()), model=(Replies(LONG),))
    async with Simulator(speed=20) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        assert await line.closed() == 1006
    assert "response.created" in line.kinds
    assert "response.done" not in line.kinds


async def test_a_caller_may_leave_before_anyone_attaches(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(HangsUp(),), starts="accepted")
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url, script)
        assert (await connect(cloud).accept(call.call_id))[0] == 200
        await call.finished(2)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(cloud).attach(call.call_id)
    assert refused.value.status == 404


async def test_the_cloud_may_not_notice_that_the_caller_left_while_it_rang(
    webhooks: Any, connect: Any
) -> None:
    script = Script(steps=(HangsUp(),), starts="ringing")
    async with Simulator(speed=50, faults=Faults(ghost_s=30.0)) as cloud:
        call = await cloud.ring(webhooks.url, script)
        await call.reached("caller_hung_up")
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello?")
        await line.until("output_audio_buffer.stopped")
        assert call.state is State.LIVE
        assert await line.closed() == 1006
    assert call.marks("call_ended")[0].detail == {"reason": "caller_hung_up"}


async def test_what_happens_in_a_gap_is_never_told(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url, Script(model=(Replies("Yes."),)))
        line = await connect(cloud).join(call.call_id)
        call.drop_sideband()
        await line.closed()
        await line.send_if_open("response.create")
        call.do(Says("Are you there?"))
        await call.reached("bot_said", text="Yes.")
        again = await connect(cloud).attach(call.call_id)
        await again.send("session.update", session={"type": "realtime"})
        await again.until("session.updated")
    assert again.kinds == ["session.updated"]
    assert [mark.detail["type"] for mark in call.marks("client_event")] == ["session.update"]
    assert len(call.items) == 2


async def test_a_sideband_can_fall_silent(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(deaf_after=2)) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        await call.reached("bot_said")
        call.do(HangsUp())
        await line.closed()
    assert len(line.events) == 2


async def test_unknown_fields_are_everywhere(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(novelties=True)) as cloud:
        call = await cloud.ring(webhooks.url, Script(steps=(Says("Hello."),)))
        line = await connect(cloud).join(call.call_id)
        done = await line.until("response.done")
    assert "x_novelty" in done
    assert "x_novelty" in done["response"]["output"][0]["content"][0]
    assert "x_novelty" in done["response"]["usage"]["input_token_details"]
    assert not any("x_novelty" in item for item in call.items)


@pytest.mark.parametrize("status", [403, 500])
async def test_a_door_can_stay_shut(webhooks: Any, connect: Any, status: int) -> None:
    async with Simulator(speed=50, faults=Faults(attach_status=(status,))) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(cloud).attach(call.call_id)
    assert refused.value.status == status


async def test_opening_a_sideband_takes_time(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).join(call.call_id)
    assert call.marks("attach")[0].at - call.marks("accept")[0].at >= 0.6
