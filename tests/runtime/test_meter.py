"""What is counted of a call: its tokens, its cost, and how long its caller waited."""

from __future__ import annotations

import pytest

from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.outcomes import Answered
from offhook.core.usage import Tokens
from offhook.observe.metrics import Metrics
from offhook.runtime.meter import Meter
from offhook.store.prices import list_prices, tariff
from support.calls import Driven

TARIFF = tariff(list_prices(), "gpt-realtime-2.1", "gpt-realtime-whisper")


class Metered:
    """A live call on a meter."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.spent: list[tuple[float, float]] = []
        self.meter = Meter(
            self.metrics, TARIFF, lambda usd, ago, line: self.spent.append((usd, ago))
        )
        self.driven = Driven().live()
        self.settles = True

    def on(self, event: on.Event) -> None:
        before = self.driven.call
        self.driven.on(event)
        self.meter.used(before, self.call)
        self.meter.heard(before, self.call)
        if self.settles:
            self.meter.settle()

    @property
    def call(self) -> Call:
        return self.driven.call

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"offhook_{name}", labels)


async def test_tokens_are_counted_by_kind_and_cost_what_the_tariff_says() -> None:
    metered = Metered()
    metered.on(on.Used("r1", Tokens(text_in=1000, audio_out=1_000_000)))
    metered.on(on.Used("r1", Tokens(text_in=1000, audio_out=1_000_000)))  # told twice
    metered.on(on.TranscriptionUsed("u1", seconds=60.0))
    assert metered.value("tokens_total", kind="text_in") == 1000
    assert metered.value("tokens_total", kind="audio_out") == 1_000_000
    assert metered.value("tokens_total", kind="text_cached") is None
    assert metered.value("transcribed_seconds_total") == 60.0
    assert metered.value("cost_usd_total") == pytest.approx(64.004 + 0.017)
    assert metered.meter.bill(metered.call).usd == pytest.approx(64.021)
    assert [usd for usd, _ in metered.spent] == pytest.approx([64.004, 0.017])


async def test_usage_that_is_unknown_is_counted_as_such() -> None:
    metered = Metered()
    metered.on(on.Used("r1"))
    assert metered.value("usage_unknown_total") == 1
    assert metered.meter.bill(metered.call).usd is None
    assert metered.spent == []


async def test_without_a_tariff_the_cost_is_unknown_and_tokens_are_counted() -> None:
    metered = Metered()
    metered.meter = Meter(metered.metrics)
    metered.on(on.Used("r1", Tokens(text_in=10)))
    assert metered.value("tokens_total", kind="text_in") == 10
    assert metered.meter.bill(metered.call).usd is None
    assert metered.value("cost_usd_total") == 0.0


async def test_a_turn_is_measured_when_its_answer_is_heard_and_only_then() -> None:
    metered = Metered()
    for event in (
        on.CallerStopped("u1", 0.5),
        on.ReplyBegun("r1"),
        on.ToolAsked("c1", "lookup", "{}", False, "r1"),
    ):
        metered.on(event)
    metered.driven.now += 2.0
    metered.on(on.ToolEnded("c1", Answered("x"), 2.0))
    metered.on(on.ReplyAsked(("c1",)))
    metered.on(on.ReplyBegun("r2", ("c1",)))
    assert metered.value("turn_latency_seconds_count") == 0
    metered.driven.now += 0.25
    metered.on(on.BotStarted(None, "r2"))
    metered.on(on.BotStarted(None, "r2"))
    assert metered.value("turn_latency_seconds_count") == 1
    assert metered.value("turn_latency_seconds_sum") == pytest.approx(2.75)
    assert metered.value("turn_tools_seconds_sum") == pytest.approx(2.0)
    assert metered.value("turn_own_seconds_sum") == pytest.approx(0.0, abs=1e-9)


async def test_a_latency_that_is_unknown_is_not_measured() -> None:
    metered = Metered()
    for event in (on.CallerStopped("u1"), on.ReplyBegun("r1"), on.BotStarted(None, "r1")):
        metered.on(event)
    assert metered.value("turn_latency_seconds_count") == 0
    assert metered.value("turn_tools_seconds_count") == 0
    assert metered.value("turn_own_seconds_count") == 1


async def test_what_was_used_within_a_moment_is_counted_at_once() -> None:
    metered = Metered()
    metered.settles = False
    metered.on(on.Used("r1", Tokens(text_in=1000)))
    metered.on(on.Used("r2", Tokens(text_in=500)))
    assert metered.value("tokens_total", kind="text_in") is None
    metered.meter.settle()
    assert metered.value("tokens_total", kind="text_in") == 1500
    assert len(metered.spent) == 1
    metered.meter.settle()
    assert metered.value("tokens_total", kind="text_in") == 1500
