"""Each thing that nobody knows for sure is a switch, and both of its settings work."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from offhook.simulator import (
    Beliefs,
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    Simulator,
    State,
    Waits,
)

LONG = "This is a rather long answer that takes its time to be spoken and can be cut off. " * 3
WHISPER = {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}


async def held(
    cloud: Simulator, webhooks: Any, connect: Any, *steps: Any, model: Any = (), **session: Any
) -> tuple[Any, Any]:
    call = await cloud.ring(webhooks.url, Script(steps=steps, model=model))
    return call, await connect(cloud).join(call.call_id, **session)


@pytest.mark.parametrize("status", [404, 400])
async def test_a_call_that_is_not_found_is_404_or_400(connect: Any, status: Any) -> None:
    async with Simulator(beliefs=Beliefs(not_found_status=status)) as cloud:
        found, body = await connect(cloud).post("rtc_u0_nobody", "hangup")
    assert (found, body["error"]["code"]) == (status, "call_id_not_found")


@pytest.mark.parametrize(("checks", "status"), [(True, 400), (False, 200)])
async def test_azure_may_not_look_at_the_session(
    webhooks: Any, connect: Any, checks: bool, status: int
) -> None:
    async with Simulator("azure", beliefs=Beliefs(azure_checks_session=checks)) as cloud:
        call = await cloud.ring(webhooks.url)
        assert (await connect(cloud).accept(call.call_id, voice="marin"))[0] == status
        assert call.unfindable is (status == 200)


@pytest.mark.parametrize(("refers", "status"), [(True, 200), (False, 500)])
async def test_azure_may_not_transfer(
    webhooks: Any, connect: Any, refers: bool, status: int
) -> None:
    async with Simulator("azure", speed=50, beliefs=Beliefs(azure_refers=refers)) as cloud:
        call, _ = await held(cloud, webhooks, connect)
        target = {"target_uri": "tel:+15550123"}
        assert (await connect(cloud).post(call.call_id, "refer", target))[0] == status


@pytest.mark.parametrize("clears", [True, False])
async def test_azure_may_not_know_how_to_clear_the_playback(
    webhooks: Any, connect: Any, clears: bool
) -> None:
    beliefs = Beliefs(azure_clears_playback=clears)
    async with Simulator("azure", speed=20, beliefs=beliefs) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create")
        await line.until("output_audio_buffer.started")
        await line.send("output_audio_buffer.clear")
        await line.until("output_audio_buffer.cleared" if clears else "error")


@pytest.mark.parametrize("joins", [True, False])
async def test_a_call_may_not_be_connected_before_its_webhook_is_answered(
    webhooks: Any, connect: Any, joins: bool
) -> None:
    webhooks.slow = 1
    beliefs, faults = Beliefs(joins_unanswered=joins), Faults(webhook_timeout_s=0.05)
    async with Simulator(speed=50, beliefs=beliefs, faults=faults) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id)
        if joins:
            await connect(cloud).attach(call.call_id)
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await connect(cloud).attach(call.call_id)
            assert refused.value.status == 404


@pytest.mark.parametrize(("works", "state"), [(True, State.REJECTED), (False, State.RINGING)])
async def test_a_rejected_call_may_ring_on(
    webhooks: Any, connect: Any, works: bool, state: State
) -> None:
    async with Simulator(beliefs=Beliefs(rejects_work=works)) as cloud:
        call = await cloud.ring(webhooks.url)
        assert await connect(cloud).post(call.call_id, "reject") == (200, None)
        assert call.state is state


@pytest.mark.parametrize(
    ("transcribers", "event"),
    [(None, "completed"), (("gpt-realtime-whisper",), "completed"), (("whisper-1",), "failed")],
)
async def test_azure_may_lack_the_transcription_model(
    webhooks: Any, connect: Any, transcribers: Any, event: str
) -> None:
    beliefs = Beliefs(azure_transcribers=transcribers)
    async with Simulator("azure", speed=50, beliefs=beliefs) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Good day."), audio=WHISPER)
        found = await line.until(f"conversation.item.input_audio_transcription.{event}")
    assert found.get("error", {}).get("code") in (None, "DeploymentNotFound")


@pytest.mark.parametrize("code", [1000, 1006, 1011])
async def test_the_close_after_a_transfer_or_a_hangup_is_unknown(
    webhooks: Any, connect: Any, code: int
) -> None:
    beliefs = Beliefs(close_after_refer=code, close_after_hangup=code)
    async with Simulator(speed=50, beliefs=beliefs) as cloud:
        for verb, body in (("hangup", None), ("refer", {"target_uri": "tel:+15550123"})):
            call, line = await held(cloud, webhooks, connect)
            await connect(cloud).post(call.call_id, verb, body)
            assert await line.closed() == code


@pytest.mark.parametrize("announced", [True, False])
async def test_the_end_of_a_session_may_be_announced(
    webhooks: Any, connect: Any, announced: bool
) -> None:
    beliefs, faults = Beliefs(expiry_is_announced=announced), Faults(session_max_s=5.0)
    async with Simulator(speed=50, beliefs=beliefs, faults=faults) as cloud:
        _, line = await held(cloud, webhooks, connect)
        assert await line.closed() == 1001
    assert line.kinds == (["error"] if announced else [])


@pytest.mark.parametrize("last_words", [True, False])
async def test_a_leaving_caller_may_leave_last_words(
    webhooks: Any, connect: Any, last_words: bool
) -> None:
    steps = (Says("Go on."), Waits(0.5), HangsUp())
    async with Simulator(speed=20, beliefs=Beliefs(last_words=last_words)) as cloud:
        _, line = await held(cloud, webhooks, connect, *steps, model=(Replies(LONG),))
        await line.closed()
    done = [event["response"] for event in line.events if event["type"] == "response.done"]
    assert [response["status"] for response in done] == (["cancelled"] if last_words else [])


@pytest.mark.parametrize("cleared_first", [True, False])
async def test_a_barge_in_while_the_answer_is_made_has_two_possible_orders(
    webhooks: Any, connect: Any, cleared_first: bool
) -> None:
    steps = (Says("Tell me."), Says("Stop!", over=True, after_ms=200))
    async with Simulator(speed=20, beliefs=Beliefs(cleared_first=cleared_first)) as cloud:
        _, line = await held(cloud, webhooks, connect, *steps, model=(Replies(LONG),))
        await line.until("input_audio_buffer.speech_stopped")
        await line.until("input_audio_buffer.speech_stopped")
    assert "conversation.item.truncated" in line.kinds
    cleared = line.kinds.index("output_audio_buffer.cleared")
    assert (cleared < line.kinds.index("response.done")) is cleared_first


@pytest.mark.parametrize("names", [True, False])
async def test_a_finished_item_may_name_the_callers_item(
    webhooks: Any, connect: Any, names: bool
) -> None:
    async with Simulator(speed=50, beliefs=Beliefs(done_names_callers=names)) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Hello."))
        user = await line.until("conversation.item.done")
        answer = await line.until("conversation.item.done")
    assert answer["previous_item_id"] == (user["item"]["id"] if names else None)


@pytest.mark.parametrize("first", [True, False])
async def test_rate_limits_come_before_or_after_the_answer(
    webhooks: Any, connect: Any, first: bool
) -> None:
    async with Simulator(speed=50, beliefs=Beliefs(limits_first=first)) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Hello."))
        await line.until("output_audio_buffer.stopped")
    limits = line.kinds.index("rate_limits.updated")
    assert line.kinds.count("rate_limits.updated") == 1
    assert (limits == line.kinds.index("response.created") + 1) is first
    assert (limits > line.kinds.index("response.done")) is not first


@pytest.mark.parametrize("told", [True, False])
async def test_a_cancelled_response_may_have_no_usage(
    webhooks: Any, connect: Any, told: bool
) -> None:
    async with Simulator(speed=20, beliefs=Beliefs(cancelled_usage=told)) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create")
        await line.until("output_audio_buffer.started")
        await line.send("response.cancel")
        response = (await line.until("response.done"))["response"]
        await line.until("rate_limits.updated")
    assert response["status"] == "cancelled"
    assert (response["usage"] is not None) is told


@pytest.mark.parametrize("code", ["invalid_tool_call_id", None])
async def test_the_output_of_a_call_that_was_never_made_is_an_error(
    webhooks: Any, connect: Any, code: str | None
) -> None:
    item = {"type": "function_call_output", "call_id": "call_x", "output": "{}"}
    async with Simulator(speed=50, beliefs=Beliefs(unknown_tool_call=code)) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(CallsTools(("a", {})),))
        await line.send("conversation.item.create", item=item)
        error = (await line.until("error"))["error"]
    assert (error["code"], error["param"]) == (code, "item.call_id")


@pytest.mark.parametrize("heard", [True, False])
async def test_keys_may_be_heard_as_speech(webhooks: Any, connect: Any, heard: bool) -> None:
    steps = (Presses("1"), Waits(3.0), HangsUp())
    async with Simulator(speed=50, beliefs=Beliefs(keys_are_heard=heard)) as cloud:
        call, line = await held(cloud, webhooks, connect, *steps)
        await line.closed()
    assert ("input_audio_buffer.committed" in line.kinds) is heard
    assert len(call.items) == (2 if heard else 0)


@pytest.mark.parametrize("answered", [True, False])
async def test_the_audio_buffer_may_be_out_of_reach(
    webhooks: Any, connect: Any, answered: bool
) -> None:
    async with Simulator(speed=50, beliefs=Beliefs(buffer_commands=answered)) as cloud:
        call, line = await held(cloud, webhooks, connect, Hears(), model=())
        await line.send("input_audio_buffer.clear")
        await line.send("input_audio_buffer.commit")
        await line.send("session.update", session={"type": "realtime"})
        await line.until("session.updated")
        assert call.state is State.LIVE
    expected = ["input_audio_buffer.cleared", "error"] if answered else []
    assert line.kinds == [*expected, "session.updated"]


def test_every_belief_is_tested_here() -> None:
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    elsewhere = {"late_first_defaults"}
    untested = {name for name in Beliefs.__struct_fields__ if f"{name}=" not in text}
    assert untested == elsewhere
