"""The metrics and the bounds of their labels."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from offhook.observe.metrics import MAX_VALUES, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    body, content_type = metrics.render()
    assert content_type.startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_every_metric_has_its_name_and_labels() -> None:
    metrics = Metrics()
    metrics.delivered("accepted")
    metrics.unknown_event("live.call.incoming")
    metrics.call_ended("caller_hung_up", "nobody")
    metrics.live_calls(3)
    metrics.tool_called("lookup_order", "answered")
    metrics.transferred("referred")
    metrics.sideband_reattached()
    metrics.unknown_frame("session.dreaming")
    metrics.ring_to_accept(0.2)
    metrics.ring_to_greeting(1.2)
    found = samples(metrics)
    assert found["offhook_webhook_deliveries_total", "accepted"] == 1
    assert found["offhook_webhook_unknown_events_total", "live.call.incoming"] == 1
    assert found["offhook_calls_total", "caller_hung_up", "nobody"] == 1
    assert found[("offhook_live_calls",)] == 3
    assert found["offhook_tool_calls_total", "answered", "lookup_order"] == 1
    assert found["offhook_transfers_total", "referred"] == 1
    assert found[("offhook_sideband_reattach_total",)] == 1
    assert found["offhook_unknown_frames_total", "session.dreaming"] == 1
    assert found[("offhook_ring_to_accept_seconds_sum",)] == 0.2
    assert found["offhook_ring_to_greeting_seconds_bucket", "1.5"] == 1
    assert found["offhook_ring_to_greeting_seconds_bucket", "1.0"] == 0


def test_types_from_outside_are_bounded() -> None:
    metrics = Metrics()
    for number in range(MAX_VALUES + 25):
        for _ in range(2):
            metrics.unknown_event(f"event.{number}")
            metrics.unknown_frame(f"frame.{number}")
            metrics.tool_called(f"tool_{number}", "answered")
    found = samples(metrics)
    for name in ("webhook_unknown_events", "unknown_frames", "tool_calls"):
        values = {key: value for key, value in found.items() if key[0] == f"offhook_{name}_total"}
        assert len(values) == MAX_VALUES + 1
        assert sum(values.values()) == 2 * (MAX_VALUES + 25)
    assert found["offhook_unknown_frames_total", "other"] == 50


def test_a_strange_type_is_other() -> None:
    metrics = Metrics()
    for strange in ("", "a b", "x" * 65, 'a"b\n', "ü"):
        metrics.unknown_frame(strange)
    assert samples(metrics)["offhook_unknown_frames_total", "other"] == 5


def test_two_of_them_do_not_meet() -> None:
    first, second = Metrics(), Metrics()
    first.sideband_reattached()
    assert samples(second)[("offhook_sideband_reattach_total",)] == 0
