"""Looks at all calls together for what none of them can tell alone: that the cloud is unwell."""

from __future__ import annotations

from offhook.core import events as on
from offhook.observe.metrics import Metrics
from offhook.runtime.outage import TELLING, Outage

WATCHED = TELLING | {on.CallerSaid, on.TranscriptMissing}

TRANSCRIPTS = "transcripts"


class Watch:
    """Hears what calls go through. `concerns` are things that are wrong although calls are taken.

    By name, each in words for the person on call.
    """

    def __init__(self, metrics: Metrics, outage: Outage) -> None:
        self.concerns: dict[str, str] = {}
        self._metrics = metrics
        self._outage = outage

    def heard(self, event: on.Event) -> None:
        """Take one event of `WATCHED`, of whichever call."""
        match event:
            case on.CallerSaid():
                if self.concerns.pop(TRANSCRIPTS, None) is not None:
                    self._metrics.concerns(len(self.concerns))
            case on.TranscriptMissing(turns):
                self.concerns[TRANSCRIPTS] = f"{turns} turns of a caller were not put into words"
                self._metrics.concerns(len(self.concerns))
            case _:
                self._outage.heard(event)

    def told(self) -> dict[str, str]:
        """What is to be said of the health of this process, by name; nothing if all is well."""
        outage = self._outage.why()
        return self.concerns if outage is None else {**self.concerns, "outage": outage}
