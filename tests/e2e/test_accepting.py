"""From the ring to an accepted call, with everything that may go wrong there."""

from __future__ import annotations

from offhook.simulator import Faults, HangsUp, Hears, Script, State
from support.serving import (
    GREETING,
    asks,
    order_of,
    plain_bot,
    said,
    sent,
    serving,
)

GREETED = (Hears(), HangsUp())


async def test_a_call_is_accepted_greeted_and_ends_when_the_caller_hangs_up() -> None:
    async with serving() as service:
        call = await service.talk(*GREETED)
        assert call.webhook_status == 200
        assert said(call) == [GREETING]
        assert asks(call) == ["greeting"]
        assert (await service.ended(call))["reason"] == "caller_hung_up"


async def test_everything_about_the_session_is_in_the_one_accept() -> None:
    async with serving() as service:
        call = await service.talk(*GREETED)
        (accept,) = call.marks("accept")
        assert accept.detail["status"] == 200
        assert accept.detail["body"]["audio"]["output"] == {"voice": "marin"}
        assert sent(call, "session.update") == []


async def test_two_times_busy_and_then_yes_serves_the_caller() -> None:
    async with serving(faults=Faults(accept_status=(503, 503))) as service:
        call = await service.talk(*GREETED)
        assert [m.detail["status"] for m in call.marks("accept")] == [503, 503, 200]
        assert said(call) == [GREETING]


async def test_a_busy_cloud_makes_the_call_be_rejected_inside_the_ring_budget() -> None:
    async with serving(
        faults=Faults(accept_status=(503,) * 50),
        OFFHOOK_RING_BUDGET_MS="600",
        OFFHOOK_ACCEPT_TIMEOUT_MS="200",
        OFFHOOK_REJECT_CODE="486",
    ) as service:
        call = await service.ring()
        assert await call.finished() is State.REJECTED
        assert [m.detail["status_code"] for m in call.marks("reject")] == [486]
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("accept_failed", "cloud")
        assert end["seconds"] <= 0.9


async def test_an_accept_that_hangs_is_tried_again() -> None:
    async with serving(faults=Faults(accept_hangs=1), OFFHOOK_ACCEPT_TIMEOUT_MS="150") as service:
        call = await service.talk(*GREETED)
        assert [m.detail["status"] for m in call.marks("accept")] == [None, 200]
        assert said(call) == [GREETING]


async def test_the_webhook_is_answered_before_the_accept_is() -> None:
    faults = Faults(accept_hangs=1)
    async with serving(faults=faults, OFFHOOK_ACCEPT_TIMEOUT_MS="500") as service:
        call = await service.ring()
        assert call.webhook_status == 200
        assert call.state is State.RINGING
        await call.reached("attach")


async def test_an_accept_whose_answer_is_lost_counts_when_the_next_says_taken() -> None:
    async with serving(faults=Faults(accept_answer_lost=1)) as service:
        call = await service.talk(*GREETED)
        assert [m.detail["status"] for m in call.marks("accept")] == [200, 409]
        assert said(call) == [GREETING]


async def test_a_call_that_somebody_else_has_taken_is_left_alone() -> None:
    async with serving(faults=Faults(accept_status=(409,))) as service:
        call = await service.ring()
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("taken_elsewhere", "configuration")
        assert order_of(call, "accept", "reject", "hangup", "attach") == ["accept"]


async def test_a_caller_who_left_before_the_accept_costs_nothing_more() -> None:
    async with serving() as service:
        call = await service.ring(Script(steps=(HangsUp(),), starts="ringing"))
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("caller_left_early", "caller")
        assert order_of(call, "accept", "attach", "reject", "hangup", "refer") == []


async def test_an_unknown_call_is_not_accepted_twice_and_not_rejected() -> None:
    async with serving(faults=Faults(accept_status=(404,))) as service:
        call = await service.ring()
        assert (await service.ended(call))["reason"] == "caller_left_early"
        assert order_of(call, "accept", "attach", "reject", "hangup") == ["accept"]


async def test_a_refused_key_rejects_the_call_and_says_whose_fault_it_is() -> None:
    async with serving(faults=Faults(accept_status=(401,))) as service:
        call = await service.ring()
        assert await call.finished() is State.REJECTED
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("accept_refused", "configuration")
        assert order_of(call, "accept", "reject") == ["accept", "reject"]


async def test_a_key_that_opens_nothing_ends_the_call_all_the_same() -> None:
    async with serving(limits={"hang_up": 0.2}, OPENAI_API_KEY="sk-of-another-project") as service:
        call = await service.ring()
        assert (await service.ended(call))["reason"] == "accept_refused"
        assert call.state is State.RINGING


VOICE = "session.audio.output.voice"


async def test_a_cloud_that_refuses_the_voice_by_its_name_gets_it_by_the_old_one() -> None:
    async with serving(faults=Faults(refuse_parameter=VOICE)) as service:
        call = await service.talk(*GREETED)
        first, second = call.marks("accept")
        assert first.detail["status"] == 400
        assert second.detail["status"] == 200
        assert "output" not in second.detail["body"]["audio"]
        (update,) = sent(call, "session.update")
        assert update["session"] == {"type": "realtime", "voice": "marin"}
        assert said(call) == [GREETING]


async def test_a_voice_that_is_refused_by_both_names_is_let_be() -> None:
    faults = Faults(refuse_parameter=(VOICE, "session.voice"))
    async with serving(faults=faults, tolerate=["cloud complains"]) as service:
        call = await service.talk(*GREETED)
        assert len(call.marks("accept")) == 2
        assert len(sent(call, "session.update")) == 1
        assert len(call.marks("error_sent")) == 1
        assert said(call) == [GREETING]


async def test_a_bot_of_its_own_voice_is_accepted_with_it() -> None:
    async with serving(plain_bot(voice="voice_abc123")) as service:
        call = await service.talk(*GREETED)
        (accept,) = call.marks("accept")
        assert accept.detail["body"]["audio"]["output"] == {"voice": {"id": "voice_abc123"}}
        assert sent(call, "session.update") == []
