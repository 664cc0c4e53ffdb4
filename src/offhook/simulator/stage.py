"""What the parts of one call share: time, trace, session, items and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.clock import Clock
from offhook.simulator.conversation import Conversation
from offhook.simulator.faults import Faults
from offhook.simulator.profile import Profile, Timings
from offhook.simulator.session import Session
from offhook.simulator.trace import Trace
from offhook.simulator.wire import Problem, encode, event, novel


class Outlet(Protocol):
    """A sideband that is attached."""

    def send(self, frame: bytes) -> None:
        """Send one text frame."""


class Stage:
    """One call's surroundings. `changed` tells whoever waits that something may be over."""

    def __init__(
        self,
        *,
        clock: Clock,
        profile: Profile,
        timings: Timings,
        faults: Faults,
        beliefs: Beliefs,
    ) -> None:
        self.clock = clock
        self.beliefs = beliefs
        self.profile = profile
        self.timings = timings
        self.faults = faults
        self.watchers: list[Callable[[], None]] = []
        self.trace = Trace(clock.now, self.changed)
        self.items = Conversation()
        self.session: Session
        self.outlets: list[Outlet] = []
        self.sent = 0
        self.after_send: Callable[[], None] | None = None
        self._audio_epoch = clock.now()

    def emit(self, kind: str, /, **fields: Any) -> None:
        """Send an event to every sideband; with none attached it is lost."""
        if not self.outlets or self._deaf:
            return
        self.emit_raw(encode(self._event(kind, fields)))

    @property
    def _deaf(self) -> bool:
        after = self.faults.deaf_after
        return self.faults.deaf or (after is not None and self.sent >= after)

    def emit_raw(self, frame: bytes) -> None:
        """Send a frame that is ready."""
        self.sent += 1
        every = self.faults.duplicate_every
        for outlet in self.outlets:
            outlet.send(frame)
            if every is not None and self.sent % every == 0:
                outlet.send(frame)
        if self.after_send is not None:
            self.after_send()

    def _event(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        if self.faults.novelties:
            return event(kind, **novel(fields))
        return event(kind, **fields)

    def error(self, problem: Problem, event_id: str | None) -> None:
        """Send an error event; `event_id` names the client event that it is about."""
        self.trace.mark("error_sent", code=problem.code, message=problem.message)
        self.emit("error", error=problem.error(event_id))

    def previous_when_done(self, item_id: str) -> str | None:
        """What `conversation.item.done` names as the item before."""
        names_callers = self.beliefs.done_names_callers
        return self.items.previous_when_done(item_id, names_callers=names_callers)

    def changed(self) -> None:
        """Let everyone who waits look again."""
        for watcher in self.watchers:
            watcher()

    def audio_begins(self) -> None:
        """The caller's audio starts to flow: offsets count from here."""
        self._audio_epoch = self.clock.now()

    def audio_ms(self) -> int:
        """The offset of the caller's audio now."""
        return int((self.clock.now() - self._audio_epoch) * 1000)
