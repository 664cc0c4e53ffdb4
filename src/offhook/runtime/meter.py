"""Counts what calls use, what that costs, and how long their callers wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import structs

from offhook.core.call import Call
from offhook.core.toolcalls import Ledger
from offhook.core.turns import Turn
from offhook.core.usage import NOTHING, Usage
from offhook.observe.metrics import Metrics
from offhook.store.prices import Bill, Tariff

Spend = Callable[[float, float, str], None]

SETTLE_S = 1.0  # by which what was used is counted late; counting costs more than using


class Meter:
    """The meter of all calls of a line. Without a tariff no cost is known.

    `spend` is told what was used costs, in US dollars, how many seconds ago its call rang, and
    on which line.
    """

    def __init__(
        self, metrics: Metrics, tariff: Tariff | None = None, spend: Spend | None = None
    ) -> None:
        self.tariff = tariff
        self._metrics = metrics
        self._spend = spend
        self._uses: dict[str, tuple[Usage, Call]] = {}  # by call: before, and as it is now
        self._answers: list[tuple[Turn, Ledger]] = []
        self._timer: asyncio.TimerHandle | None = None

    def bill(self, call: Call) -> Bill:
        """What a call costs so far."""
        return Bill(complete=False) if self.tariff is None else self.tariff.bill(call.usage)

    def used(self, before: Call, after: Call) -> None:
        """Note that a step may have added to what a call has used."""
        if after.usage is before.usage:
            return
        first, _ = self._uses.get(after.id, (before.usage, after))
        self._uses[after.id] = (first, after)
        self._settle_soon()

    def heard(self, before: Call, after: Call) -> None:
        """Note how long the caller waited for an answer that has just begun to be heard."""
        for _, turn in after.turns.since(before.turns):
            was = before.turns.log.get(turn.item)
            if turn.audio_at is not None and (was is None or not was.audio_at):
                self._answers.append((turn, after.tools))
                self._settle_soon()

    def _settle_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self.settle)

    def settle(self) -> None:
        """Count what was used, and how long callers have waited."""
        uses, answers = self._uses, self._answers
        if self._timer is not None:
            self._timer.cancel()
        self._uses, self._answers, self._timer = {}, [], None
        tokens, seconds, unknown = NOTHING, 0.0, 0
        for before, call in uses.values():
            more = call.usage.since(before)
            tokens += more.responses
            seconds += more.seconds
            unknown += more.unknown
            self._charge(more, call)
        if uses:
            kinds = {kind: count for kind, count in structs.asdict(tokens).items() if count}
            self._metrics.used(kinds, seconds, unknown)
        for turn, tools in answers:
            self._metrics.answered(turn.latency, turn.tool_time(tools), turn.own)

    def _charge(self, used: Usage, call: Call) -> None:
        """Count what this costs; all prices are by the piece."""
        usd = 0.0 if self.tariff is None else self.tariff.bill(used).known
        if usd > 0:
            self._metrics.cost(usd)
            if self._spend is not None:
                ago = asyncio.get_running_loop().time() - call.rang_at
                self._spend(usd, ago, call.line)
