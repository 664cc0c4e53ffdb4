"""Calls on which everything goes wrong that a seed makes up: each one ends, once, and cleanly."""

from __future__ import annotations

import random
from typing import Any

import pytest

from offhook import tool
from offhook.simulator import (
    CallsTools,
    FailsWith,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Script,
    Silent,
    StopsShort,
    Waits,
)
from support.serving import outputs, plain_bot, serving

SEEDS = range(24)
TARGETS = {"a": "tel:+14155550101", "b": "tel:+14155550102"}


@tool
async def stock(product: str) -> str:
    """Look up the stock of a product."""
    return f"3 {product} left"


@tool
async def breaks() -> str:
    """Break."""
    raise RuntimeError("broken")


def weather(dice: random.Random) -> Faults:
    """What is wrong with the cloud today."""
    return Faults(
        duplicate_webhooks=dice.choice([0, 2]),
        accept_status=dice.choice([(), (503,), (500, 429)]),
        accept_answer_lost=dice.choice([0, 0, 1]),
        refer=dice.choice(["ok", "silent", 500, "slow"]),
        refer_slow_s=5.0,
        hangup_status=dice.choice([(), (503,)]),
        attach_404_for_s=dice.choice([0.0, 3.0]),
        session_created=dice.random() < 0.5,
        drop_sideband_after=dice.choice([None, dice.randrange(1, 80)]),
        frames_lost=dice.random() < 0.5,
        transcription=dice.choice(["ok", "late", "failed", "empty", "none"]),
        duplicate_response_done=dice.random() < 0.5,
        active_error_without_event_id=dice.random() < 0.5,
        novelties=dice.random() < 0.3,
        close_code=dice.choice([None, 1000, 1006, 1011]),
    )


def act(dice: random.Random) -> Any:
    """What the model does."""
    return dice.choice(
        [
            Replies("Well, let me think about that for a while, if you do not mind."),
            CallsTools(("stock", {"product": "lamp"}), preamble=dice.choice(["", "One moment."])),
            CallsTools(("stock", {"product": "lamp"}), ("breaks", {}), ("nothing", "{")),
            CallsTools(("handoff_human", {"target": dice.choice("ab"), "reason": "asked"})),
            CallsTools(("end_call", {"reason": "done"})),
            FailsWith(dice.choice(["rate_limit_exceeded", "server_error", None])),
            Silent(),
            StopsShort("This is all that"),
        ]
    )


def step(dice: random.Random) -> Any:
    """What the caller does."""
    return dice.choice(
        [
            Hears(timeout_s=10.0),
            Says("What about this one?"),
            Says("No, wait!", over=False, after_ms=200),
            Presses("12#"),
            Waits(3.0),
            LosesSideband(),
        ]
    )


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_call_in_bad_weather_ends_once_and_leaves_nothing(seed: int) -> None:
    dice = random.Random(seed)
    profile = dice.choice(["openai", "azure"])
    bot = plain_bot(tools=[stock, breaks], targets=TARGETS)
    script = Script(
        steps=[*(step(dice) for _ in range(6)), HangsUp()],
        model=[act(dice) for _ in range(8)],
    )
    async with serving(
        bot,
        profile=profile,
        faults=weather(dice),
        tolerate=["script_stuck", "odd frame"],
        limits={"refer_watch": 0.5},
        OFFHOOK_TURNS=dice.choice(["server", "manual"]),
        OFFHOOK_GREETING_BARGE_IN=dice.choice(["1", "0"]),
    ) as service:
        call = await service.ring(script)
        await service.over(call)
        assert len(service.log.of("ended", call_id=call.call_id)) == 1
        record = service.record(call)
        assert record.end is not None
        assert record.end.reason not in ("bug", "no_events")
        assert len({ref for ref, _ in outputs(call)}) <= len(record.tools.calls)
        assert record.tools.owed == () or record.end.reason == "caller_hung_up"
