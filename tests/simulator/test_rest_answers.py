"""Accept, reject, refer and hang up answer as the cloud does, in success and in error."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiohttp
import pytest
import trustme

from offhook.simulator import Faults, HangsUp, Script, Simulator, State, Waits


async def rung(cloud: Simulator, webhooks: Any, **options: Any) -> Any:
    return await cloud.ring(webhooks.url, **options)


async def test_accept_answers_200_with_an_empty_body(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        assert await connect(cloud).accept(call.call_id) == (200, None)
        assert call.state is State.ACCEPTED
        assert call.marks("accept")[0].detail["status"] == 200


@pytest.mark.parametrize("verb", ["accept", "reject", "refer", "hangup"])
async def test_an_unknown_call_is_404(verb: str, connect: Any) -> None:
    async with Simulator() as cloud:
        status, body = await connect(cloud).post("rtc_u0_nobody", verb, {})
    assert status == 404
    assert body["error"]["code"] == "call_id_not_found"
    assert set(body["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("verb", ["accept", "reject", "refer", "hangup"])
async def test_a_wrong_key_is_401(webhooks: Any, connect: Any, verb: str) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        status, _ = await connect(cloud).post(call.call_id, verb, {}, Authorization="Bearer no")
    assert status == 401


async def test_only_azure_reads_the_api_key_header(webhooks: Any, connect: Any) -> None:
    body = {"type": "realtime", "model": "gpt-realtime"}
    statuses = []
    for profile in ("openai", "azure"):
        async with Simulator(profile) as cloud:
            call = await rung(cloud, webhooks)
            headers = {"api-key": cloud.api_key}
            status, _ = await connect(cloud).post(call.call_id, "accept", body, **headers)
            statuses.append(status)
    assert statuses == [401, 200]


async def test_azure_knows_its_deployments(webhooks: Any, connect: Any) -> None:
    async with Simulator("azure", deployments=("phone",)) as cloud:
        call = await rung(cloud, webhooks)
        status, body = await connect(cloud).accept(call.call_id, model="gpt-realtime")
        assert (status, body["error"]["code"]) == (404, "DeploymentNotFound")
        assert await connect(cloud).accept(call.call_id, model="phone") == (200, None)
        assert call.session["model"] == "phone"


BAD = [
    ({"voice": "marin"}, "unknown_parameter", "session.voice"),
    ({"temperature": 0.8}, "unknown_parameter", "session.temperature"),
    ({"modalities": ["audio"]}, "unknown_parameter", "session.modalities"),
    (
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}},
        "unknown_parameter",
        "session.audio.input.turn_detection.threshold",
    ),
    ({"audio": {"output": {"voice": "nobody"}}}, "invalid_value", "session.audio.output.voice"),
    ({"audio": {"output": {"speed": 9}}}, "invalid_value", "session.audio.output.speed"),
    ({"type": "transcription"}, "invalid_value", "session.type"),
    ({"output_modalities": ["audio", "text"]}, "invalid_value", "session.output_modalities"),
    ({"instructions": 5}, "invalid_type", "session.instructions"),
    ({"tools": [{"type": "function"}]}, "missing_required_parameter", "session.tools[0].name"),
    ({"tools": {"a": 1}}, "invalid_type", "session.tools"),
    ({"max_output_tokens": 0}, "invalid_value", "session.max_output_tokens"),
    (
        {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 10}}}},
        "invalid_value",
        "session.audio.input.turn_detection.idle_timeout_ms",
    ),
    ({"audio": {"input": "loud"}}, "invalid_type", "session.audio.input"),
]


@pytest.mark.parametrize(("change", "code", "param"), BAD)
async def test_accept_refuses_a_bad_session(
    webhooks: Any, connect: Any, change: Any, code: str, param: str
) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        status, body = await connect(cloud).accept(call.call_id, **change)
        assert (status, body["error"]["code"], body["error"]["param"]) == (400, code, param)
        assert call.state is State.RINGING


async def test_the_message_names_the_unknown_parameter(webhooks: Any, connect: Any) -> None:
    vad = {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}}
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        _, body = await connect(cloud).accept(call.call_id, audio=vad)
    assert body["error"]["message"] == (
        "Unknown parameter: 'session.audio.input.turn_detection.threshold'."
    )


async def test_accept_wants_a_type(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        status, body = await connect(cloud).post(call.call_id, "accept", {"model": "x"})
    assert (status, body["error"]["param"]) == (400, "session.type")


async def test_a_lax_cloud_accepts_anything_and_forgets_the_call(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50, faults=Faults(lax_accept=True)) as cloud:
        call = await rung(cloud, webhooks)
        assert await connect(cloud).accept(call.call_id, voice="marin") == (200, None)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(cloud).attach(call.call_id)
    assert refused.value.status == 404


async def test_a_second_accept_is_a_conflict(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        await connect(cloud).accept(call.call_id)
        status, body = await connect(cloud).accept(call.call_id)
    assert status == 409
    assert "already accepted" in body["error"]["message"]


async def test_the_first_accepts_can_fail(webhooks: Any, connect: Any) -> None:
    async with Simulator(faults=Faults(accept_status=(503, 429))) as cloud:
        call = await rung(cloud, webhooks)
        statuses = [(await connect(cloud).accept(call.call_id))[0] for _ in range(3)]
    assert statuses == [503, 429, 200]


async def test_an_accept_can_hang(webhooks: Any, connect: Any) -> None:
    async with Simulator(faults=Faults(accept_hangs=1)) as cloud:
        call = await rung(cloud, webhooks)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connect(cloud).accept(call.call_id), 0.1)
        assert call.state is State.RINGING
        assert await connect(cloud).accept(call.call_id) == (200, None)


async def test_an_accept_can_work_and_its_answer_be_lost(webhooks: Any, connect: Any) -> None:
    async with Simulator(faults=Faults(accept_answer_lost=1)) as cloud:
        call = await rung(cloud, webhooks)
        with pytest.raises(aiohttp.ClientError):
            await connect(cloud).accept(call.call_id)
        assert call.state is State.ACCEPTED
        assert (await connect(cloud).accept(call.call_id))[0] == 409


async def test_a_parameter_can_be_refused(webhooks: Any, connect: Any) -> None:
    faults = Faults(refuse_parameter="session.audio.output.voice")
    async with Simulator(faults=faults) as cloud:
        call = await rung(cloud, webhooks)
        audio = {"output": {"voice": "marin"}}
        status, body = await connect(cloud).accept(call.call_id, audio=audio)
        assert (status, body["error"]["code"]) == (400, "unknown_parameter")
        assert (await connect(cloud).accept(call.call_id))[0] == 200


async def test_a_cloud_that_refuses_the_voice_of_today_knows_the_old_one(
    webhooks: Any, connect: Any
) -> None:
    old_only = Faults(refuse_parameter="session.audio.output.voice")
    neither = Faults(refuse_parameter=("session.audio.output.voice", "session.voice"))
    async with Simulator() as cloud:
        statuses = []
        for faults in (old_only, neither):
            call = await rung(cloud, webhooks, faults=faults)
            statuses.append((await connect(cloud).accept(call.call_id, voice="cedar"))[0])
            if faults is old_only:
                assert call.session["audio"]["output"]["voice"] == "cedar"
    assert statuses == [200, 400]


async def test_the_cloud_can_speak_tls(webhooks: Any, http: aiohttp.ClientSession) -> None:
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with Simulator(ssl_context=serving, network_delay_s=0.001) as cloud:
        call = await rung(cloud, webhooks)
        url = f"{cloud.base_url}/v1/realtime/calls/{call.call_id}/accept"
        headers = {"Authorization": f"Bearer {cloud.api_key}"}
        async with http.post(
            url, json={"type": "realtime"}, headers=headers, ssl=trusting
        ) as answer:
            assert answer.status == 200
    assert cloud.base_url.startswith("https://")


async def test_reject_ends_the_call(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        assert await connect(cloud).post(call.call_id, "reject", {"status_code": 486}) == (
            200,
            None,
        )
        assert await call.finished(1) is State.REJECTED
        assert call.marks("reject")[0].detail == {"status_code": 486}
        assert (await connect(cloud).accept(call.call_id))[0] == 404


async def test_reject_is_603_unless_said(webhooks: Any, connect: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        assert await connect(cloud).post(call.call_id, "reject") == (200, None)
    assert call.marks("reject")[0].detail == {"status_code": 603}


@pytest.mark.parametrize("body", [{"status_code": 200}, {"status_code": "486"}, {"reason": "x"}])
async def test_reject_checks_its_body(webhooks: Any, connect: Any, body: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        assert (await connect(cloud).post(call.call_id, "reject", body))[0] == 400
        assert call.state is State.RINGING


@pytest.mark.parametrize(
    "body", [{}, {"target_uri": 5}, {"target_uri": "+1555"}, {"target_uri": "tel:+1", "x": 1}]
)
async def test_refer_checks_its_body(webhooks: Any, connect: Any, body: Any) -> None:
    async with Simulator(speed=50) as cloud:
        call = await rung(cloud, webhooks)
        await connect(cloud).join(call.call_id)
        assert (await connect(cloud).post(call.call_id, "refer", body))[0] == 400
        assert not call.over


async def test_a_silent_refer_does_nothing(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=50, faults=Faults(refer="silent")) as cloud:
        call = await rung(cloud, webhooks)
        line = await connect(cloud).join(call.call_id)
        target = {"target_uri": "sip:a@example.com"}
        assert await connect(cloud).post(call.call_id, "refer", target) == (200, None)
        await line.order("Still here.")
        await line.until("output_audio_buffer.stopped")
        assert call.state is State.LIVE


async def test_a_failing_refer_is_plain_text_and_the_next_may_work(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50, faults=Faults(refer=(500, "ok"))) as cloud:
        call = await rung(cloud, webhooks)
        await connect(cloud).join(call.call_id)
        target = {"target_uri": "tel:+15550123"}
        assert await connect(cloud).post(call.call_id, "refer", target) == (
            500,
            "Internal Server Error",
        )
        assert (await connect(cloud).post(call.call_id, "refer", target))[0] == 200
        assert await call.finished(2) is State.TRANSFERRED
    assert [mark.detail["status"] for mark in call.marks("refer")] == [500, 200]


async def test_a_slow_refer_takes_its_time(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=100, faults=Faults(refer="slow")) as cloud:
        call = await rung(cloud, webhooks)
        await connect(cloud).join(call.call_id)
        await connect(cloud).post(call.call_id, "refer", {"target_uri": "tel:+15550123"})
        await call.finished(2)
    assert call.marks("refer")[0].at - call.marks("attach")[0].at >= 8.0


async def test_hangup_closes_the_sideband_and_a_second_one_is_404(
    webhooks: Any, connect: Any
) -> None:
    async with Simulator(speed=50) as cloud:
        call = await rung(cloud, webhooks)
        line = await connect(cloud).join(call.call_id)
        assert await connect(cloud).post(call.call_id, "hangup") == (200, None)
        assert await line.closed() == 1000
        assert line.events == []
        assert (await connect(cloud).post(call.call_id, "hangup"))[0] == 404
        assert (await connect(cloud).post(call.call_id, "refer", {"target_uri": "tel:+1"}))[
            0
        ] == 404
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await connect(cloud).attach(call.call_id)
    assert refused.value.status == 404
    assert call.state is State.ENDED


async def test_a_call_that_nobody_answers_ends(webhooks: Any, connect: Any) -> None:
    async with Simulator(speed=200, faults=Faults(ring_s=45.0)) as cloud:
        call = await rung(cloud, webhooks)
        assert await call.finished(2) is State.ENDED
        assert (await connect(cloud).accept(call.call_id))[0] == 404
    assert call.marks("call_ended")[0].detail == {"reason": "no_answer"}


async def test_a_caller_may_leave_while_it_rings(webhooks: Any, connect: Any) -> None:
    script = Script(steps=(Waits(1.0), HangsUp()), starts="ringing")
    async with Simulator(speed=50) as cloud:
        call = await rung(cloud, webhooks, script=script)
        await call.finished(2)
        assert (await connect(cloud).accept(call.call_id))[0] == 404


async def test_a_stuck_call_shows_its_trace(webhooks: Any) -> None:
    async with Simulator() as cloud:
        call = await rung(cloud, webhooks)
        with pytest.raises(TimeoutError, match=r"still ringing(?s:.)*webhook_answered"):
            await call.finished(0.01)
        with pytest.raises(TimeoutError, match=r"no refer within"):
            await call.reached("refer", 0.01)
