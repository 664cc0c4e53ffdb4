"""When a sideband can be attached, how it breaks and how it closes."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from offhook.simulator import (
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Says,
    Script,
    Simulator,
    State,
    Waits,
)


async def refused(client: Any, call_id: str, **headers: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await client.attach(call_id, **headers)
    return int(error.value.status)


async def test_a_call_must_be_accepted_first(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        assert await refused(connect(cloud), call.call_id) == 404
        assert await refused(connect(cloud), "rtc_u0_nobody") == 404


async def test_a_wrong_key_is_401(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id)
        assert await refused(connect(cloud), call.call_id, Authorization="Bearer no") == 401


async def test_the_beta_header_leads_nowhere(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id)
        status = await refused(connect(cloud), call.call_id, **{"OpenAI-Beta": "realtime=v1"})
    assert status == 404


async def test_joining_can_be_too_early(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=20, faults=Faults(attach_404_for_s=2.0)) as cloud:
        call = await cloud.ring(webhooks.url)
        client = connect(cloud)
        await client.accept(call.call_id)
        refusals: list[int] = []
        while call.state is not State.LIVE:
            try:
                await client.attach(call.call_id)
            except aiohttp.WSServerHandshakeError as error:
                refusals.append(error.status)
    assert set(refusals) == {404}


async def test_the_first_attempts_to_attach_can_fail(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(attach_status=(500,))) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id)
        assert await refused(connect(cloud), call.call_id) == 500
        await connect(cloud).attach(call.call_id)
        assert call.state is State.LIVE


async def test_nothing_is_sent_before_the_client_speaks(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        await line.send("session.update", session={"type": "realtime"})
        assert (await line.until("session.updated"))["session"]["id"].startswith("sess_")
    assert line.kinds == ["session.updated"]


async def test_session_created_can_be_switched_on(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(session_created=True)) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        event = await line.until("session.created")
    assert event["session"]["instructions"] == "Be brief."


@pytest.mark.parametrize(("profile", "code"), [("openai", 1006), ("azure", 1000)])
async def test_a_caller_who_leaves_closes_the_sideband(
    webhooks: Any, connect: Any, profile: Any, code: int
) -> None:
    async with Simulator(profile, speed=50) as cloud:
        call = await cloud.ring(webhooks.url, Script(steps=(Waits(0.1), HangsUp())))
        line = await connect(cloud).join(call.call_id)
        assert await line.closed() == code
        assert (await connect(cloud).post(call.call_id, "hangup"))[0] == 404
    assert call.state is State.ENDED
    assert [mark.kind for mark in call.trace if "caller" in mark.kind] == ["caller_hung_up"]


async def test_the_close_code_can_be_chosen(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(HangsUp(),))
    async with Simulator(speed=50, faults=Faults(close_code=1011)) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        assert await line.closed() == 1011


async def test_a_call_outlives_its_sideband_and_keeps_its_history(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        await line.until("output_audio_buffer.stopped")
        call.drop_sideband()
        assert await line.closed() == 1006
        assert call.state is State.LIVE

        line = await connect(cloud).attach(call.call_id)
        await line.order("Still here.")
        added = await line.until("conversation.item.added")
        assert added["previous_item_id"] is not None
        assert len(call.items) == 3
        await line.until("output_audio_buffer.stopped")
    assert "bot: Still here." in call.transcript()


async def test_a_sideband_can_be_dropped_after_so_many_events(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(drop_sideband_after=3)) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        assert await line.closed() == 1006
        await call.reached("bot_said", text="Hello.")
        line = await connect(cloud).attach(call.call_id)
        await line.order("Still here.")
        await line.until("output_audio_buffer.stopped")
    assert len(call.marks("detach")) == 2


async def test_frames_can_be_lost_with_the_connection(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Says("Hello?"), HangsUp()))
    async with Simulator(speed=float("inf"), faults=Faults(frames_lost=True)) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        assert await line.closed() == 1006


async def test_a_call_can_be_followed_to_its_end(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Hears(), HangsUp()))
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        followed = [mark async for mark in call.follow()]
    assert followed == call.trace[: len(followed)]
    assert (followed[0].kind, followed[-1].kind) == ("ring", "call_ended")


async def test_a_dropped_call_may_be_gone(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Hears(), LosesSideband()))
    async with Simulator(speed=50, faults=Faults(gone_after_drop=True)) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        assert await line.closed() == 1006
        assert await refused(connect(cloud), call.call_id) == 404


async def test_after_a_drop_nobody_can_attach_for_a_while(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(LosesSideband(for_s=30.0),))
    async with Simulator(speed=50, faults=Faults()) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        assert await line.closed() == 1006
        assert await refused(connect(cloud), call.call_id) == 404
        assert call.state is State.LIVE


async def test_a_session_expires(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=100, faults=Faults(session_max_s=10.0)) as cloud:
        call = await cloud.ring(webhooks.url)
        line = await connect(cloud).join(call.call_id)
        error = await line.until("error")
        assert error["error"]["code"] == "session_expired"
        assert await line.closed() == 1001


async def test_two_sidebands_see_the_same_events(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await cloud.ring(webhooks.url)
        first = await connect(cloud).join(call.call_id)
        second = await connect(cloud).attach(call.call_id)
        await first.order("Hello.")
        assert await first.until("response.done") == await second.until("response.done")


async def test_a_deaf_sideband_says_nothing(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Hears(), HangsUp()))
    async with Simulator(speed=50, faults=Faults(deaf=True)) as cloud:
        call = await cloud.ring(webhooks.url, script)
        line = await connect(cloud).join(call.call_id)
        await line.order("Hello.")
        await line.closed()
    assert line.events == []
    assert "bot: Hello." in call.transcript()


async def test_a_slow_network_costs_round_trips(webhooks: Any, connect: Any) -> None:
    """TCP's handshake, the request and its answer: two round trips; a warm connection needs one."""
    async with Simulator(speed=float("inf"), network_delay_s=0.02) as cloud:
        client = connect(cloud)
        call = await cloud.ring(webhooks.url)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await client.accept(call.call_id))[0] == 200
        cold = loop.time() - began
        began = loop.time()
        line = await client.attach(call.call_id)
        warm = loop.time() - began
        await line.order("Hello.")
        await line.until("output_audio_buffer.stopped")
    assert cold >= 0.08
    assert warm >= 0.04
