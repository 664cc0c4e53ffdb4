"""Outage mode: by the switch, and by itself after failures of the cloud."""

from __future__ import annotations

from msgspec import Struct

from offhook.admission.breaker import Limits
from offhook.core import events as on
from offhook.core.events import Refusal
from offhook.observe.metrics import Metrics
from offhook.runtime.outage import Outage
from offhook.runtime.watch import Watch
from offhook.store.switches import Switch
from support.serving import logging_to


class Clocks(Struct):
    """Both clocks, moved by hand."""

    now: float = 0.0
    today: float = 1000.0


def outage(clocks: Clocks, failures: int = 3) -> tuple[Outage, Metrics]:
    metrics = Metrics()
    made = Outage(
        Limits(failures, 60.0, 30.0),
        metrics,
        clock=lambda: clocks.now,
        today=lambda: clocks.today,
    )
    return made, metrics


def value(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"offhook_{name}")


def test_the_switch_is_obeyed_until_its_time_is_over() -> None:
    clocks = Clocks()
    mode, metrics = outage(clocks)
    assert mode.why() is None
    mode.put(Switch(on=True, until=2_000_000, by="ann"))
    assert mode.why() == "switched on by ann"
    assert value(metrics, "outage_mode") == 1
    clocks.today = 2000.0
    assert mode.why() is None
    mode.put(Switch())
    assert value(metrics, "outage_mode") == 0


def test_failures_of_the_cloud_begin_it_and_the_log_says_why() -> None:
    clocks = Clocks()
    mode, metrics = outage(clocks)
    with logging_to() as log:
        mode.heard(on.AcceptRefused(Refusal.BUSY, "http 503"))
        mode.heard(on.ReplyFailed("server_error"))
        assert mode.why() is None
        mode.heard(on.ModelFailed("no_answer"))
        (line,) = log.of("outage mode begins", level="error")
    assert line["why"] == "no_answer"
    assert mode.why() == "the cloud fails: no_answer"
    assert value(metrics, "outages_total") == 1
    assert value(metrics, "outage_mode") == 1


def test_what_is_not_the_clouds_fault_counts_for_nothing() -> None:
    mode, _ = outage(Clocks())
    for refusal in (Refusal.GONE, Refusal.TAKEN, Refusal.VARIANT) * 10:
        mode.heard(on.AcceptRefused(refusal))
    assert mode.why() is None


def test_after_a_rest_one_call_tries_and_its_first_words_end_it() -> None:
    clocks = Clocks()
    mode, metrics = outage(clocks)
    for _ in range(3):
        mode.heard(on.ReplyFailed("server_error"))
    clocks.now = 30.0
    assert mode.why() is None
    mode.admitted()
    assert mode.why() == "the cloud fails: server_error"
    mode.heard(on.BotSpoke("item_1", 500))
    assert mode.why() is None
    assert value(metrics, "outage_mode") == 0


def test_health_tells_of_missing_transcripts_until_one_comes() -> None:
    mode, metrics = outage(Clocks())
    watch = Watch(metrics, mode)
    assert watch.told() == {}
    watch.heard(on.TranscriptMissing(4))
    assert list(watch.told()) == ["transcripts"]
    assert value(metrics, "health_concerns") == 1
    watch.heard(on.CallerSaid("item_1", "Hello"))
    assert watch.told() == {}
    assert value(metrics, "health_concerns") == 0


def test_health_tells_of_an_outage() -> None:
    mode, metrics = outage(Clocks())
    mode.put(Switch(on=True))
    assert Watch(metrics, mode).told() == {"outage": "switched on"}
