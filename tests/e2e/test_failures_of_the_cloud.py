"""What the cloud does wrong, and what the caller notices of it: as little as can be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from offhook import Call, tool
from offhook.simulator import Call as CloudCall
from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Script,
    Silent,
    State,
    StopsShort,
    Waits,
    WaitsFor,
)
from support.serving import (
    GREETING,
    Service,
    asks,
    order_of,
    plain_bot,
    said,
    serving,
)

PROFILES = pytest.mark.parametrize("profile", ["openai", "azure"])
SORRY = Replies("Here I am!")


async def asked(service: Service, *acts: Any) -> CloudCall:
    """A call on which the model does these things when it is asked something."""
    return await service.talk(Hears(), Says("Hello?"), Hears("!"), HangsUp(), model=acts)


@pytest.mark.parametrize("code", ["rate_limit_exceeded", "server_error", None])
async def test_a_response_that_fails_is_asked_for_again(code: str | None) -> None:
    async with serving() as service:
        call = await asked(service, FailsWith(code), SORRY)
        assert said(call) == [GREETING, "Here I am!"]
        assert asks(call) == ["greeting", "again"]


async def test_a_model_that_fails_twice_ends_a_call_that_nobody_can_take_over() -> None:
    async with serving() as service:
        call = await service.ring(
            Script(steps=(Hears(), Says("Hello?")), model=(FailsWith("server_error", repeat=True),))
        )
        assert await call.finished() is State.ENDED
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("model_failed", "cloud")
        assert asks(call) == ["greeting", "again"]
        assert order_of(call, "hangup") == ["hangup"]


async def test_an_account_without_money_is_not_asked_again() -> None:
    async with serving() as service:
        call = await service.ring(
            Script(steps=(Hears(), Says("Hello?")), model=(FailsWith("insufficient_quota"),))
        )
        await call.finished()
        end = await service.ended(call)
        assert end["reason"] == "model_failed"
        assert "insufficient_quota" in end["detail"]
        assert asks(call) == ["greeting"]


async def test_a_response_with_nothing_in_it_is_asked_for_again_once() -> None:
    async with serving() as service:
        call = await asked(service, Silent(), SORRY)
        assert said(call) == [GREETING, "Here I am!"]
        assert asks(call) == ["greeting", "again"]


async def test_a_model_that_stays_silent_is_not_asked_for_ever() -> None:
    async with serving() as service:
        call = await service.ring(
            Script(
                steps=(Hears(), Says("Hello?"), WaitsFor("client_event", 4), Waits(10), HangsUp()),
                model=(Silent(to="Hello", repeat=True),),
            )
        )
        await service.over(call)
        assert asks(call) == ["greeting", "again"]


@pytest.mark.parametrize("act", [FailsWith("server_error", ordered=True), Silent(ordered=True)])
async def test_a_greeting_that_fails_is_said_at_the_second_try(act: Any) -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp(), model=(act,))
        assert said(call) == [GREETING]
        assert asks(call) == ["greeting", "greeting"]


async def test_an_answer_that_ends_too_soon_is_no_reason_to_start_again() -> None:
    async with serving() as service:
        call = await asked(service, StopsShort("Well, it is so that!"))
        assert said(call) == [GREETING, "Well, it is so that!"]
        assert asks(call) == ["greeting"]


@PROFILES
async def test_a_lost_sideband_is_found_again_and_the_call_goes_on(profile: Any) -> None:
    async with serving(profile=profile) as service:
        call = await service.talk(
            Hears(),
            LosesSideband(),
            WaitsFor("attach", 2),
            Says("Still there?"),
            Hears(),
            HangsUp(),
        )
        assert said(call) == [GREETING, "You said: Still there?"]
        opened = service.log.of("ws_opened", call_id=call.call_id)
        assert [line["again"] for line in opened] == [False, True]
        assert service.counted("offhook_sideband_reattach_total") == 1
        assert (await service.ended(call))["reason"] == "caller_hung_up"


@pytest.mark.parametrize("frames_lost", [True, False])
@pytest.mark.parametrize("after", [1, 4, 9, 16, 25, 32, 40])
async def test_wherever_the_sideband_breaks_the_caller_is_served(
    after: int, frames_lost: bool
) -> None:
    """Also if what was on its way is lost with it: tools run once, one greeting, an end."""
    ran = []

    @tool
    async def stock(product: str) -> str:
        """Look up the stock."""
        ran.append(product)
        return "3 left"

    faults = Faults(drop_sideband_after=after, frames_lost=frames_lost)
    async with serving(plain_bot(tools=[stock]), faults=faults) as service:
        call = await service.ring(
            Script(
                steps=(Waits(6), Says("Is there a lamp?"), Waits(6)),
                model=(CallsTools(("stock", {"product": "lamp"})), Replies("Yes!", to="lamp")),
            )
        )
        await call.reached("attach", count=2)
        await call.reached("bot_said", text=GREETING)
        call.do(Says("And a desk?"))
        await call.reached("bot_said", text="You said: And a desk?")
        call.do(HangsUp())
        assert (await service.over(call))["reason"] == "caller_hung_up"
        assert asks(call)[0] == "greeting"
        assert asks(call).count("greeting") == 1
        assert ran in ([], ["lamp"])


async def test_a_call_that_is_gone_with_its_sideband_is_over() -> None:
    faults = Faults(drop_sideband_after=30, gone_after_drop=True)
    async with serving(faults=faults) as service:
        call = await service.ring(Script(steps=(Hears(), Says("Hello?"))))
        assert (await service.over(call))["reason"] == "caller_hung_up"


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1011])
async def test_however_the_sideband_closes_a_caller_who_left_has_left(code: int) -> None:
    async with serving(faults=Faults(close_code=code)) as service:
        call = await service.talk(Hears(), HangsUp())
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("caller_hung_up", "caller")
        assert order_of(call, "hangup") == []


@PROFILES
async def test_a_session_that_expires_ends_as_what_it_is(profile: Any) -> None:
    async with serving(profile=profile, faults=Faults(session_max_s=10.0)) as service:
        call = await service.ring(Script(steps=(Hears(),)))
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("session_expired", "cloud")


@PROFILES
async def test_who_would_be_cut_off_is_warned_and_hears_a_goodbye(profile: Any) -> None:
    speed, lasts = 60.0, 65.0
    faults = Faults(session_max_s=lasts * speed, session_created=True)
    limits = {"goodbye": 47.5, "wrap_up": 1.0}  # so that it is time within three seconds
    async with serving(profile=profile, faults=faults, speed=speed, limits=limits) as service:
        call = await service.ring(Script(steps=(Hears(),)))
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("max_length", "bot")
        assert asks(call) == ["greeting", "wrap_up", "goodbye"]
        assert order_of(call, "hangup") == ["hangup"]


async def test_events_and_fields_that_nobody_knows_are_counted_and_harm_nothing() -> None:
    faults = Faults(novelties=True, audio_deltas=True, session_created=True)
    async with serving(
        faults=faults, OFFHOOK_GREETING_BARGE_IN="0", tolerate=["odd frame"]
    ) as service:
        call = await service.talk(Hears(), Says("One."), Hears(), HangsUp())
        assert said(call) == [GREETING, "You said: One."]
        assert len(service.log.of("odd frame")) == 1
        assert service.counted("offhook_unknown_frames_total", type="session.mood_changed") >= 1


async def test_a_refusal_that_does_not_say_of_what_is_understood() -> None:
    """`conversation_already_has_active_response` is sent without the id of what it is about.

    The caller speaks while our request is on its long way, so that the cloud's own answer has
    begun when it arrives.
    """
    bot = plain_bot()

    @bot.on_dtmf
    async def key(call: Call, key: str) -> str:
        return f'Say "You pressed {key}."'

    faults = Faults(active_error_without_event_id=True)
    async with serving(bot, faults=faults, network_delay_s=0.03) as service:
        call = await service.talk(
            Hears(),
            Presses("1"),
            Waits(1.0),
            Says("Tell me."),
            Hears("You pressed 1."),
            HangsUp(),
            model=(Replies("word " * 100 + "end."),),
        )
        codes = [m.detail["code"] for m in call.marks("error_sent")]
        assert codes == ["conversation_already_has_active_response"]
        assert asks(call) == ["greeting", "hook", "hook"]
        assert said(call)[-1] == "You pressed 1."


async def test_a_sideband_on_which_nothing_comes_is_checked_and_then_given_up() -> None:
    async with serving(faults=Faults(deaf=True), limits={"no_event": 0.1}) as service:
        call = await service.ring(Script())
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("no_events", "cloud")
        assert len(call.marks("attach")) > 1
        assert order_of(call, "hangup") == ["hangup"]


async def test_many_calls_at_once_do_not_get_in_each_others_way() -> None:
    async with serving(speed=20.0) as service:
        scripts = [
            Script(steps=(Hears(), Says(f"I am {n}."), Hears(), HangsUp())) for n in range(25)
        ]
        calls = await asyncio.gather(*(service.ring(script) for script in scripts))
        for number, call in enumerate(calls):
            await service.over(call)
            assert said(call) == [GREETING, f"You said: I am {number}."]
            assert asks(call) == ["greeting"]
        reasons = {line["reason"] for line in service.log.of("ended")}
        assert reasons == {"caller_hung_up"}
