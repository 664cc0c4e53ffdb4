"""Counts what calls use, what that costs, and how long their callers wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import structs

from offhook.core.call import Call
from offhook.observe.metrics import Metrics
from offhook.store.prices import Bill, Tariff

Spend = Callable[[float, float, str], None]


class Meter:
    """The meter of all calls of a line. Without a tariff no cost is known.

    `spend` is told what each use costs, in US dollars, how many seconds ago its call rang, and
    on which line.
    """

    def __init__(
        self, metrics: Metrics, tariff: Tariff | None = None, spend: Spend | None = None
    ) -> None:
        self.tariff = tariff
        self._metrics = metrics
        self._spend = spend

    def bill(self, call: Call) -> Bill:
        """What a call costs so far."""
        return Bill(complete=False) if self.tariff is None else self.tariff.bill(call.usage)

    def used(self, before: Call, after: Call) -> None:
        """Count what a step has added to what a call has used."""
        if after.usage is before.usage:
            return
        then, now = before.usage, after.usage
        self._metrics.used(
            _more(structs.asdict(then.responses), structs.asdict(now.responses)),
            now.seconds - then.seconds,
            now.unknown - then.unknown,
        )
        usd = self.bill(after).known - self.bill(before).known
        if usd > 0:
            self._metrics.cost(usd)
            if self._spend is not None:
                ago = asyncio.get_running_loop().time() - after.rang_at
                self._spend(usd, ago, after.line)

    def heard(self, before: Call, after: Call) -> None:
        """Note how long the caller waited for an answer that has just begun to be heard."""
        for _, turn in after.turns.since(before.turns):
            was = before.turns.log.get(turn.item)
            if turn.audio_at is not None and (was is None or not was.audio_at):
                self._metrics.answered(turn.latency, turn.tool_time(after.tools), turn.own)


def _more(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {kind: more for kind, count in after.items() if (more := count - before[kind])}
