"""Writes a call down. The call is a value, so its record is the difference of two of them.

A step is only noted; what it has changed is worked out a moment later, together with the steps
of other calls, which costs half as much. What a killed process must not lose is written at once.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence

from offhook.core import events as on
from offhook.core.call import Call
from offhook.observe.logs import get_logger
from offhook.runtime.account import PLAIN, Account, Step
from offhook.runtime.checkpoint import Upto
from offhook.runtime.desk import Desk
from offhook.runtime.moments import GIVEN, RANG, TAKEN_OVER, TOLD
from offhook.store.facts import AnyFact

AT_ONCE = frozenset({on.ToolStarted, on.ToolEnded})  # on record before the cloud is told
FINISHED = frozenset({on.CallerSaid, on.BotSaid})  # what a killed process must not lose

# Where these have changed no more than they usually do, nothing is written down before another
# event has its turn: an answer that is heard, a text.
PASSING = frozenset(
    {on.BotStopped, on.CallerStarted, on.CallerStopped, on.ReplyAsked, on.ReplyBegun}
)


class Scribe:
    """The scribe of one call. `fence` grows with each process that owns the call."""

    def __init__(self, desk: Desk, call: Call, clock: Callable[[], float], fence: int = 1) -> None:
        self._desk = desk
        self._account = Account(desk, call, clock, fence)
        self._clock = clock
        self._known = call  # as it was when its steps were last worked out
        self._steps: list[Step] = []  # what is not worked out yet

    def began(self, call: Call) -> None:
        """Note a call that has rung."""
        account = self._account
        rang = account.moment(RANG, call.rang_at)
        self._desk.writer.take([account.call(call), rang, account.checkpoint(call)])

    def took_over(self, call: Call, places: Sequence[int], detail: str) -> None:
        """Note that the call goes on here. `places` are those of what was said, in the record."""
        self._known, account = call, self._account
        facts: list[AnyFact] = [account.call(call), account.checkpoint(call)]
        facts.append(account.moment(TAKEN_OVER, self._clock(), detail))
        said = call.transcript.utterances
        facts += (account.utterance(call, n, said[n]) for n, at in enumerate(places) if n != at)
        self._desk.writer.take(facts)

    async def hand_over(self, call: Call, seen: Upto, within: float) -> bool:
        """Write down where the call stands, for its heir. Whether the database has all of it."""
        account = self._account
        facts = self._worked_out()  # first: it is the newest checkpoint that tells what is seen
        facts += (account.call(call), account.moment(GIVEN, self._clock()))
        facts.append(account.checkpoint(call, seen))
        facts += account.never_understood(call)  # so far: the heir keeps their places
        self._desk.writer.take(facts)
        return await self._desk.writer.stored(within)

    def stepped(self, before: Call, event: on.Event, after: Call) -> None:
        """Note a step. What it has changed is taken by the writer within milliseconds."""
        kind = type(event)
        if isinstance(event, on.DigitPressed):
            self._account.redaction.pressed(event.key)
        if after is before:
            if kind not in TOLD:
                return
        elif kind in PASSING:
            if after.phase is before.phase and after.transfer is before.transfer:
                return
        elif isinstance(event, on.UtteranceOpened) and _is_last(event.item, after):
            return
        if not self._steps:
            self._desk.writer.later(self._worked_out)
        self._steps.append((event, after, self._clock()))
        if kind in FINISHED:
            self._desk.writer.take(self._words())
        elif kind in AT_ONCE:
            self._desk.writer.take(self._worked_out())

    def _words(self) -> list[AnyFact]:
        """What was said, and no more of the steps so far where that can wait."""
        if all(type(event) in PLAIN for event, _, _ in self._steps):
            return self._list(self._account.said(self._steps[-1][1]))
        return self._worked_out()

    def _worked_out(self) -> list[AnyFact]:
        """The facts of the steps so far."""
        steps, self._steps = self._steps, []
        if not steps:  # they were wanted earlier
            return []
        known, self._known = self._known, steps[-1][1]
        return self._list(self._account.steps(known, steps))

    def _list(self, facts: Iterator[AnyFact]) -> list[AnyFact]:
        """All of them. A bug of ours is told in the log, and costs no call."""
        found: list[AnyFact] = []
        try:
            found += facts
        except Exception:
            call_id = self._known.id
            get_logger("call").error("bug", call_id=call_id, exception=traceback.format_exc())
        return found

    async def settled(self) -> None:
        """Wait until what was noted is safe, but never for long."""
        await self._desk.writer.settled()


def _is_last(item: str, call: Call) -> bool:
    """Whether nothing that was said has moved to make room for this."""
    said = call.transcript.utterances
    return bool(said) and said[-1].item == item
