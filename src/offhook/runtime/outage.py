"""Outage mode: no call is taken, so that the trunk goes to people. By a switch, or by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from offhook.admission.breaker import Breaker, Limits, State
from offhook.config import Settings
from offhook.core import events as on
from offhook.core.events import Refusal
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.store.switches import Switch

# What tells whether the cloud works; all else is not worth a look.
TELLING = frozenset(
    {on.Accepted, on.AcceptRefused, on.BotSpoke, on.BotStarted, on.ReplyFailed, on.ModelFailed}
)
_NOT_ITS_FAULT = (Refusal.GONE, Refusal.TAKEN, Refusal.VARIANT)


class Outage:
    """The switch, which all replicas obey, and the breaker of this process."""

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        self.switch = Switch()
        self._held = False  # whether the switch was on when it was last looked at
        self.breaker = Breaker(limits)
        self._metrics = metrics
        self._clock = clock
        self._today = today
        self._log = get_logger("server")

    def why(self) -> str | None:
        """Why no call is taken now, `None` if calls are."""
        if self.switch.on and self.switch.holds(self._today() * 1000):
            return f"switched on by {self.switch.by}" if self.switch.by else "switched on"
        if self.breaker.state is not State.CLOSED and self.breaker.refuses(self._clock()):
            return f"the cloud fails: {self.breaker.why}"
        return None

    def put(self, switch: Switch) -> None:
        """The switch stands so from now on."""
        self.switch = switch
        was, self._held = self._held, switch.holds(self._today() * 1000)
        self._tell()
        if self._held is not was:
            log = self._log.warning if self._held else self._log.info
            log("outage mode by switch", on=self._held, by=switch.by, reason=switch.reason)

    def admitted(self) -> None:
        """A call comes in; after failures, it is the one that tries."""
        if self.breaker.state is not State.CLOSED:
            self._change(self.breaker.admitted(self._clock()))

    def heard(self, event: on.Event) -> None:
        """What an event of `TELLING` says of the cloud."""
        now = self._clock()
        match event:
            case on.Accepted():
                self._change(self.breaker.success(now))
            case on.BotSpoke() | on.BotStarted():
                self._change(self.breaker.spoke(now))
            case on.AcceptRefused(refusal, detail) if refusal not in _NOT_ITS_FAULT:
                self._change(self.breaker.failure(now, f"accept: {detail or refusal}"))
            case on.ReplyFailed(code) | on.ModelFailed(code):
                self._change(self.breaker.failure(now, code))

    def _change(self, breaker: Breaker) -> None:
        was, self.breaker = self.breaker, breaker
        if was.state is breaker.state:
            return
        self._tell()
        match breaker.state:
            case State.OPEN:
                self._metrics.outage_began()
                rest = round(breaker.until - self._clock())
                self._log.error("outage mode begins", why=breaker.why, trying_again_in_s=rest)
            case State.HALF_OPEN:
                self._log.info("outage mode: one call tries whether the cloud is back")
            case State.CLOSED:
                self._log.info("outage mode ends: the model has spoken")

    def _tell(self) -> None:
        self._metrics.outage(self._held or self.breaker.state is not State.CLOSED)


def make_outage(settings: Settings, metrics: Metrics) -> Outage:
    """Outage mode as the settings want it."""
    own = settings.admission
    limits = Limits(own.outage_failures, own.outage_window_s, own.outage_rest_s)
    return Outage(limits, metrics)
