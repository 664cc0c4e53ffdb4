"""The budgets of a day: money and minutes, of each line and of all lines together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from offhook.config import Settings
from offhook.dialplan import DialPlan
from offhook.observe.metrics import Metrics
from offhook.runtime.budget import Budget, Kind
from offhook.store.spending import Spent


class Quotas:
    """All budgets that settings and lines give. One that is not given costs nothing to ask."""

    def __init__(
        self, settings: Settings, metrics: Metrics, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._zone = settings.costs.timezone
        self._clock = clock
        self._budgets: dict[tuple[str | None, Kind], Budget] = {}
        self._put(None, Kind.MONEY, settings.costs.daily_budget, metrics.spent_today)
        self._put(None, Kind.MINUTES, settings.admission.daily_minutes)

    def __iter__(self) -> Iterator[Budget]:
        return iter(self._budgets.values())

    def __bool__(self) -> bool:
        return bool(self._budgets)

    def of_lines(self, plan: DialPlan) -> None:
        """Set the budgets of lines. One that is as it was keeps what it knows."""
        wanted = {
            (line.name, kind): most
            for line in plan.lines
            for kind, most in (
                (Kind.MONEY, line.daily_budget),
                (Kind.MINUTES, line.daily_minutes),
            )
            if most is not None
        }
        for key in [k for k in self._budgets if k[0] is not None and k not in wanted]:
            del self._budgets[key]
        for (line, kind), most in wanted.items():
            known = self._budgets.get((line, kind))
            if known is None or known.most != most:
                new = self._put(line, kind, most)
                if known is not None and new is not None:
                    new.recorded(known.used, known.turn_page()[0])

    def over(self, kind: Kind, line: str) -> str | None:
        """Why this line takes no call any more today, `None` if it does."""
        for key in ((None, kind), (line, kind)):
            budget = self._budgets.get(key)
            if budget is not None and (why := budget.over()) is not None:
                return why
        return None

    def spend(self, usd: float, ago: float, line: str) -> None:
        """Something was paid for in a call of this process that rang `ago` seconds ago."""
        self._add(Kind.MONEY, usd, ago, line)

    def talked(self, minutes: float, ago: float, line: str) -> None:
        """A call of this process has ended that was so long, and rang `ago` seconds ago."""
        self._add(Kind.MINUTES, minutes, ago, line)

    def day(self) -> tuple[float, float]:
        """Begin and end of today, in Unix seconds."""
        return next(iter(self)).turn_page()

    def recorded(self, lines: Mapping[str, Spent], begin: float) -> None:
        """The records tell what each line has used on the day that began at `begin`."""
        for budget in self:
            those = [s for name, s in lines.items() if budget.line in (None, name)]
            money = budget.kind is Kind.MONEY
            budget.recorded(sum(s.usd if money else s.minutes for s in those), begin)

    def _add(self, kind: Kind, amount: float, ago: float, line: str) -> None:
        for key in ((None, kind), (line, kind)):
            if (budget := self._budgets.get(key)) is not None:
                budget.spend(amount, ago)

    def _put(
        self,
        line: str | None,
        kind: Kind,
        most: float | None,
        told: Callable[[float, float], None] = lambda used, most: None,
    ) -> Budget | None:
        if most is None:
            return None
        budget = Budget(most, kind, self._zone, line=line, told=told, clock=self._clock)
        self._budgets[line, kind] = budget
        return budget
