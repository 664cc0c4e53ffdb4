"""What people tell a live call: over the wire, on the line, in the log and on record."""

from __future__ import annotations

from typing import Any

import pytest

from offhook import tool
from offhook.core.directives import (
    Directive,
    Effect,
    EndCall,
    MuteTools,
    SayThis,
    TransferTo,
    Whisper,
)
from offhook.simulator import Call as CloudCall
from offhook.simulator import (
    CallsTools,
    HangsUp,
    Hears,
    LosesSideband,
    Replies,
    Says,
    Script,
    State,
    WaitsFor,
)
from support.serving import GREETING, Service, outputs, plain_bot, said, sent, serving

SALES = "tel:+14155550133"
PROFILES = pytest.mark.parametrize("profile", ["openai", "azure"])


async def tell(service: Service, call: CloudCall, *directives: Directive) -> None:
    """Alice tells a live call."""
    for each in directives:
        assert service.switchboard.direct(call.call_id, each, "alice")


async def greeted(service: Service, *steps: Any, model: Any = ()) -> CloudCall:
    """A call on which the greeting was heard; `steps` come after it."""
    call = await service.ring(Script(steps=(Hears(), *steps), model=model))
    await call.reached("client_event", type="conversation.item.delete")
    return call


def effects(service: Service, call: CloudCall) -> list[Effect]:
    return [i.effect for i in service.record(call).instructions]


def system_items(call: CloudCall) -> list[str]:
    """What the model was told as the system."""
    items = [body["item"] for body in sent(call, "conversation.item.create")]
    return [i["content"][0]["text"] for i in items if i.get("role") == "system"]


@PROFILES
async def test_words_are_said_exactly_and_their_end_is_on_record(profile: Any) -> None:
    async with serving(profile=profile) as service:
        call = await greeted(service, Hears("on my way"), HangsUp())
        await tell(service, call, SayThis("A colleague is on my way to you."))
        await service.over(call)
        assert said(call) == [GREETING, "A colleague is on my way to you."]
        assert effects(service, call) == [Effect.HEARD]
        told = service.log.of("directed", call_id=call.call_id)
        assert [(t["what"], t["by"], t["effect"]) for t in told] == [
            ("say", "alice", "saying"),
            ("say", "alice", "heard"),
        ]
        assert not any("colleague" in line for line in service.log.raw)


@PROFILES
async def test_words_for_now_cut_off_what_is_being_said(profile: Any) -> None:
    long = "This is a very long story, and it goes on and on and on. " * 6
    async with serving(profile=profile) as service:
        call = await greeted(
            service, Says("Tell me all."), Hears("Stop here."), HangsUp(), model=(Replies(long),)
        )
        await call.reached("bot_audio_started", count=2)
        await tell(service, call, SayThis("Stop here.", now=True))
        await service.over(call)
        assert said(call)[-1] == "Stop here."
        assert len(said(call)[1]) < len(long)


@PROFILES
async def test_a_whisper_reaches_the_model_and_never_the_caller(profile: Any) -> None:
    async with serving(profile=profile) as service:
        call = await greeted(
            service, WaitsFor("client_event", 4), Says("Hello?"), Hears(), HangsUp()
        )
        await tell(service, call, Whisper("She is a premium customer."))
        await service.over(call)
        assert any("She is a premium customer." in text for text in system_items(call))
        assert not any("premium" in text for text in said(call))
        assert effects(service, call) == [Effect.DONE]
        assert not any("premium" in line for line in service.log.raw)


@PROFILES
async def test_a_transfer_is_announced_and_made(profile: Any) -> None:
    async with serving(plain_bot(targets={"sales": SALES}), profile=profile) as service:
        call = await greeted(service)
        await tell(service, call, TransferTo("nobody"), TransferTo("sales", "asked for"))
        end = await service.over(call)
        assert call.state is State.TRANSFERRED
        assert [m.detail["target_uri"] for m in call.marks("refer")] == [SALES]
        assert end["reason"] == "transferred"
        assert effects(service, call) == [Effect.REFUSED, Effect.DONE]


@PROFILES
async def test_a_call_is_ended_after_a_goodbye(profile: Any) -> None:
    async with serving(profile=profile) as service:
        call = await greeted(service)
        await tell(service, call, EndCall("abuse"))
        end = await service.over(call)
        assert said(call)[-1] == "Thank you for calling. Goodbye!"
        assert (end["reason"], end["fault"]) == ("ended_by_command", "bot")
        assert "abuse" not in str(end)  # words are logged only where transcripts are
        assert len(call.marks("hangup")) == 1


@PROFILES
async def test_muted_tools_are_answered_without_being_run_until_they_are_unmuted(
    profile: Any,
) -> None:
    ran: list[str] = []

    @tool
    async def look_up() -> str:
        """Look something up."""
        ran.append("now")
        return "found"

    model = (
        CallsTools(("look_up", {})),
        Replies("It does not work."),
        CallsTools(("look_up", {})),
        Replies("Here it is."),
    )
    async with serving(plain_bot(tools=[look_up]), profile=profile) as service:
        call = await greeted(
            service,
            WaitsFor("client_event", 4),
            Says("Look it up."),
            Hears("not work"),
            WaitsFor("client_event", 7),
            Says("And now?"),
            Hears("Here it is"),
            HangsUp(),
            model=model,
        )
        await tell(service, call, MuteTools())
        await call.reached("bot_audio_stopped", count=2)
        assert ran == []
        await tell(service, call, MuteTools(muted=False))
        await service.over(call)
        assert ran == ["now"]
        assert ["not available" in out for _, out in outputs(call)] == [True, False]


@PROFILES
async def test_what_is_told_to_a_call_without_its_sideband_goes_out_when_it_is_back(
    profile: Any,
) -> None:
    async with serving(profile=profile) as service:
        call = await greeted(
            service, WaitsFor("client_event", 3), LosesSideband(), Hears("Still here."), HangsUp()
        )
        await service.log.reached("sideband lost", call_id=call.call_id)
        await tell(service, call, Whisper("She is waiting."), SayThis("Still here."))
        await service.over(call)
        assert any("She is waiting." in text for text in system_items(call))
        assert said(call)[-1] == "Still here."
        assert effects(service, call) == [Effect.DONE, Effect.HEARD]


async def test_a_call_that_is_not_there_is_told_nothing() -> None:
    async with serving() as service:
        assert not service.switchboard.direct("rtc_none", EndCall(), "alice")
        call = await service.talk(Hears(), HangsUp())
        assert not service.switchboard.direct(call.call_id, EndCall(), "alice")


async def test_a_call_that_still_rings_may_be_told_everything() -> None:
    async with serving() as service:
        call = await service.ring(Script(steps=(Hears(), Hears("Welcome!"), HangsUp())))
        await tell(service, call, SayThis("Welcome!"), Whisper("New."), MuteTools())
        await service.over(call)
        assert said(call) == [GREETING, "Welcome!"]
