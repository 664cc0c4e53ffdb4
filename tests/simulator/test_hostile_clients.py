"""Whatever a client sends, the simulator answers in its own words and lives on."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from offhook.simulator import Faults, Script, Simulator
from offhook.simulator.beliefs import Beliefs
from offhook.simulator.calls import Call
from offhook.simulator.clock import Clock
from offhook.simulator.profile import PROFILES, Timings
from offhook.simulator.requests import item_problem, response_problem
from offhook.simulator.schema import session_problem
from offhook.simulator.session import Session

WORDS = st.sampled_from(
    re.findall(
        r"\w+",
        """type realtime audio input output turn_detection server_vad semantic_vad message user
        system assistant content input_text text tools function name metadata item id role
        instructions response transcription model voice reasoning effort low function_call
        function_call_output call_id arguments conversation none previous_item_id root item_id
        event_id session""",
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "session.update",
        "response.create",
        "response.cancel",
        "output_audio_buffer.clear",
        "input_audio_buffer.append",
        "conversation.item.create",
        "conversation.item.truncate",
        "conversation.item.delete",
        "conversation.item.retrieve",
        "conversation.item.sing",
    ]
)
EVENTS = st.builds(
    lambda kind, fields: {**fields, "type": kind}, KINDS | JSON, st.dictionaries(WORDS, JSON)
)


@given(JSON, st.dictionaries(WORDS, JSON))
def test_no_session_is_too_odd_to_be_judged(body: Any, more: dict[str, Any]) -> None:
    for session in (body, {"type": "realtime", **more}, {"type": "realtime", "audio": body}):
        if session_problem(session, Faults(), "accept") is None:
            Session("gpt-realtime", 0).update(session, assistant_spoke=True)


@given(JSON)
@example([{"type": []}])
def test_no_item_and_no_response_is_too_odd_to_be_judged(body: Any) -> None:
    for odd in (body, {"type": "message", "role": "user", "content": body}):
        item_problem(odd)
        response_problem(odd)
        response_problem({"input": [odd], "tools": [odd]})


@settings(max_examples=60)
@given(st.lists(EVENTS, max_size=12))
def test_a_call_survives_every_client_event(events: list[dict[str, Any]]) -> None:
    async def hold() -> None:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: failures.append(context)
        )
        clock = Clock(float("inf"))
        call = Call(
            Script(),
            clock=clock,
            profile=PROFILES["openai"],
            timings=Timings(),
            faults=Faults(),
            beliefs=Beliefs(),
        )
        call.accept({"type": "realtime"}, behaves_as="gpt-realtime")
        for event in events:
            call.receive(event)
        await clock.sleep(3600.0)
        call.end("test")
        clock.stop()
        assert failures == []

    asyncio.run(hold())


BODIES: list[Any] = [b"", b"null", b"[1]", b'"x"', b"{", b"5", b'{"type": 5}', b"\xff"]


@pytest.mark.parametrize("verb", ["accept", "reject", "refer", "hangup"])
@pytest.mark.parametrize("body", BODIES)
async def test_no_body_breaks_a_request(webhooks: Any, http: Any, verb: str, body: bytes) -> None:
    async with Simulator() as cloud:
        call = await cloud.ring(webhooks.url)
        url = f"{cloud.base_url}/v1/realtime/calls/{call.call_id}/{verb}"
        headers = {"Authorization": f"Bearer {cloud.api_key}"}
        async with http.post(url, data=body, headers=headers) as answer:
            assert answer.status in (200, 400)
            if answer.status == 400:
                assert set((await answer.json())["error"]) == {"message", "type", "param", "code"}
