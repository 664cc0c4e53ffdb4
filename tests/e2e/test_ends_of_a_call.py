"""How calls end: with a goodbye that is heard, and never alive and paid for in the cloud."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from offhook import Call, HangUp, tool
from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Replies,
    Says,
    Script,
    State,
    WaitsFor,
)
from offhook.telephony.targets import Target
from support.serving import (
    GREETING,
    asks,
    first,
    order_of,
    outputs,
    plain_bot,
    said,
    sent,
    serving,
)

GOODBYE = "Thank you for calling. Goodbye!"
BYE = CallsTools(("end_call", {"reason": "the caller said goodbye"}))
LEAVES = Script(steps=(Hears(), Says("Bye.")), model=(BYE,))


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_the_goodbye_is_heard_before_the_call_is_hung_up(profile: Any) -> None:
    async with serving(profile=profile, OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await service.ring(LEAVES)
        end = await service.over(call)
        assert said(call) == [GREETING, GOODBYE]
        order = order_of(call, "bot_audio_stopped", "hangup", "call_ended")
        assert order == ["bot_audio_stopped", "bot_audio_stopped", "hangup", "call_ended"]
        assert (end["reason"], end["fault"]) == ("bot_hung_up", "bot")
        assert end["detail"] == "the caller said goodbye"
        assert len(outputs(call)) == 1
        assert asks(call) == ["greeting", "goodbye"]


async def test_nobody_can_cut_in_on_a_goodbye() -> None:
    async with serving() as service:
        call = await service.ring(LEAVES)
        await call.reached("bot_audio_started", count=2)
        call.do(Says("One more thing!"))
        await service.over(call)
        assert said(call) == [GREETING, GOODBYE]
        assert call.marks("bot_audio_cleared") == []


async def test_a_model_that_has_said_goodbye_itself_is_heard_and_no_more_is_said() -> None:
    act = CallsTools(BYE.calls[0], preamble="See you soon!")
    async with serving() as service:
        call = await service.talk(Hears(), Says("Bye."), model=(act,))
        assert said(call) == [GREETING, "See you soon!"]
        assert order_of(call, "bot_audio_stopped", "hangup")[-1] == "hangup"


async def test_a_tool_of_the_bot_may_end_the_call_with_words_of_its_own() -> None:
    @tool
    async def insulted() -> HangUp:
        """Note an insult."""
        return HangUp("insulted", "I do not have to listen to this.")

    async with serving(plain_bot(tools=[insulted]), OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        act = CallsTools(("insulted", {}))
        call = await service.talk(Hears(), Says("You!"), model=(act,))
        assert said(call) == [GREETING, "I do not have to listen to this."]
        assert (await service.ended(call))["detail"] == "insulted"


async def test_a_bot_that_may_not_hang_up_is_not_offered_to() -> None:
    async with serving(plain_bot(may_hang_up=False)) as service:
        call = await service.talk(Hears(), HangsUp())
        assert call.marks("accept")[0].detail["body"]["tools"] == []


async def test_a_goodbye_that_takes_too_long_is_not_waited_for() -> None:
    async with serving(speed=5.0, OFFHOOK_GOODBYE_LIMIT_MS="300") as service:
        call = await service.ring(LEAVES)
        await service.over(call)
        assert order_of(call, "hangup") == ["hangup"]
        assert len(call.marks("bot_audio_stopped")) == 1


async def test_a_goodbye_that_the_model_cannot_say_does_not_keep_the_call() -> None:
    fails = FailsWith("server_error", ordered=True, repeat=True)
    async with serving() as service:
        call = await service.talk(
            Hears(), Says("Bye."), model=(Replies(GREETING, ordered=True), BYE, fails)
        )
        assert said(call) == [GREETING]
        assert (await service.ended(call))["reason"] == "bot_hung_up"


async def test_a_caller_who_hangs_up_during_the_goodbye_is_let_go() -> None:
    async with serving() as service:
        call = await service.ring(LEAVES)
        await call.reached("bot_audio_started", count=2)
        call.caller_hangs_up()
        assert (await service.ended(call))["reason"] == "bot_hung_up"


async def test_a_hang_up_that_fails_is_tried_again() -> None:
    async with serving(faults=Faults(hangup_status=(503,))) as service:
        call = await service.ring(LEAVES)
        end = await service.over(call)
        assert call.hangups == 2
        assert end["reason"] == "bot_hung_up"
        assert "never confirmed" not in end["detail"]


async def test_a_hang_up_of_a_call_that_is_gone_is_done() -> None:
    """404 and `call_id_not_found`: what was wanted is the case."""
    async with serving(faults=Faults(hangup_status=(404,))) as service:
        call = await service.ring(LEAVES)
        end = await service.ended(call)
        assert call.hangups == 1
        assert end["reason"] == "bot_hung_up"
        assert call.state is not State.ENDED


async def test_a_hang_up_that_never_works_is_given_up_and_said_so() -> None:
    faults = Faults(hangup_status=(503,) * 100)
    async with serving(faults=faults, limits={"hang_up": 0.3}) as service:
        call = await service.ring(LEAVES)
        assert "never confirmed" in (await service.ended(call))["detail"]
        await call.reached("detach")
        assert call.state is State.LIVE


async def test_a_call_that_is_too_long_is_warned_and_then_ended() -> None:
    async with serving(speed=30.0, limits={"call": 0.9, "wrap_up": 0.6}) as service:
        call = await service.ring(Script(steps=(Hears(),)))
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("max_length", "bot")
        assert said(call) == [
            GREETING,
            "Our call must end in about a minute. Is there one last thing?",
            "Our time is up, and I have to end the call. Thank you, goodbye!",
        ]
        assert asks(call) == ["greeting", "wrap_up", "goodbye"]
        assert order_of(call, "hangup") == ["hangup"]


async def test_the_longest_call_ends_in_the_middle_of_a_word_if_it_must() -> None:
    long = Replies("And another thing: " * 40)
    async with serving(speed=20.0, limits={"call": 1.0, "wrap_up": 0.0}) as service:
        call = await service.ring(Script(steps=(Hears(), Says("Go on.")), model=(long,)))
        end = await service.over(call)
        assert end["reason"] == "max_length"
        assert said(call)[-1].startswith("Our time is up")
        assert sent(call, "output_audio_buffer.clear")


async def test_a_call_of_the_longest_length_ends_without_its_sideband_too() -> None:
    async with serving(limits={"call": 0.5, "wrap_up": 0.0}) as service:
        faults = Faults(attach_status=(), drop_sideband_after=20)
        call = await service.ring(Script(steps=(Hears(),)), faults=faults)
        assert (await service.over(call))["reason"] == "max_length"


async def test_to_drain_is_to_wait_for_the_live_calls() -> None:
    async with serving() as service:
        call = await service.ring(Script(steps=(Hears(),)))
        await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        await service.log.reached("draining", live_calls=1)
        call.do(Says("Still there?"))
        call.do(Hears())
        call.do(HangsUp())
        end = await service.over(call)
        assert said(call) == [GREETING, "You said: Still there?"]
        assert end["reason"] == "caller_hung_up"
        async with asyncio.timeout(5):
            await service.process


async def test_after_the_time_to_drain_calls_are_ended_politely() -> None:
    async with serving(OFFHOOK_DRAIN_S="0.2") as service:
        call = await service.ring(Script(steps=(Hears(),)))
        await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("shut_down", "us")
        assert said(call) == [
            GREETING,
            "I am sorry, I have to end the call. Please call again. Goodbye!",
        ]
        assert order_of(call, "hangup") == ["hangup"]
        async with asyncio.timeout(5):
            await service.process


TARGETS = {
    "sales": Target("sales", "tel:+14155550133", "our sales team"),
    "support": Target("support", "tel:+14155550134", "support"),
}


async def test_after_the_time_to_drain_calls_are_transferred_to_the_first_target() -> None:
    bot = plain_bot(targets=TARGETS)
    async with serving(bot, OFFHOOK_DRAIN_S="0", OFFHOOK_DRAIN_THEN="transfer") as service:
        calls = [await service.ring(Script(steps=(Hears(),))) for _ in range(2)]
        for call in calls:
            await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        for call in calls:
            assert await call.finished() is State.TRANSFERRED
            assert first(call, "refer").detail["target_uri"] == "tel:+14155550133"
            assert (await service.ended(call))["reason"] == "transferred"
            assert said(call)[1:] == [
                "I am connecting you with our sales team. One moment, please."
            ]
            assert order_of(call, "hangup") == []
        async with asyncio.timeout(5):
            await service.process


@pytest.mark.parametrize("targets", [TARGETS, {}])
async def test_where_nobody_can_take_the_caller_then_a_goodbye_ends_the_call(targets: Any) -> None:
    async with serving(
        plain_bot(targets=targets),
        faults=Faults(refer=500),
        limits={"announce": 0.5, "refer_watch": 0.5},
        OFFHOOK_DRAIN_S="0",
        OFFHOOK_DRAIN_THEN="transfer",
    ) as service:
        call = await service.ring(Script(steps=(Hears(),)))
        await call.reached("bot_said")
        service.server.handle_exit(signal.SIGTERM, None)
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("shut_down", "us")
        assert len(call.marks("refer")) == len(targets) // 2
        assert said(call)[-1].endswith("Please call again. Goodbye!")
        assert order_of(call, "hangup") == ["hangup"]


async def test_a_call_that_still_rings_is_rejected_when_the_time_to_drain_is_over() -> None:
    async with serving(faults=Faults(accept_hangs=9), OFFHOOK_DRAIN_S="0") as service:
        call = await service.ring()
        await call.reached("accept")
        service.server.handle_exit(signal.SIGTERM, None)
        assert await call.finished() is State.REJECTED
        assert (await service.ended(call))["reason"] == "shut_down"


async def test_a_bug_of_ours_ends_one_call_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from offhook.core import records

    note = records.note

    def breaks(call: Call, event: Any, now: float) -> Any:
        if getattr(event, "text", "") == "Break.":
            raise ZeroDivisionError("a bug")
        return note(call, event, now)

    monkeypatch.setattr(records, "note", breaks)
    async with serving(tolerate=["bug"]) as service:
        good = await service.ring(Script(steps=(Hears(), Says("Hello."))))
        await good.reached("bot_said", count=2)
        bad = await service.ring(Script(steps=(Hears(), Says("Break."))))
        end = await service.over(bad)
        assert (end["reason"], end["fault"]) == ("bug", "us")
        assert bad.marks("hangup")
        assert "ZeroDivisionError" in service.log.of("bug")[0]["exception"]
        good.do(Says("And you?"))
        good.do(Hears())
        good.do(HangsUp())
        assert (await service.over(good))["reason"] == "caller_hung_up"


async def test_a_bug_in_how_frames_are_taken_ends_one_call_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from offhook.realtime import hearing

    receive = hearing.receive

    def breaks(surface: Any, frame: Any, now: float, out: Any) -> Any:
        if getattr(frame, "transcript", "") == "Break.":
            raise ZeroDivisionError("a bug")
        return receive(surface, frame, now, out)

    monkeypatch.setattr(hearing, "receive", breaks)
    async with serving(tolerate=["bug"]) as service:
        call = await service.ring(Script(steps=(Hears(), Says("Break."))))
        end = await service.over(call)
        assert (end["reason"], end["fault"]) == ("bug", "us")
        assert order_of(call, "hangup") == ["hangup"]


async def test_a_finished_call_leaves_nothing_behind() -> None:
    async with serving() as service:
        for _ in range(5):
            call = await service.talk(Hears(), LosesSideband(), WaitsFor("attach", 2), HangsUp())
            assert (await service.ended(call))["reason"] == "caller_hung_up"
        assert len(service.switchboard) == 0
        assert service.counted("offhook_live_calls") == 0
        ended = service.counted("offhook_calls_total", end_reason="caller_hung_up", fault="caller")
        assert ended == 5
