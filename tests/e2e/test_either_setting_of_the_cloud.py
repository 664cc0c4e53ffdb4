"""Where nobody knows what the cloud does, offhook holds a call whichever it is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from offhook.simulator import (
    Beliefs,
    CallsTools,
    HangsUp,
    Hears,
    Presses,
    Replies,
    Says,
    Script,
    State,
    Waits,
)
from support.serving import plain_bot, serving

TALE = "This is a long tale about very many things that nobody wants to hear at all. " * 3
OTHERWISE: dict[str, Any] = {
    "not_found_status": 400,
    "azure_transcribers": (),
    "close_after_refer": 1006,
    "close_after_hangup": 1011,
    "unknown_tool_call": None,
}
"""The other setting of what is not simply true or false."""


def otherwise(name: str) -> Beliefs:
    other: dict[str, Any] = {name: not getattr(Beliefs(), name), **OTHERWISE}
    return Beliefs(**{name: other[name]})


def test_each_belief_has_another_setting() -> None:
    plain = {field.name for field in structs.fields(Beliefs) if isinstance(field.default, bool)}
    assert plain | set(OTHERWISE) == set(Beliefs.__struct_fields__)


@pytest.mark.parametrize("name", Beliefs.__struct_fields__)
async def test_a_call_is_held_and_transferred_or_goes_on(name: str) -> None:
    script = Script(
        steps=(
            Hears(),
            Says("Tell me a tale."),
            Says("Stop it, please!", over=True, after_ms=300),
            Hears(),
            Presses("12#"),
            Says("I want to talk to a person."),
            Hears(),
            Waits(30.0),
            HangsUp(),
        ),
        model=(
            Replies(TALE),
            Replies("I have stopped."),
            CallsTools(("handoff_human", {"target": "human", "reason": "asks"}), to="person"),
            Replies("Go on.", repeat=True),
        ),
    )
    bot = plain_bot(targets={"human": "tel:+14155550188"})
    profile = "azure" if name.startswith("azure") else "openai"
    async with serving(
        bot, profile=profile, beliefs=otherwise(name), tolerate=("cloud complains",)
    ) as service:
        call = await service.ring(script)
        state = await call.finished(20)
    refused = name == "azure_refers"
    assert state is (State.ENDED if refused else State.TRANSFERRED)
    assert [mark.detail["status"] for mark in call.marks("refer")][:1] == [500 if refused else 200]
    assert "bot: I have stopped." in call.transcript()
    assert call.marks("script_stuck") == []
