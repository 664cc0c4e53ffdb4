"""A session that keeps a journal. A call without one runs none of this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import to_builtins

from offhook._version import __version__
from offhook.core import commands as do
from offhook.core import events as on
from offhook.core.call import Call
from offhook.core.party import Party
from offhook.core.step import Stepped, step
from offhook.realtime import conversation, hearing
from offhook.realtime.frames import Unknown, Unreadable, decode
from offhook.realtime.surface import Out, Surface
from offhook.runtime.cloud import Cloud
from offhook.runtime.entries import VERSION, Kind
from offhook.runtime.hold import Hold
from offhook.runtime.journal import Journal
from offhook.runtime.line import Line
from offhook.runtime.narrator import Narrator
from offhook.runtime.owned import Ended, OwnedSession
from offhook.runtime.scribe import Scribe


class JournaledSession(OwnedSession):
    """Notes what comes in, what is decided and what goes out, in the order in which it happens.

    A caller who refuses to be written down has no journal: there, everything is words.
    """

    def __init__(
        self,
        line: Line,
        cloud: Cloud,
        narrator: Narrator,
        ended: Ended,
        scribe: Scribe | None,
        hold: Hold | None,
        journal: Journal,
    ) -> None:
        super().__init__(line, cloud, narrator, ended, scribe, hold)
        self._journal = journal
        self._decide = self._noted_step
        self._raw = b""

    def begin(self, call: Call, commands: list[do.Command]) -> None:
        """Start a call that has just rung."""
        self._journal.note(call.rang_at, Kind.RING, self._ring(call))
        for command in commands:
            self._journal.note(call.rang_at, Kind.COMMAND, command)
        super().begin(call, commands)

    def _ring(self, call: Call) -> dict[str, Any]:
        """All that decisions depend on; numbers and names of people, prompt and tools do not."""
        config: dict[str, Any] = to_builtins(self._line.config)
        return {
            "journal": VERSION,
            "offhook": __version__,
            "call_id": call.id,
            "clock": call.rang_at,
            "caller": _veiled(call.caller),
            "language": call.language,
            "rules": to_builtins(call.rules),
            "config": config | {"instructions": "", "tools": []},
            "response_limit": self._line.response_limit,
            "epoch": self._surface.epoch,
        }

    def _noted_step(self, call: Call, event: on.Event, now: float) -> Stepped:
        self._journal.note(now, Kind.EVENT, event)
        call, commands = step(call, event, now)
        if not call.consent.keeping:
            self._journal.drop()
        for command in commands:
            self._journal.note(now, Kind.COMMAND, command)
        return call, commands

    def frame(self, raw: bytes) -> None:
        """Take one frame of the sideband. Pieces of what comes whole later are not noted."""
        self._raw = raw
        odd = decode(raw)
        if isinstance(odd, Unknown | Unreadable):  # nobody knows what is in it
            self._journal.note(self._moment(), Kind.FRAME, {"type": odd.type})
        super().frame(raw)

    def _converse(self, change: Callable[..., Surface], *what: object) -> None:
        def noted(surface: Surface, *rest: Any) -> Surface:
            now: float = rest[-2]
            out: Out = rest[-1]
            self._note_cause(change, what, now)
            try:
                return change(surface, *rest)
            finally:
                for frame in out.frames:
                    self._journal.note(now, Kind.SENT, frame)

        super()._converse(noted, *what)

    def _note_cause(self, change: object, what: tuple[object, ...], now: float) -> None:
        if change is hearing.receive:
            self._journal.note(now, Kind.FRAME, self._raw)
        elif change is conversation.opened:
            self._journal.note(now, Kind.LINE, {"now": "opened", "variant": what[0]})
        elif change is conversation.lost:
            self._journal.note(now, Kind.LINE, {"now": "lost"})
        elif change is conversation.tick:
            self._journal.note(now, Kind.LINE, {"now": "tick"})

    async def settled(self) -> None:
        """Wait until nothing of this call runs any more, and its journal is complete."""
        await super().settled()
        self._journal.note(self._loop.time(), Kind.END, self.call.end or {})
        await self._journal.close()


def _veiled(caller: Party) -> dict[str, str | None]:
    return {
        "number": None if caller.number is None else "[phone]",
        "name": None if caller.name is None else "[name]",
    }
