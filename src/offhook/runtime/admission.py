"""Asks the rules about each call that rings, with what this process knows just then."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from offhook import admission
from offhook.admission import Codes, Load, Rates, Seen
from offhook.config import Settings
from offhook.core.call import Call
from offhook.core.end import Refused, Verdict
from offhook.core.party import Party
from offhook.runtime.budget import Kind
from offhook.runtime.directory import Directory
from offhook.runtime.line import Line
from offhook.runtime.outage import Outage
from offhook.runtime.quotas import Quotas
from offhook.store.census import Census


class Ring(Struct, frozen=True):
    """A call that has just rung: who calls whom, as the network claims, and whose line it is."""

    call_id: str
    caller: Party
    called: str | None = None
    line: Line | None = None


class Admission:
    """Lets calls in or not, and counts those that it has let in. Nothing here ever waits.

    `census` is what is known of other replicas, `frequent` how often callers have been let in by
    all of them within the hour, by line and hash; both are looked up once in a while.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        outage: Outage,
        quotas: Quotas,
        *,
        hashed: Callable[[str], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self.outage = outage
        self.quotas = quotas
        self.census = Census()
        self.frequent: Mapping[tuple[str, str], int] = {}
        self.codes = codes(settings)
        self._most = settings.replicas.max_calls
        self._transfers = settings.admission.outage_policy == "transfer"
        self._hashed = hashed
        self._clock = clock
        self._today = today
        self._rates = Rates()
        self._live: dict[str, str] = {}  # line by call
        self._lines: Counter[str] = Counter()

    def check(self, ring: Ring) -> Verdict | None:
        """Why this call is refused or forwarded, `None` if it simply comes in.

        A call that is not refused is counted until `ended`.
        """
        verdict = admission.check(self.seen(ring))
        if not isinstance(verdict, Refused) and ring.line is not None:
            self.began(ring.call_id, ring.line.plan.name)
            if ring.caller.number is not None and ring.line.plan.calls_per_hour is not None:
                self._rates.add(ring.line.plan.name, ring.caller.number, self._clock())
            if verdict is None:
                self.outage.admitted()
        return verdict

    def seen(self, ring: Ring) -> Seen:
        """What the rules are asked about."""
        if ring.line is None:
            return Seen(line=None, caller=ring.caller, codes=self.codes)
        plan = ring.line.plan
        return Seen(
            line=plan,
            caller=ring.caller,
            codes=self.codes,
            outage=self.outage.why(),
            forward=next(iter(ring.line.rules.targets), None) if self._transfers else None,
            load=self._load(),
            reserved=self.directory.reserved,
            calls=self._calls(plan.name, ring) if plan.calls_per_hour is not None else 0,
            open=plan.hours is None or plan.hours.is_open(self._at()),
            over_minutes=self.quotas.over(Kind.MINUTES, plan.name) if self.quotas else None,
            over_budget=self.quotas.over(Kind.MONEY, plan.name) if self.quotas else None,
        )

    def began(self, call_id: str, line: str) -> None:
        """A call is live here: let in, or taken over from another process."""
        if call_id not in self._live:
            self._live[call_id] = line
            self._lines[line] += 1

    def ended(self, call: Call) -> None:
        """A call is live here no more."""
        line = self._live.pop(call.id, None)
        if line is None:
            return
        self._lines[line] -= 1
        if call.accepted_at is not None and call.ended_at is not None and self.quotas:
            minutes = (call.ended_at - call.accepted_at) / 60
            self.quotas.talked(minutes, call.ended_at - call.rang_at, line)

    def _load(self) -> Load:
        others = self.census.live
        lines = {**others, **{n: c + others.get(n, 0) for n, c in self._lines.items()}}
        here = len(self._live)
        return Load(here, self._most, lines, self._most + self.census.room)

    def _calls(self, line: str, ring: Ring) -> int:
        number = ring.caller.number
        if number is None:
            return 0
        here = self._rates.count(line, number, self._clock())
        if not self.frequent or self._hashed is None:
            return here
        return max(here, self.frequent.get((line, self._hashed(number)), 0))

    def _at(self) -> datetime:
        return datetime.fromtimestamp(self._today(), UTC)


def codes(settings: Settings) -> Codes:
    """The SIP status of each refusal, as the settings say."""
    own = settings.admission
    return Codes(
        no_line=own.no_line_code,
        outage=own.outage_code,
        capacity=own.capacity_code,
        rate=own.rate_code,
        blocked=own.blocked_code,
        anonymous=own.anonymous_code,
        closed=own.closed_code,
        spent=settings.costs.budget_code,
    )
