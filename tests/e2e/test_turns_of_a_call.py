"""Who speaks when: turns, cutting in, keys, silence, and what is written down of it."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import Bot, Call, HangUp
from offhook.simulator import (
    Faults,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    State,
    Waits,
    WaitsFor,
)
from support.serving import (
    GREETING,
    asks,
    order_of,
    plain_bot,
    said,
    sent,
    serving,
)

PROFILES = pytest.mark.parametrize("profile", ["openai", "azure"])
LONG = "This is a long answer that goes on and on, so that there is time enough to cut in on it."


@PROFILES
async def test_the_cloud_answers_the_caller_without_our_asking(profile: Any) -> None:
    async with serving(profile=profile) as service:
        call = await service.talk(Hears(), Says("One."), Hears(), Says("Two."), Hears(), HangsUp())
        assert asks(call) == ["greeting"]
        assert said(call) == [GREETING, "You said: One.", "You said: Two."]
        assert call.marks("accept")[0].detail["body"]["audio"]["input"]["turn_detection"][
            "create_response"
        ]


@PROFILES
async def test_by_hand_each_turn_is_asked_for_once(profile: Any) -> None:
    async with serving(profile=profile, OFFHOOK_TURNS="manual") as service:
        call = await service.talk(Hears(), Says("One."), Hears(), Says("Two."), Hears(), HangsUp())
        (accept,) = call.marks("accept")
        turns = accept.detail["body"]["audio"]["input"]["turn_detection"]
        assert turns["create_response"] is False
        assert turns["interrupt_response"] is True
        assert asks(call) == ["greeting", "turn", "turn"]
        assert said(call) == [GREETING, "You said: One.", "You said: Two."]


@pytest.mark.parametrize("turns", ["server", "manual"])
async def test_a_caller_who_cuts_in_is_not_answered_twice(turns: str) -> None:
    async with serving(OFFHOOK_TURNS=turns) as service:
        call = await service.talk(
            Hears(),
            Says("Tell me."),
            Says("Wait, stop!", over=True, after_ms=1500),
            Hears("Wait, stop!"),
            HangsUp(),
            model=(Replies(LONG),),
        )
        heard = said(call)
        assert heard[0] == GREETING
        assert LONG.startswith(heard[1])
        assert heard[1:] == [heard[1], "You said: Wait, stop!"]
        assert sent(call, "response.cancel") == []
        assert sent(call, "conversation.item.truncate") == []


async def test_the_transcript_marks_what_was_not_heard() -> None:
    async with serving() as service:
        call = await service.talk(
            Hears(),
            Says("Tell me."),
            Says("Wait, stop!", over=True, after_ms=2000),
            Hears("Wait, stop!"),
            HangsUp(),
            model=(Replies(LONG),),
        )
        script = service.record(call).transcript
        cut = [u for u in script.utterances if u.cut]
        assert [u.text for u in cut] == [LONG]
        assert 0 < len(cut[0].heard) < len(LONG)
        assert cut[0].unheard
        assert (await service.ended(call))["cut_off"] == 1
        assert service.log.of("cut off", call_id=call.call_id)


async def test_the_transcript_has_the_order_in_which_things_were_said() -> None:
    faults = Faults(transcription="late", transcription_late_s=8.0)
    async with serving(faults=faults) as service:
        call = await service.talk(
            Hears(), Says("One."), Hears(), Says("Two."), Hears(), Waits(10), HangsUp()
        )
        texts = [u.text for u in service.record(call).transcript.utterances]
        assert texts == [GREETING, "One.", "You said: One.", "Two.", "You said: Two."]


@pytest.mark.parametrize("mode", ["failed", "none", "empty"])
async def test_a_caller_is_answered_although_nobody_wrote_it_down(mode: Any) -> None:
    async with serving(faults=Faults(transcription=mode)) as service:
        call = await service.talk(Hears(), Says("One."), Hears(), HangsUp())
        assert said(call) == [GREETING, "You said: One."]
        caller = [u for u in service.record(call).transcript.utterances if u.who == "caller"]
        assert [u.text for u in caller] == ["" if mode == "empty" else None]
        assert bool(service.log.of("no transcript")) is (mode == "failed")


async def test_a_greeting_that_must_be_heard_out_cannot_be_cut() -> None:
    async with serving(OFFHOOK_GREETING_BARGE_IN="0") as service:
        call = await service.ring(
            Script(steps=(Says("Hello? Hello?", over=True, after_ms=300), Hears(), HangsUp()))
        )
        await service.over(call)
        turns = [
            call.marks("accept")[0].detail["body"]["audio"]["input"]["turn_detection"],
            *(
                update["session"]["audio"]["input"]["turn_detection"]
                for update in sent(call, "session.update")
            ),
        ]
        assert [t["interrupt_response"] for t in turns] == [False, True]
        assert [t["create_response"] for t in turns] == [True, True]
        assert said(call)[0] == GREETING
        order = order_of(call, "bot_audio_stopped", "session_update")
        assert order[:2] == ["bot_audio_stopped", "session_update"]


async def test_an_answer_that_must_be_heard_out_cannot_be_cut() -> None:
    async with serving(OFFHOOK_INTERRUPT="0") as service:
        call = await service.talk(
            Hears(),
            Says("Tell me."),
            Says("Wait, stop!", over=True, after_ms=1000),
            Hears("Wait, stop!"),
            HangsUp(),
            model=(Replies(LONG),),
        )
        assert LONG in said(call)


def keyboard() -> tuple[Bot, list[str], list[str]]:
    """A bot that notes keys and entries."""
    bot, keys, entries = plain_bot(), [], []

    @bot.on_dtmf
    async def key(call: Call, key: str) -> None:
        keys.append(key)

    @bot.on_digits
    async def entry(call: Call, digits: str) -> str | HangUp:
        entries.append(digits)
        return HangUp("typed 0") if digits == "0" else f'Say "I have got {len(digits)} digits."'

    return bot, keys, entries


async def test_keys_reach_the_bot_one_by_one_and_as_an_entry() -> None:
    bot, keys, entries = keyboard()
    async with serving(bot) as service:
        call = await service.talk(Hears(), Presses("12*4711#"), Hears(), HangsUp())
        assert keys == list("12*4711#")
        assert entries == ["4711"]
        assert said(call) == [GREETING, "I have got 4 digits."]


async def test_an_entry_ends_with_a_pause() -> None:
    bot, _, entries = keyboard()
    async with serving(bot, OFFHOOK_DTMF_GAP_MS="500") as service:
        await service.talk(Hears(), Presses("4711"), Hears("4 digits"), HangsUp())
        assert entries == ["4711"]


async def test_an_entry_ends_when_it_is_as_long_as_it_may_be() -> None:
    bot, _, entries = keyboard()
    async with serving(bot, OFFHOOK_DTMF_MAX="3") as service:
        await service.talk(Hears(), Presses("123456"), Hears(), HangsUp())
        assert entries == ["123", "456"]


async def test_a_key_may_end_the_call() -> None:
    bot, _, _ = keyboard()
    async with serving(bot) as service:
        call = await service.talk(Hears(), Presses("0#"))
        assert (await service.ended(call))["reason"] == "bot_hung_up"
        assert said(call)[-1] == "Thank you for calling. Goodbye!"


async def test_a_hook_that_breaks_costs_no_call() -> None:
    bot = plain_bot()

    @bot.on_dtmf
    async def key(call: Call, key: str) -> None:
        raise ValueError("no such key")

    async with serving(bot, tolerate=["bug"]) as service:
        call = await service.talk(Hears(), Presses("1"), Says("Hello?"), Hears(), HangsUp())
        assert said(call) == [GREETING, "You said: Hello?"]
        (bug,) = service.log.of("bug")
        assert "no such key" in bug["exception"]


@PROFILES
async def test_keys_are_never_in_the_log(profile: Any) -> None:
    bot, keys, _ = keyboard()
    async with serving(bot, profile=profile, OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        await service.talk(Hears(), Presses("8642#"), Hears(), HangsUp())
        assert keys == list("8642#")
        pressed = service.log.of("key pressed")
        assert len(pressed) == 5
        for line in pressed:
            assert set(line) == {"ts", "level", "scope", "event", "call_id"}
        assert not any("8642" in raw for raw in service.log.raw)


async def test_a_silent_caller_is_asked_twice_and_then_let_go() -> None:
    async with serving(OFFHOOK_IDLE_TIMEOUT_MS="5000", OFFHOOK_SILENCE_LIMIT="2") as service:
        call = await service.ring(Script())
        assert await call.finished() is State.ENDED
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("caller_silent", "caller")
        heard = said(call)
        assert heard[:3] == [GREETING, "Are you still there?", "Are you still there?"]
        assert heard[-1].startswith("I cannot hear you")
        assert order_of(call, "hangup") == ["hangup"]


async def test_a_caller_who_speaks_again_is_not_let_go() -> None:
    async with serving(OFFHOOK_IDLE_TIMEOUT_MS="5000", OFFHOOK_SILENCE_LIMIT="2") as service:
        call = await service.ring(Script(steps=(WaitsFor("bot_said", 3), Says("Yes!"))))
        await call.reached("bot_said", text="You said: Yes!")
        await call.reached("bot_said", count=3, text="Are you still there?")
        call.caller_hangs_up()
        assert (await service.ended(call))["reason"] == "caller_hung_up"


async def test_silences_are_no_utterances() -> None:
    async with serving(OFFHOOK_IDLE_TIMEOUT_MS="5000", OFFHOOK_SILENCE_LIMIT="1") as service:
        call = await service.ring(Script())
        await service.over(call)
        assert all(u.who == "bot" for u in service.record(call).transcript.utterances)


async def test_noise_on_the_line_does_not_hold_up_the_bot_for_ever() -> None:
    """Speech that never stops, as far as the cloud can tell."""
    async with serving() as service:
        call = await service.ring(
            Script(steps=(Hears(), Says("krrr", stops=False), Waits(1), HangsUp()))
        )
        await service.over(call)
        assert (await service.ended(call))["reason"] == "caller_hung_up"
