"""Counters and times of the calls, for Prometheus. No label is ever chosen by a stranger alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

MAX_VALUES = 50
_OTHER = "other"
_PLAIN = re.compile(r"[A-Za-z0-9_.\-]{1,64}")

_ACCEPT_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
_GAP_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 30, 60)
_ATTACH_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
_LATENCY_S = (0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 6, 10, 20)
_TOOL_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20)
_OWN_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2)
_GREETING_S = (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 6, 10, 20)


class Metrics:
    """The metrics of one process, in a registry of their own, so that tests can have many."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = self._counter("webhook_deliveries", "Webhook deliveries", "result")
        self._unknown_events = self._counter(
            "webhook_unknown_events", "Webhook events of a type we do not know", "type"
        )
        self._calls = self._counter("calls", "Calls that ended", "end_reason", "fault")
        self._tool_calls = self._counter("tool_calls", "Tool calls", "tool", "outcome")
        self._transfers = self._counter("transfers", "Transfers", "outcome")
        self._reattached = self._counter(
            "sideband_reattach", "Sidebands that were lost and regained"
        )
        self._unknown_frames = self._counter(
            "unknown_frames", "Sideband frames of a type we do not know", "type"
        )
        self._live_calls = self._gauge("live_calls", "Calls going on just now")
        self._to_accept = self._seconds("ring_to_accept", "From webhook to accepted", _ACCEPT_S)
        self._to_greeting = self._seconds(
            "ring_to_greeting", "From webhook to the first sound", _GREETING_S
        )
        self._taken_over = self._counter(
            "calls_taken_over", "Calls of other processes, gone on with"
        )
        self._handed_over = self._counter("calls_handed_over", "Calls given to other processes")
        self._fenced_off = self._counter("calls_fenced_off", "Calls lost to other processes")
        self._claims_lost = self._counter(
            "claims_lost", "Webhooks that another process was faster at"
        )
        self._gap = self._seconds(
            "takeover_gap", "From the last sign of the last owner to the open sideband", _GAP_S
        )
        self._to_attach = self._seconds(
            "ring_to_attach", "From webhook to the open sideband", _ATTACH_S
        )
        self._latency = self._seconds(
            "turn_latency", "From the end of speech to the first sound of the answer", _LATENCY_S
        )
        self._tool_time = self._seconds("turn_tools", "Time of tools in one turn", _TOOL_S)
        self._own = self._seconds("turn_own", "What offhook itself adds to a turn", _OWN_S)
        self._tokens = self._counter("tokens", "Tokens used by responses", "kind")
        self._transcribed = self._counter("transcribed_seconds", "Audio that was transcribed")
        self._usage_unknown = self._counter("usage_unknown", "Uses that the cloud did not tell")
        self._cost = self._counter("cost_usd", "What calls cost, as far as prices are known")
        self._spent = self._gauge("spent_today_usd", "What calls cost today, all replicas together")
        self._budget = self._gauge("daily_budget_usd", "What calls may cost in a day")
        self._refused = self._counter("calls_refused", "Calls refused before the accept", "reason")
        self._event_types, self._frame_types = _Bounded(), _Bounded()
        self._tools = _Bounded()

    def delivered(self, result: str) -> None:
        """Count a webhook delivery by what became of it, e.g. `accepted`, `duplicate`."""
        self._deliveries.labels(result).inc()

    def unknown_event(self, kind: str) -> bool:
        """Count a webhook event that nobody here knows; whether its type is a new one."""
        label, new = self._event_types.admit(kind)
        self._unknown_events.labels(label).inc()
        return new

    def call_ended(self, end_reason: str, fault: str) -> None:
        """Count a finished call by why it ended and whose fault that was."""
        self._calls.labels(end_reason, fault).inc()

    def live_calls(self, number: int) -> None:
        """Set how many calls are going on."""
        self._live_calls.set(number)

    def tool_called(self, tool: str, outcome: str) -> None:
        """Count a tool call; the model may make up names, so those are bounded too."""
        self._tool_calls.labels(self._tools.value(tool), outcome).inc()

    def transferred(self, outcome: str) -> None:
        """Count a transfer by how it came out."""
        self._transfers.labels(outcome).inc()

    def sideband_reattached(self) -> None:
        """Count a sideband that was lost and regained."""
        self._reattached.inc()

    def unknown_frame(self, kind: str) -> bool:
        """Count a sideband frame that nobody here knows; whether its type is a new one."""
        label, new = self._frame_types.admit(kind)
        self._unknown_frames.labels(label).inc()
        return new

    def ring_to_accept(self, seconds: float) -> None:
        """Note how long a caller waited until the call was accepted."""
        self._to_accept.observe(seconds)

    def ring_to_greeting(self, seconds: float) -> None:
        """Note how long a caller waited until there was something to hear."""
        self._to_greeting.observe(seconds)

    def taken_over(self, gap: float) -> None:
        """Count a call that goes on here; note for how long nobody had listened to it."""
        self._taken_over.inc()
        self._gap.observe(gap)

    def fenced_off(self) -> None:
        """Count a call that others have taken from us, so that nothing was done for it here."""
        self._fenced_off.inc()

    def handed_over(self) -> None:
        """Count a call that was given to another process."""
        self._handed_over.inc()

    def claim_lost(self) -> None:
        """Count a webhook of a call that another process had taken already."""
        self._claims_lost.inc()

    def ring_to_attach(self, seconds: float) -> None:
        """Note how long it took until the sideband was open."""
        self._to_attach.observe(seconds)

    def answered(self, latency: float | None, tools: float | None, own: float) -> None:
        """Note how long a caller waited for an answer, in seconds; `None` is not known, or none."""
        if latency is not None:
            self._latency.observe(latency)
        if tools is not None:
            self._tool_time.observe(tools)
        self._own.observe(own)

    def used(self, tokens: Mapping[str, int], seconds: float, unknown: int) -> None:
        """Count tokens by kind, and seconds of audio that were transcribed."""
        for kind, count in tokens.items():
            self._tokens.labels(kind).inc(count)
        self._transcribed.inc(seconds)
        self._usage_unknown.inc(unknown)

    def cost(self, usd: float) -> None:
        """Count what was spent."""
        self._cost.inc(usd)

    def spent_today(self, usd: float, budget: float) -> None:
        """Set what was spent today, by whomever, and how much may be."""
        self._spent.set(usd)
        self._budget.set(budget)

    def refused(self, reason: str) -> None:
        """Count a call that was refused before it was accepted."""
        self._refused.labels(reason).inc()

    def render(self) -> tuple[bytes, str]:
        """Return the body and the content type of a scrape."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"offhook_{name}", f"{text}.", labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"offhook_{name}", f"{text}.", registry=self.registry)

    def _seconds(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(
            f"offhook_{name}_seconds", f"{text}.", buckets=buckets, registry=self.registry
        )


class _Bounded:
    """The first values of a label that comes from outside; what comes later is `other`."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def value(self, raw: str) -> str:
        """The label to count it under."""
        return self.admit(raw)[0]

    def admit(self, raw: str) -> tuple[str, bool]:
        """The label to count it under, and whether that is used for the first time."""
        known = raw in self._known or (len(self._known) < MAX_VALUES and _PLAIN.fullmatch(raw))
        label = raw if known else _OTHER
        new = label not in self._known
        self._known.add(label)
        return label, new
