"""Turns, interruptions, tools, keys and transcripts."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    Silent,
    Simulator,
    StopsShort,
    Timings,
    Waits,
    WaitsFor,
)

LONG = "This is a rather long answer that takes its time to be spoken and can be cut off. " * 3
WHISPER = {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


async def held(
    cloud: Simulator, webhooks: Any, connect: Any, *steps: Any, model: Any = (), **session: Any
) -> tuple[Any, Any]:
    call = await cloud.ring(webhooks.url, Script(steps=steps, model=model))
    return call, await connect(cloud).join(call.call_id, **session)


def vad(**changes: Any) -> Any:
    return {"input": {"turn_detection": {"type": "server_vad", **changes}}}


async def test_barge_in_while_the_answer_plays(webhooks: Any, connect: Any) -> None:
    steps = (Says("Tell me."), Waits(10.0), Says("Stop!"), Hears())
    async with Simulator(speed=50) as cloud:
        call, line = await held(
            cloud, webhooks, connect, *steps, model=(Replies(LONG), Replies("Fine."))
        )
        first = await line.until("response.done")
        truncated = await line.until("conversation.item.truncated")
        await line.until("output_audio_buffer.stopped")
    at = line.kinds.index("conversation.item.truncated")
    assert line.kinds[at - 2 : at + 1] == [
        "input_audio_buffer.speech_started",
        "output_audio_buffer.cleared",
        "conversation.item.truncated",
    ]
    assert first["response"]["status"] == "completed"
    assert truncated["item_id"] == first["response"]["output"][0]["id"]
    started, cleared = call.marks("bot_audio_started")[0], call.marks("bot_audio_cleared")[0]
    assert truncated["audio_end_ms"] == pytest.approx((cleared.at - started.at) * 1000, abs=2)
    said = call.marks("bot_said")[0].detail
    assert said["interrupted"]
    assert LONG.startswith(said["text"])
    assert said["text"] != LONG
    assert call.transcript().endswith("bot: Fine.")


async def test_barge_in_while_the_answer_is_made(webhooks: Any, connect: Any) -> None:
    steps = (Says("Tell me."), Says("Stop!", over=True, after_ms=200), Hears())
    async with Simulator(speed=20) as cloud:
        call, line = await held(
            cloud, webhooks, connect, *steps, model=(Replies(LONG), Replies("Fine."))
        )
        first = await line.until("response.done")
        await line.until("conversation.item.truncated")
        await line.until("response.done")
    assert first["response"]["status"] == "cancelled"
    assert first["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert first["response"]["output"][0]["status"] == "incomplete"
    kinds = [kind for kind in line.kinds if kind != "rate_limits.updated"]
    at = kinds.index("input_audio_buffer.speech_started", 5)
    assert kinds[at : at + 9] == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "output_audio_buffer.cleared",
        "conversation.item.truncated",
    ]
    assert call.marks("bot_audio_cleared")


async def test_interrupt_response_false_keeps_speaking(webhooks: Any, connect: Any) -> None:
    steps = (Says("Tell me."), Says("Hm.", over=True, after_ms=4000))
    audio = vad(interrupt_response=False, create_response=True)
    async with Simulator(speed=50) as cloud:
        call, line = await held(
            cloud, webhooks, connect, *steps, model=(Replies(LONG), Replies("Yes.")), audio=audio
        )
        await line.until("output_audio_buffer.stopped")
        await line.until("output_audio_buffer.stopped")
    assert call.marks("bot_audio_cleared") == []
    assert [mark.detail["text"] for mark in call.marks("bot_said")] == [LONG, "Yes."]


async def test_a_turn_during_an_uninterruptible_answer_is_told_to_wait(
    webhooks: Any, connect: Any
) -> None:
    steps = (Says("Tell me."), Says("Hm.", over=True, seconds=0.3))
    audio = vad(interrupt_response=False, create_response=True)
    async with Simulator(speed=20) as cloud:
        _, line = await held(cloud, webhooks, connect, *steps, model=(Replies(LONG),), audio=audio)
        error = (await line.until("error"))["error"]
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] is None


async def test_create_response_false_leaves_the_answer_to_the_client(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await held(
            cloud,
            webhooks,
            connect,
            Says("Hello."),
            Waits(5.0),
            HangsUp(),
            audio=vad(create_response=False),
        )
        await line.closed()
    assert line.kinds[-1] == "conversation.item.done"
    assert call.marks("bot_said") == []


async def test_without_turn_detection_the_cloud_hears_nothing(webhooks: Any, connect: Any) -> None:
    audio = {"input": {"turn_detection": None}}
    async with Simulator(speed=50) as cloud:
        call, line = await held(
            cloud, webhooks, connect, Says("Hello?"), Waits(5.0), HangsUp(), audio=audio
        )
        await line.closed()
    assert line.events == []
    assert call.marks("caller_said")


async def test_cancel_and_clear_stop_the_bot(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=20) as cloud:
        call, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create", response={"metadata": {"k": "v"}})
        created = await line.until("response.created")
        await line.until("output_audio_buffer.started")
        await line.send("response.cancel")
        await line.send("output_audio_buffer.clear")
        done = await line.until("response.done")
        cleared = await line.until("output_audio_buffer.cleared")
        await line.until("conversation.item.truncated")
    assert done["response"]["status_details"]["reason"] == "client_cancelled"
    assert cleared["response_id"] == created["response"]["id"]
    assert done["response"]["metadata"] == created["response"]["metadata"] == {"k": "v"}
    assert call.marks("bot_said")[0].detail["interrupted"]


async def test_cancel_alone_plays_what_was_made(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=20) as cloud:
        call, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create")
        await line.until("output_audio_buffer.started")
        await line.send("response.cancel")
        await line.until("output_audio_buffer.stopped")
    said = call.marks("bot_said")[0].detail
    assert not said["interrupted"]
    assert LONG.startswith(said["text"])
    assert len(said["text"]) < len(LONG)


async def test_one_response_at_a_time_but_for_those_out_of_band(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=20) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(Replies(LONG), Replies("Aside.")))
        await line.send("response.create")
        created = await line.until("response.created")
        await line.send("response.create", event_id="second")
        error = (await line.until("error"))["error"]
        aside = {"conversation": "none", "output_modalities": ["text"]}
        await line.send("response.create", response=aside)
        out = await line.until("response.done")
    assert error["code"] == "conversation_already_has_active_response"
    assert error["event_id"] == "second"
    assert created["response"]["id"] in error["message"]
    assert out["response"]["conversation_id"] is None
    assert out["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Aside."}]


async def test_an_order_to_say_words_leaves_the_script_alone(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, model=(Replies("Scripted."),))
        await line.order('She said "yes" twice.')
        await line.until("output_audio_buffer.stopped")
        await line.send("response.create", response={"instructions": "Say “Wait.” and no more."})
        await line.until("output_audio_buffer.stopped")
        await line.send("conversation.item.create", item=user("Go on."))
        await line.send("response.create")
        await line.until("output_audio_buffer.stopped")
    assert [mark.detail["text"] for mark in call.marks("bot_said")] == [
        'She said "yes" twice.',
        "Wait.",
        "Scripted.",
    ]


def user(text: str) -> Any:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": "user", "content": content}


async def test_playback_lasts_far_longer_than_the_making(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=100) as cloud:
        call, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create")
        await line.until("output_audio_buffer.stopped")
    started, stopped = call.marks("bot_audio_started")[0], call.marks("bot_audio_stopped")[0]
    assert stopped.at - started.at == pytest.approx(len(LONG) / 15.0)
    assert line.kinds.index("response.done") < line.kinds.index("output_audio_buffer.stopped")


async def test_a_second_answer_waits_until_the_first_was_heard(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect)
        await line.order("The first sentence is this one.")
        await line.until("response.done")
        await line.order("The second one.")
        await line.until("output_audio_buffer.stopped")
        await line.until("output_audio_buffer.stopped")
    kinds = [mark.kind for mark in call.trace if mark.kind.startswith("bot_audio")]
    assert kinds == ["bot_audio_started", "bot_audio_stopped"] * 2


async def test_several_tools_in_one_response_and_one_answer(webhooks: Any, connect: Any) -> None:
    model = (
        CallsTools(("a", {"x": 1}), ("b", '{ "y":\n 2}'), preamble="One moment."),
        Replies(from_tool="{x} and {y}, not {z}"),
    )
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, Says("Go."), model=model)
        done = await line.until("response.done")
        said, *calls = done["response"]["output"]
        for item in calls:
            output = {"type": "function_call_output", "call_id": item["call_id"]}
            text = '{"x": "one"}' if item["name"] == "a" else '{"y": "two"}'
            await line.send("conversation.item.create", item={**output, "output": text})
        await line.send("response.create")
        await line.until("output_audio_buffer.stopped")
        await line.until("output_audio_buffer.stopped")
    assert said["type"] == "message"
    assert [item["arguments"] for item in calls] == ['{"x": 1}', '{ "y":\n 2}']
    assert [mark.detail["name"] for mark in call.marks("tool_asked")] == ["a", "b"]
    assert call.marks("bot_said")[1].detail["text"] == "one and two, not {z}"


async def test_an_item_made_during_a_response_is_told_after_it(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=20) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.create")
        await line.until("output_audio_buffer.started")
        await line.send("conversation.item.create", item={**user("Later."), "id": "mine"})
        await line.until("conversation.item.added", lambda event: event["item"]["id"] == "mine")
    assert line.kinds.index("response.done") < len(line.kinds) - 1


async def test_a_barge_in_breaks_off_a_tool_call_which_is_told_as_done(
    webhooks: Any, connect: Any
) -> None:
    steps = (Says("Go."), Says("Stop!", after_ms=1000), Hears(), HangsUp())
    model = (CallsTools(("a", {"x": 1})), Replies("Stopped."))
    async with Simulator(speed=50, timings=Timings(word=5.0)) as cloud:
        call, line = await held(cloud, webhooks, connect, *steps, model=model)
        broken = await line.until("response.function_call_arguments.done")
        done = await line.until("response.done")
        await line.closed()
    assert broken["arguments"] == '{"x": 1}'
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["output"][0]["status"] == "incomplete"
    assert call.marks("tool_asked") == []
    assert call.marks("script_stuck") == []


async def test_an_order_can_be_disobeyed(webhooks: Any, connect: Any) -> None:
    model = (
        Replies("Scripted."),
        FailsWith("server_error", ordered=True),
        Replies("In other words.", ordered=True),
    )
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, model=model)
        for _ in range(3):
            await line.order("Hello.")
            await line.until("response.done")
        await line.send("conversation.item.create", item=user("Go on."))
        await line.send("response.create")
        await line.until("response.done")
        await call.reached("bot_said", count=3)
    said = [mark.detail["text"] for mark in call.marks("bot_said")]
    assert said == ["In other words.", "Hello.", "Scripted."]


async def test_an_order_that_came_during_an_answer_is_obeyed_by_the_next(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=20) as cloud:
        call, line = await held(cloud, webhooks, connect, model=(Replies(LONG), Replies("Done.")))
        await line.send("response.create")
        await line.until("response.created")
        await line.order("Goodbye.")
        await line.until("error")
        await line.until("response.done")
        for said in ("Goodbye.", "Done."):
            await line.send("response.create")
            done = await line.until("response.done")
            assert done["response"]["output"][0]["content"][0]["transcript"] == said
    assert call.marks("error_sent")


async def test_a_late_cancel_hits_the_next_response(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=20, faults=Faults(late_cancel=True)) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(Replies(LONG),))
        await line.send("response.cancel")
        await line.send("response.create")
        done = await line.until("response.done")
    assert done["response"]["status"] == "cancelled"
    assert "error" not in line.kinds


async def test_without_a_tool_the_model_makes_small_talk(webhooks: Any, connect: Any) -> None:
    steps = (Says("What is this?"), Hears(), HangsUp())
    async with Simulator(speed=100) as cloud:
        call, _ = await held(cloud, webhooks, connect, *steps)
        await call.finished(5)
    assert "bot: You said: What is this?" in call.transcript()


async def test_a_text_session_is_written_and_not_played(webhooks: Any, connect: Any) -> None:
    steps = (Says("Hello?"), Hears(), HangsUp())
    async with Simulator(speed=100) as cloud:
        call, line = await held(
            cloud,
            webhooks,
            connect,
            *steps,
            model=(Replies("Hi there."),),
            output_modalities=["text"],
        )
        await line.closed()
    assert "response.output_text.done" in line.kinds
    assert not any(kind.startswith("output_audio_buffer") for kind in line.kinds)
    assert "bot: Hi there." in call.transcript()


async def test_the_semantic_vad_waits_for_the_end_of_a_sentence(
    webhooks: Any, connect: Any
) -> None:
    audio = {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}
    async with Simulator(speed=100) as cloud:
        call, _ = await held(
            cloud, webhooks, connect, Says("I would like"), Hears(), HangsUp(), audio=audio
        )
        await call.finished(5)
    said, started = call.marks("caller_said")[0], call.marks("bot_audio_started")[0]
    assert started.at - said.at > 8.0


@pytest.mark.parametrize(
    ("act", "status", "details"),
    [
        (
            FailsWith("rate_limit_exceeded", "Too fast."),
            "failed",
            {
                "type": "failed",
                "error": {
                    "type": "invalid_request_error",
                    "code": "rate_limit_exceeded",
                    "message": "Too fast.",
                },
            },
        ),
        (Silent(), "completed", None),
        (
            StopsShort("Half a", "max_output_tokens"),
            "incomplete",
            {"type": "incomplete", "reason": "max_output_tokens"},
        ),
    ],
)
async def test_a_response_can_go_wrong(
    webhooks: Any, connect: Any, act: Any, status: str, details: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(act,))
        await line.send("response.create")
        response = (await line.until("response.done"))["response"]
    assert (response["status"], response["status_details"]) == (status, details)
    assert bool(response["output"]) is isinstance(act, StopsShort)


async def test_acts_are_matched_on_what_the_caller_said(webhooks: Any, connect: Any) -> None:
    model = (
        Replies("Blue.", to="colour", repeat=True),
        Replies("Noon.", to="time"),
        Replies("Pardon?"),
    )
    steps = (Says("What time?"), Hears(), Says("Which COLOUR?"), Hears(), Says("Hm."), Hears())
    async with Simulator(speed=100) as cloud:
        call, _ = await held(cloud, webhooks, connect, *steps, HangsUp(), model=model)
        await call.finished(5)
    assert [mark.detail["text"] for mark in call.marks("bot_said")] == ["Noon.", "Blue.", "Pardon?"]


async def test_keys_are_no_turns_and_carry_no_event_id(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=100) as cloud:
        call, line = await held(cloud, webhooks, connect, Presses("12#"), HangsUp())
        await line.closed()
    assert [event["event"] for event in line.events] == ["1", "2", "#"]
    assert set(line.events[0]) == {"type", "event", "received_at"}
    assert call.items == []


@pytest.mark.parametrize(
    ("mode", "kind", "transcript"),
    [
        ("ok", TRANSCRIBED, "Good day."),
        ("empty", TRANSCRIBED, ""),
        ("failed", "conversation.item.input_audio_transcription.failed", None),
    ],
)
async def test_transcription_may_work_or_not(
    webhooks: Any, connect: Any, mode: Any, kind: str, transcript: str | None
) -> None:
    async with Simulator(speed=50, faults=Faults(transcription=mode)) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Good day."), audio=WHISPER)
        event = await line.until(kind)
        await line.until("response.done")
    assert event.get("transcript") == transcript


async def test_a_late_transcript_comes_after_the_answer(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(transcription="late")) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("Good day."), audio=WHISPER)
        await line.until(TRANSCRIBED)
    assert "response.done" in line.kinds


async def test_streamed_transcripts_begin_before_the_turn_is_over(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await held(cloud, webhooks, connect, Says("One two three four."), audio=WHISPER)
        completed = await line.until(TRANSCRIBED)
    delta = "conversation.item.input_audio_transcription.delta"
    assert line.kinds.index(delta) < line.kinds.index("input_audio_buffer.speech_stopped")
    words = [event["delta"] for event in line.events if event["type"] == delta]
    assert "".join(words) == completed["transcript"] == "One two three four."


async def test_noise_on_the_line_starts_and_never_stops(webhooks: Any, connect: Any) -> None:
    steps = (Says("", stops=False, seconds=5.0), HangsUp())
    async with Simulator(speed=50) as cloud:
        _, line = await held(cloud, webhooks, connect, *steps)
        await line.closed()
    assert line.kinds == ["input_audio_buffer.speech_started"]


async def test_silence_makes_the_cloud_ask(webhooks: Any, connect: Any) -> None:
    audio = vad(idle_timeout_ms=5000)
    audio["input"].update(WHISPER["input"])
    async with Simulator(speed=100) as cloud:
        call, line = await held(cloud, webhooks, connect, audio=audio)
        await line.order("Hello.")
        await line.until("output_audio_buffer.stopped")
        del line.events[:]
        triggered = await line.until("input_audio_buffer.timeout_triggered")
        transcript = await line.until(TRANSCRIBED)
        await line.until("output_audio_buffer.stopped")
    assert line.kinds[:6] == [
        "input_audio_buffer.timeout_triggered",
        "conversation.item.added",
        "conversation.item.done",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert triggered["audio_end_ms"] - triggered["audio_start_ms"] == 5000
    assert (transcript["item_id"], transcript["transcript"]) == (triggered["item_id"], "")
    assert call.transcript().endswith("bot: Are you still there?")


async def test_usage_grows_with_the_conversation_and_is_cached(webhooks: Any, connect: Any) -> None:
    script = tuple(step for n in range(4) for step in (Says(f"{LONG} {n}"), Hears()))
    async with Simulator(speed=400) as cloud:
        call, line = await held(
            cloud, webhooks, connect, *script, HangsUp(), model=(Replies(LONG, repeat=True),)
        )
        await line.closed()
    done = [event["response"] for event in line.events if event["type"] == "response.done"]
    usages = [response["usage"] for response in done]
    assert [usage["input_tokens"] for usage in usages] == sorted(
        usage["input_tokens"] for usage in usages
    )
    assert usages[0]["input_token_details"]["cached_tokens"] == 0
    assert usages[-1]["input_token_details"]["cached_tokens"] > 0
    spoken = len(LONG) / 15.0 * 20
    assert usages[0]["output_token_details"]["audio_tokens"] == pytest.approx(spoken, abs=1)
    assert usages[0]["total_tokens"] == usages[0]["input_tokens"] + usages[0]["output_tokens"]
    limits = [event for event in line.events if event["type"] == "rate_limits.updated"]
    remaining = [event["rate_limits"][0]["remaining"] for event in limits]
    assert remaining == sorted(remaining, reverse=True)
    assert len(set(remaining)) == len(remaining) > 1
    assert call.over


async def test_a_done_response_can_be_told_twice(webhooks: Any, connect: Any) -> None:
    faults = Faults(duplicate_response_done=True)
    async with Simulator(speed=50, faults=faults) as cloud:
        _, line = await held(cloud, webhooks, connect, model=(CallsTools(("a", {})),))
        await line.send("response.create")
        first = await line.until("response.done")
        second = await line.until("response.done")
    assert first["response"] == second["response"]


async def test_each_nth_frame_can_come_twice(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(duplicate_every=3)) as cloud:
        _, line = await held(cloud, webhooks, connect)
        await line.send("response.create")
        await line.until("response.done")
    ids = [event["event_id"] for event in line.events]
    twice = [n for n, each in enumerate(ids) if each in ids[:n]]
    assert twice[:2] == [3, 7]
    assert all(ids[n] == ids[n - 1] for n in twice)


async def test_novelties_are_sprinkled_in(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(novelties=True)) as cloud:
        _, line = await held(cloud, webhooks, connect)
        await line.send("session.update", session={"type": "realtime"})
        updated = await line.until("session.updated")
        await line.until("session.mood_changed")
    assert "x_novelty" in updated


async def test_the_caller_can_be_led_by_hand(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=100) as cloud:
        call, _ = await held(cloud, webhooks, connect, model=(Replies("Yes?"), Replies("Bye.")))
        call.do(Says("Hello?"))
        await call.reached("bot_said")
        call.do(Says("Bye."))
        await call.reached("bot_said", count=2)
        call.do(HangsUp())
        await call.finished(5)
    assert call.transcript().splitlines() == [
        "caller: Hello?",
        "bot: Yes?",
        "caller: Bye.",
        "bot: Bye.",
        "caller hangs up",
    ]


async def test_a_caller_who_hears_nothing_goes_on_in_the_end(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=200) as cloud:
        call, _ = await held(cloud, webhooks, connect, Hears(timeout_s=5.0), HangsUp())
        await call.finished(5)
    assert call.marks("script_stuck")


async def test_a_caller_can_wait_for_anything_in_the_trace(webhooks: Any, connect: Any) -> None:
    steps = (WaitsFor("client_event", count=2), HangsUp())
    async with Simulator(speed=50) as cloud:
        call, line = await held(cloud, webhooks, connect, *steps)
        await line.send("session.update", session={"type": "realtime"})
        await line.until("session.updated")
        assert not call.over
        await line.send("session.update", session={"type": "realtime"})
        await call.finished(5)
    assert call.marks("script_stuck") == []
