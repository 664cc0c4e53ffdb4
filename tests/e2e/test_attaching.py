"""Onto the sideband, and the one greeting."""

from __future__ import annotations

import pytest

from offhook.simulator import (
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Says,
    Script,
    State,
    Timings,
    Waits,
    WaitsFor,
)
from support.serving import GREETING, asks, order_of, said, serving

GREETED = (Hears(), HangsUp())


async def test_a_call_that_cannot_be_joined_yet_is_joined_as_soon_as_it_can() -> None:
    async with serving(faults=Faults(attach_404_for_s=20.0)) as service:
        call = await service.talk(*GREETED)
        assert call.attaches > 1
        assert said(call) == [GREETING]


async def test_a_call_that_can_never_be_joined_is_hung_up() -> None:
    faults = Faults(attach_404_for_s=1e9)
    async with serving(faults=faults, OFFHOOK_ATTACH_BUDGET_MS="1000") as service:
        call = await service.ring()
        assert await call.finished() is State.ENDED
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("attach_failed", "cloud")
        assert order_of(call, "accept", "hangup", "call_ended") == [
            "accept",
            "hangup",
            "call_ended",
        ]


async def test_a_caller_who_leaves_before_we_have_joined_has_hung_up() -> None:
    """Until the hang-up tells it, this looks like a call that cannot be joined yet."""
    async with serving(OFFHOOK_ATTACH_BUDGET_MS="1000") as service:
        call = await service.ring(Script(steps=(HangsUp(),), starts="accepted"))
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("caller_hung_up", "caller")
        assert order_of(call, "attach", "hangup") == []


async def test_a_refused_key_on_the_sideband_is_no_reason_to_try_again() -> None:
    async with serving(faults=Faults(attach_status=(401,))) as service:
        call = await service.ring()
        await call.finished()
        assert (await service.ended(call))["reason"] == "attach_refused"
        assert call.attaches == 1
        assert order_of(call, "hangup") == ["hangup"]


async def test_a_busy_sideband_is_tried_again() -> None:
    async with serving(faults=Faults(attach_status=(503, 500))) as service:
        call = await service.talk(*GREETED)
        assert call.attaches >= 3
        assert said(call) == [GREETING]


@pytest.mark.parametrize("delay_ms", [0, 200])
async def test_the_greeting_waits_as_long_as_it_is_told(delay_ms: int) -> None:
    quick = Timings(connect=0.01)
    async with serving(
        speed=1.0, timings=quick, OFFHOOK_GREETING_DELAY_MS=str(delay_ms)
    ) as service:
        call = await service.ring()
        ordered = await call.reached("client_event", type="response.create")
        (attached,) = call.marks("attach")
        waited = (ordered.at - attached.at) * 1000
        assert delay_ms - 5 <= waited < delay_ms + 150


@pytest.mark.parametrize("created", [True, False])
async def test_a_session_may_introduce_itself_or_not(created: bool) -> None:
    async with serving(faults=Faults(session_created=created)) as service:
        call = await service.talk(*GREETED)
        assert asks(call) == ["greeting"]
        assert said(call) == [GREETING]


async def test_there_is_one_greeting_however_often_the_sideband_is_lost() -> None:
    async with serving() as service:
        call = await service.ring(
            Script(
                steps=(
                    Hears(),
                    LosesSideband(),
                    WaitsFor("attach", 2),
                    Says("Are you there?"),
                    Hears(),
                    LosesSideband(),
                    WaitsFor("attach", 3),
                    Says("And now?"),
                    Hears(),
                    HangsUp(),
                )
            )
        )
        await service.over(call)
        assert len(call.marks("attach")) == 3
        assert asks(call) == ["greeting"]
        assert said(call) == [GREETING, "You said: Are you there?", "You said: And now?"]


async def test_a_sideband_that_is_lost_while_greeting_brings_no_second_greeting() -> None:
    async with serving() as service:
        call = await service.ring(Script(steps=(Waits(2), LosesSideband())))
        await call.reached("attach", count=2)
        call.do(Says("Hello?"))
        await call.reached("bot_said", text="You said: Hello?")
        assert asks(call) == ["greeting"]


async def test_the_first_sound_is_measured() -> None:
    async with serving() as service:
        call = await service.talk(*GREETED)
        (line,) = service.log.of("greeting", call_id=call.call_id)
        assert 0 < line["after_ms"] < 2000
        assert service.counted("offhook_ring_to_greeting_seconds_count") == 1
        assert service.counted("offhook_ring_to_accept_seconds_count") == 1
