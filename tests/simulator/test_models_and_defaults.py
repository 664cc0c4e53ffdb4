"""Model families differ in their defaults and in what their answers carry."""

from __future__ import annotations

from typing import Any

import pytest

from offhook.simulator import Beliefs, CallsTools, Replies, Script, Simulator
from offhook.simulator.models import FIRST, LATE_FIRST, SECOND, family


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("gpt-realtime", FIRST),
        ("gpt-realtime-2025-08-28", FIRST),
        ("gpt-realtime-mini", FIRST),
        ("gpt-realtime-mini-2025-12-15", FIRST),
        ("gpt-realtime-1.5", FIRST),
        ("gpt-realtime-2", SECOND),
        ("gpt-realtime-2.1", SECOND),
        ("gpt-realtime-2.1-mini", SECOND),
        ("my-deployment", FIRST),
    ],
)
def test_a_model_belongs_to_a_family(model: str, expected: object) -> None:
    assert family(model) == expected


def test_the_late_first_model_may_begin_as_its_successors() -> None:
    assert family("gpt-realtime-1.5", late_first_defaults=True) == LATE_FIRST
    assert family("gpt-realtime", late_first_defaults=True) == FIRST


async def joined(cloud: Simulator, webhooks: Any, connect: Any, *acts: Any, **session: Any) -> Any:
    call = await cloud.ring(webhooks.url, Script(model=acts))
    return call, await connect(cloud).join(call.call_id, **session)


@pytest.mark.parametrize(
    ("model", "voice", "silence_ms"),
    [("gpt-realtime", "alloy", 200), ("gpt-realtime-2.1-mini", "marin", 500)],
)
async def test_voice_and_silence_are_the_models(
    webhooks: Any, connect: Any, model: str, voice: str, silence_ms: int
) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await joined(cloud, webhooks, connect, model=model)
        for vad in ({"type": "semantic_vad"}, {"type": "server_vad"}):
            audio = {"input": {"turn_detection": vad}}
            await line.send("session.update", session={"type": "realtime", "audio": audio})
            await line.until("session.updated")
    assert call.session["audio"]["output"]["voice"] == voice
    assert call.session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == silence_ms


async def test_the_late_first_models_defaults_are_a_belief(webhooks: Any, connect: Any) -> None:
    voices = []
    for late in (False, True):
        async with Simulator(beliefs=Beliefs(late_first_defaults=late)) as cloud:
            call = await cloud.ring(webhooks.url)
            await connect(cloud).accept(call.call_id, model="gpt-realtime-1.5")
            voices.append(call.session["audio"]["output"]["voice"])
    assert voices == ["alloy", "marin"]


async def test_a_deployment_behaves_as_the_model_behind_it(webhooks: Any, connect: Any) -> None:
    async with Simulator("azure", deployments={"phone": "gpt-realtime-2.1"}) as cloud:
        call = await cloud.ring(webhooks.url)
        await connect(cloud).accept(call.call_id, model="phone")
    assert call.session["model"] == "phone"
    assert call.session["audio"]["output"]["voice"] == "marin"


@pytest.mark.parametrize(
    ("model", "phases"),
    [("gpt-realtime", [None, None]), ("gpt-realtime-2.1", ["commentary", "final_answer"])],
)
async def test_messages_of_the_second_family_have_a_phase(
    webhooks: Any, connect: Any, model: str, phases: list[str | None]
) -> None:
    acts = (CallsTools(("look", {}), preamble="One moment."), Replies("Done."))
    async with Simulator(speed=50) as cloud:
        _, line = await joined(cloud, webhooks, connect, *acts, model=model)
        found = []
        for _ in acts:
            await line.send("response.create")
            done = await line.until("response.done")
            found.append(done["response"]["output"][0].get("phase"))
    assert found == phases


async def test_only_who_is_told_to_reason_counts_what_it_thought(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        _, line = await joined(
            cloud, webhooks, connect, Replies("Yes.", repeat=True), model="gpt-realtime-2.1"
        )
        thought, made = [], []
        for effort in (None, "low", "high"):
            response = {} if effort is None else {"reasoning": {"effort": effort}}
            await line.send("response.create", response=response)
            usage = (await line.until("response.done"))["response"]["usage"]
            details = usage["output_token_details"]
            thought.append(details.get("reasoning_tokens"))
            made.append(usage["output_tokens"])
            assert usage["output_tokens"] == details["text_tokens"] + details["audio_tokens"]
    assert thought[0] is None
    assert 0 < thought[1] < thought[2]
    assert made[2] - made[1] == thought[2] - thought[1]


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-1.5"])
async def test_the_first_family_refuses_to_be_told_to_reason(
    webhooks: Any, connect: Any, model: str
) -> None:
    async with Simulator(speed=50) as cloud:
        call, line = await joined(cloud, webhooks, connect, model=model)
        await line.send(
            "session.update",
            event_id="mine",
            session={"type": "realtime", "instructions": "New.", "reasoning": {"effort": "low"}},
        )
        error = (await line.until("error"))["error"]
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", None, None)
    assert call.session["instructions"] == "Be brief."
