"""A call driven by hand: events in, commands out, on a clock that only the test moves."""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.end import Verdict
from offhook.core.rules import Limits, Rules
from offhook.core.step import ring, step
from offhook.lines import ENGLISH

C = TypeVar("C", bound=do.Command)

TARGETS = {"support": "our support team", "sales": "sales"}


def rules(targets: dict[str, str] | None = None, **limits: Any) -> Rules:
    """Rules with the standard lines and limits, but for those given."""
    named = TARGETS if targets is None else targets
    return Rules(lines=ENGLISH, limits=replace(Limits(), **limits), targets=named)


class Driven:
    """One call. `commands` are those of the last `on`, `all` those since the ring."""

    def __init__(
        self, with_rules: Rules | None = None, *, verdict: Verdict | None = None, **limits: Any
    ) -> None:
        self.now = 100.0
        own = with_rules or rules(**limits)
        self.call, self.commands = ring("rtc_1", own, self.now, verdict=verdict)
        self.all = list(self.commands)

    def on(self, *events: on.Event) -> list[do.Command]:
        """Step by each event; the commands of all of them."""
        self.commands = []
        for event in events:
            self.call, commands = step(self.call, event, self.now)
            self.commands += commands
        self.all += self.commands
        return self.commands

    def wait(self, seconds: float) -> list[do.Command]:
        """Let time pass, ringing each alarm at its time as the shell does."""
        until, got = self.now + seconds, []
        while (at := self.call.alarms.next) is not None and at <= until:
            self.now = max(self.now, at)
            got += self.on(on.TimeUp())
        self.now = until
        self.commands = got
        return got

    def told(self, kind: type[C]) -> list[C]:
        """The commands of one kind since the ring."""
        return [c for c in self.all if isinstance(c, kind)]

    def live(self) -> Driven:
        """Accept, attach and greet."""
        self.on(on.Accepted(), on.Attached())
        self.wait(self.call.rules.limits.greeting_delay)
        self.on(on.BotStarted("greeting"), on.BotStopped())
        self.on(on.SayEnded("greeting", on.SayEnd.HEARD))
        assert self.call.phase is Phase.LIVE
        return self

    def gone(self) -> list[do.Command]:
        """The sideband closes, and the cloud knows no such call any more."""
        return self.on(on.SidebandLost(), on.AttachFailed(on.Refusal.GONE, "http 404"))

    @property
    def end(self) -> str | None:
        """Why it ended."""
        return self.call.end.reason if self.call.end else None


def phase(call: Call) -> Phase:
    """The phase, for a type checker that remembers what an earlier assertion said of it."""
    return call.phase
