"""Handing a caller to a human: announced, asked for once, watched, and put right when it fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from offhook import Bot, Call, Transfer, tool
from offhook.config import load
from offhook.errors import SettingsError
from offhook.runtime import errands
from offhook.serving import undialable
from offhook.simulator import Call as CloudCall
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
    Service,
    asks,
    order_of,
    outputs,
    plain_bot,
    said,
    sent,
    serving,
)

SALES, SUPPORT = "tel:+14155550133", "sip:desk@pbx.example.com;transport=tls"
TARGETS = {
    "sales": Target("sales", SALES, "our sales team"),
    "support": Target("support", SUPPORT, "support"),
}
ANNOUNCED = "I am connecting you with our sales team. One moment, please."
TO_SALES = CallsTools(("handoff_human", {"target": "sales", "reason": "asked for"}))
TO_SUPPORT = CallsTools(("handoff_human", {"target": "support", "reason": "the other"}))


def bot(**more: Any) -> Bot:
    return plain_bot(**{"targets": TARGETS, **more})


async def transferred(service: Service, **options: Any) -> CloudCall:
    """A caller who asks for a human."""
    return await service.talk(Hears(), Says("A human please."), model=(TO_SALES,), **options)


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_a_transfer_is_announced_asked_for_once_and_ends_the_call(profile: Any) -> None:
    async with serving(bot(), profile=profile) as service:
        call = await transferred(service)
        assert call.state is State.TRANSFERRED
        assert said(call) == [GREETING, ANNOUNCED]
        assert [m.detail["target_uri"] for m in call.marks("refer")] == [SALES]
        order = order_of(call, "bot_audio_stopped", "refer", "hangup", "call_ended")
        assert order == ["bot_audio_stopped", "bot_audio_stopped", "refer", "call_ended"]
        end = await service.ended(call)
        assert (end["reason"], end["fault"]) == ("transferred", "bot")
        assert end["transfers"] == ["transferred"]


async def test_the_model_learns_that_it_is_being_done_and_is_not_asked_to_speak_of_it() -> None:
    async with serving(bot()) as service:
        call = await transferred(service)
        ((_, output),) = outputs(call)
        assert json.loads(output) == {"status": "transferring", "target": "sales"}
        assert asks(call) == ["greeting", "announce"]


async def test_nobody_can_cut_in_on_the_announcement() -> None:
    async with serving(bot()) as service:
        script = Script(steps=(Hears(), Says("A human please.")), model=(TO_SALES,))
        call = await service.ring(script)
        await call.reached("bot_audio_started", count=2)
        call.do(Says("No, wait!"))
        await service.over(call)
        assert ANNOUNCED in said(call)
        assert call.marks("bot_audio_cleared") == []
        assert turns(call)[0]["interrupt_response"] is False
        assert turns(call)[0]["create_response"] is False


def turns(call: CloudCall) -> list[dict[str, Any]]:
    """The turn detection of each `session.update`."""
    updates = sent(call, "session.update")
    return [u["session"]["audio"]["input"]["turn_detection"] for u in updates]


async def test_a_model_that_has_announced_it_itself_is_heard_and_no_more_is_said() -> None:
    async with serving(bot()) as service:
        act = CallsTools(TO_SALES.calls[0], preamble="I will put you through.")
        call = await service.talk(Hears(), Says("A human please."), model=(act,))
        assert said(call) == [GREETING, "I will put you through."]
        order = order_of(call, "bot_audio_stopped", "refer")
        assert order == ["bot_audio_stopped", "bot_audio_stopped", "refer"]


async def test_an_announcement_that_takes_too_long_is_not_waited_for() -> None:
    async with serving(bot(), speed=8.0, OFFHOOK_ANNOUNCE_LIMIT_MS="300") as service:
        call = await transferred(service)
        order = order_of(call, "bot_audio_started", "bot_audio_stopped", "refer")
        assert order == ["bot_audio_started", "bot_audio_stopped", "bot_audio_started", "refer"]
        assert (await service.ended(call))["reason"] == "transferred"


async def test_the_address_of_a_target_goes_nowhere_but_into_the_refer() -> None:
    async with serving(bot(), log_format="json", OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await transferred(service)
        told = json.dumps([sent(call), call.marks("accept")[0].detail])
        for secret in ("5550133", "pbx.example.com"):
            assert secret not in told
            assert not any(secret in line for line in service.log.raw)
        assert "sales" in told


FAILED = "I am sorry, I could not reach our sales team."


@pytest.mark.parametrize("mode", [500, 404, 429, 400])
async def test_a_refused_transfer_is_told_to_the_caller_who_stays(mode: int) -> None:
    async with serving(bot(), faults=Faults(refer=mode)) as service:
        call = await service.talk(
            Hears(),
            Says("A human please."),
            Hears(FAILED),
            Says("Pity."),
            Hears(),
            HangsUp(),
            model=(TO_SALES,),
        )
        assert said(call)[1:] == [ANNOUNCED, FAILED, "You said: Pity."]
        assert len(call.marks("refer")) == 1
        end = await service.ended(call)
        assert end["reason"] == "caller_hung_up"
        assert end["transfers"] == ["refused"]
        assert [t["create_response"] for t in turns(call)] == [False, True]


async def test_a_transfer_that_nothing_comes_of_is_told_and_another_one_works() -> None:
    faults = Faults(refer=("silent", "ok"))
    async with serving(bot(), faults=faults, OFFHOOK_REFER_WATCH_S="1") as service:
        call = await service.talk(
            Hears(),
            Says("A human please."),
            Hears(FAILED),
            Says("Then support."),
            model=(TO_SALES, TO_SUPPORT),
        )
        assert [m.detail["target_uri"] for m in call.marks("refer")] == [SALES, SUPPORT]
        orders = [
            item["content"][0]["text"]
            for body in sent(call, "conversation.item.create")
            if (item := body["item"])["type"] == "message"
        ]
        (failed,) = [o for o in orders if "did not work" in o]
        assert "support" in failed
        end = await service.ended(call)
        assert end["reason"] == "transferred"
        assert end["transfers"] == ["still_here", "transferred"]


async def test_while_a_transfer_is_under_way_a_second_one_is_not_started() -> None:
    both = CallsTools(*TO_SALES.calls, *TO_SUPPORT.calls)
    async with serving(bot()) as service:
        call = await service.talk(Hears(), Says("A human please."), model=(both,))
        assert [m.detail["target_uri"] for m in call.marks("refer")] == [SALES]
        answers = [json.loads(text) for _, text in outputs(call)]
        assert [a.get("error") for a in answers] == [None, "invalid_arguments"]


@pytest.mark.parametrize("in_time", [True, False])
async def test_a_tool_that_still_runs_when_the_caller_is_sent_on_has_one_outcome(
    in_time: bool,
) -> None:
    found = asyncio.Event()

    @tool
    async def looks() -> str:
        """Look it up."""
        await found.wait()
        return "found"

    both = CallsTools(*TO_SALES.calls, ("looks", {}))
    faults = Faults(refer_takes_s=60.0 if in_time else 1.0)
    async with serving(bot(tools=[looks]), faults=faults) as service:
        call = await service.ring(Script(steps=(Hears(), Says("A human.")), model=(both,)))
        await call.reached("refer")
        if in_time:
            found.set()
            await call.reached("tool_answered", count=2)
        end = await service.over(call)
        assert end["reason"] == "transferred"
        await service.log.reached("success", scope="tool", tool="looks")
        _, ran = service.record(call).tools.calls.values()
        assert ran.result == ("answered" if in_time else "cancelled")
        assert [text for ref, text in outputs(call) if ref == ran.ref] == ["found"] * in_time
        assert asks(call) == ["greeting", "announce"]


async def test_a_slow_transfer_is_waited_for() -> None:
    async with serving(bot(), faults=Faults(refer="slow", refer_slow_s=15.0)) as service:
        call = await transferred(service)
        assert (await service.ended(call))["reason"] == "transferred"
        assert len(call.marks("refer")) == 1


async def test_a_transfer_that_is_never_answered_may_be_under_way_and_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errands, "REQUEST_S", 0.1)
    faults = Faults(refer="slow", refer_slow_s=1e6)
    async with serving(bot(), faults=faults, OFFHOOK_REFER_WATCH_S="1") as service:
        script = Script(
            steps=(Hears(), Says("A human."), Hears(FAILED), HangsUp()), model=(TO_SALES,)
        )
        call = await service.ring(script)
        end = await service.over(call)
        assert end["transfers"] == ["still_here"]
        assert FAILED in said(call)


async def test_a_caller_who_leaves_during_the_announcement_is_not_transferred() -> None:
    async with serving(bot()) as service:
        call = await service.ring(Script(steps=(Hears(), Says("A human.")), model=(TO_SALES,)))
        await call.reached("bot_audio_started", count=2)
        call.caller_hangs_up()
        end = await service.ended(call)
        assert end["reason"] == "caller_hung_up"
        assert end["transfers"] == ["abandoned"]
        assert call.marks("refer") == []


@pytest.mark.parametrize("mode", ["ok", "silent"])
async def test_a_sideband_that_is_lost_while_referring_changes_nothing(mode: Any) -> None:
    faults = Faults(refer=mode, refer_takes_s=10.0)
    async with serving(bot(), faults=faults, OFFHOOK_REFER_WATCH_S="1") as service:
        steps = (Hears(), Says("A human please."), WaitsFor("refer"), LosesSideband())
        call = await service.ring(Script(steps=steps, model=(TO_SALES,)))
        await call.reached("attach", count=2)
        if mode == "silent":
            await call.reached("bot_said", text=FAILED)
            call.caller_hangs_up()
        end = await service.over(call)
        assert len(call.marks("refer")) == 1
        assert end["transfers"] == ["transferred" if mode == "ok" else "still_here"]


async def test_a_sideband_that_is_lost_while_announcing_delays_the_transfer_only() -> None:
    async with serving(bot(), OFFHOOK_ANNOUNCE_LIMIT_MS="500") as service:
        call = await service.ring(Script(steps=(Hears(), Says("A human.")), model=(TO_SALES,)))
        await call.reached("bot_audio_started", count=2)
        call.drop_sideband()
        end = await service.over(call)
        assert end["reason"] == "transferred"
        assert said(call) == [GREETING, ANNOUNCED]
        order = order_of(call, "bot_audio_stopped", "refer")
        assert order == ["bot_audio_stopped", "bot_audio_stopped", "refer"]


async def test_a_target_that_the_model_makes_up_is_refused_with_the_names_there_are() -> None:
    async with serving(bot()) as service:
        act = CallsTools(("handoff_human", {"target": "the boss", "reason": "angry"}))
        call = await service.talk(
            Hears(), Says("The boss!"), Hears("!"), HangsUp(), model=(act, Replies("Sorry!"))
        )
        ((_, output),) = outputs(call)
        assert json.loads(output)["error"] == "invalid_arguments"
        assert "sales" in output
        assert call.marks("refer") == []


def names(call: CloudCall) -> list[str]:
    """The names of the tools in the accept."""
    return [t["name"] for t in call.marks("accept")[0].detail["body"]["tools"]]


async def test_without_a_target_the_model_is_not_offered_a_transfer() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp())
        assert names(call) == ["end_call"]


async def test_the_target_of_the_settings_is_offered_by_a_name_of_its_own() -> None:
    async with serving(SIP_TARGET_URI="tel:+14155550177") as service:
        act = CallsTools(("handoff_human", {"target": "default", "reason": "asked"}))
        call = await service.talk(Hears(), Says("A human."), model=(act,))
        assert names(call) == ["handoff_human", "end_call"]
        assert [m.detail["target_uri"] for m in call.marks("refer")] == ["tel:+14155550177"]


async def test_a_tool_of_the_bot_may_transfer_with_words_of_its_own() -> None:
    @tool
    async def escalate(call: Call) -> Transfer:
        """Escalate."""
        return Transfer("sales", "angry", "You get our best man now.")

    async with serving(bot(tools=[escalate])) as service:
        act = CallsTools(("escalate", {}))
        call = await service.talk(Hears(), Says("I am angry."), model=(act,))
        assert said(call) == [GREETING, "You get our best man now."]
        assert (await service.ended(call))["reason"] == "transferred"


async def test_a_model_that_cannot_speak_any_more_leaves_the_caller_to_a_human() -> None:
    fails = FailsWith("server_error", repeat=True)
    async with serving(bot()) as service:
        call = await service.talk(Hears(), Says("Hello?"), model=(fails,))
        assert [m.detail["target_uri"] for m in call.marks("refer")] == [SALES]
        assert (await service.ended(call))["reason"] == "transferred"
        assert asks(call) == ["greeting", "again"]


@pytest.mark.parametrize("uri", ["tel:911", "http://example.com", "tel:+1415"])
def test_a_target_that_cannot_be_dialled_is_refused_before_any_call(uri: str) -> None:
    env = {"OPENAI_API_KEY": "sk-x", "TEST_MODE": "1", "SIP_TARGET_URI": uri}
    with pytest.raises(SettingsError) as refused:
        load(None, env, checks={"SIP_TARGET_URI": undialable})
    assert [p.setting for p in refused.value.problems] == ["SIP_TARGET_URI"]
