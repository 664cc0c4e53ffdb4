"""What there is to tell of one call: facts of the difference between two values of it.

Parts of a call that are the same object are the same. What must not be kept is taken out before
anything leaves this module.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.outcomes import Answered, Cancelled, Failed, InvalidArguments
from offhook.core.toolcalls import ToolCall
from offhook.core.transcript import Utterance
from offhook.core.transfer import TransferOutcome
from offhook.runtime.checkpoint import Checkpoint, Upto, differs, seal
from offhook.runtime.desk import Desk
from offhook.runtime.measured import turn_facts, usage_fact
from offhook.runtime.moments import KEYS, TOLD, moments
from offhook.store.facts import (
    AnyFact,
    CallFact,
    CheckpointFact,
    ConsentFact,
    MomentFact,
    ToolFact,
    TransferFact,
    UtteranceFact,
)
from offhook.store.policy import Redaction, StoredNumber

BILL_S = 30.0  # between two looks at what a live call costs; its end tells the rest
FENCE = 1 << 32  # the records of a later owner of the call are newer than all of an earlier one
MOMENTS = 1 << 20  # and so many of its moments come before those of the next,
TURNS = 1 << 16  # and so many of its turns

Step: TypeAlias = tuple[on.Event, Call, float]  # what, the call after it, and when

# These change nothing but what was said, used, timed and asked of tools, and the call's alarms,
# unless they lead to something else as well.
PLAIN = frozenset(
    {
        on.BotCut,
        on.BotSaid,
        on.BotSpoke,
        on.BotStarted,
        on.BotStopped,
        on.CallerSaid,
        on.CallerStarted,
        on.CallerStopped,
        on.ReplyAsked,
        on.ReplyBegun,
        on.ToolAsked,
        on.ToolEnded,
        on.ToolStarted,
        on.ToolTaken,
        on.TranscriptionUsed,
        on.Used,
        on.UtteranceOpened,
    }
)


class Account:
    """The account of one call. `fence` grows with each process that owns the call."""

    def __init__(self, desk: Desk, call: Call, clock: Callable[[], float], fence: int) -> None:
        self.redaction = Redaction(desk.policy)
        self._desk = desk
        self._id = call.id
        self._script = call.transcript  # as last told
        self._epoch = time.time() - clock()
        self._rev = fence * FENCE
        self._moments = (fence - 1) * MOMENTS
        self._turns = (fence - 1) * TURNS
        self._billed_at = 0.0
        self._keys: MomentFact | None = None  # the run of keys that is being counted
        self._words: tuple[str | None, str | None] = (None, None)  # as last said, and as kept
        self._number: StoredNumber | None = None  # worked out when it is needed: it takes a while

    def steps(self, known: Call, steps: Sequence[Step]) -> Iterator[AnyFact]:
        """What these steps have changed of a call that was `known` as it was before them.

        What ordinary steps of a live call have changed is told as if they were one.
        """
        last = steps[-1][1]
        if all(type(event) in PLAIN for event, _, _ in steps) and _is_plain(known, last):
            yield from self._together(known, steps, last)
        else:
            before = known
            for event, after, now in steps:
                yield from self._step(before, event, after, now)
                before = after
        if differs(known, last):
            yield self.checkpoint(last)

    def _together(self, known: Call, steps: Sequence[Step], last: Call) -> Iterator[AnyFact]:
        if last.transcript is not self._script:
            yield from self.said(last)
        if last.tools is not known.tools:
            yield from self._tools(known, last)
        yield from turn_facts(known, last, self._at, self._next, self._turns)
        before = known
        for event, after, now in steps:
            if after.usage is not before.usage:
                yield from self._used(event, after, now)
            before = after

    def _step(self, before: Call, event: on.Event, after: Call, now: float) -> Iterator[AnyFact]:
        late = after.phase is Phase.ENDED
        grown = after.transcript is not before.transcript or after.tools is not before.tools
        agreed = after.consent is not before.consent
        if agreed:
            yield from self._consents(before, after)
        if agreed and after.consent.kept_from != before.consent.kept_from:
            yield from self._all_again(after)
        elif grown:
            yield from self.said(after)
            if after.tools is not before.tools:
                yield from self._tools(before, after)
        if after.transfer is not before.transfer:
            yield from self._transfers(before, after)
        if after.instructions is not before.instructions:
            yield from self._instructions(before, after, now)
        yield from turn_facts(before, after, self._at, self._next, self._turns)
        if after.usage is not before.usage:
            yield from self._used(event, after, now)
        if agreed or after.phase is not before.phase or after.greeted_at != before.greeted_at:
            yield from self._told(before, event, after, now)
            if late:
                yield from self.never_understood(after)
            yield self.call(after)
            return
        match event:
            case on.DigitPressed():
                yield self._key(now)
            case _ if type(event) in TOLD:
                yield from self._told(before, event, after, now)
        if late and grown:
            yield self.call(after)

    # What another process needs to go on with it

    def checkpoint(self, call: Call, seen: Upto | None = None) -> CheckpointFact:
        at, state = round(time.time() * 1000), None
        if call.phase is not Phase.ENDED:
            now = Checkpoint(
                call=call, replica=self._desk.replica, at=at, epoch=self._epoch, seen=seen
            )
            state = seal(now, self._desk.vault)
        return CheckpointFact(call_id=self._id, rev=self._next(), at=at, state=state)

    # The call as a whole

    def call(self, call: Call) -> CallFact:
        said = sum(1 for u in call.transcript if u.text)
        attempts = call.transfer.attempts
        gone = attempts and attempts[-1].outcome is TransferOutcome.TRANSFERRED
        end, bill = call.end, self._desk.tariff.bill(call.usage)
        number, name = self._number_of(call), call.caller.name
        return CallFact(
            call_id=self._id,
            rev=self._next(),
            rang_at=self._at(call.rang_at),
            phase=call.phase,
            provider=self._desk.provider,
            model=self._desk.model,
            bot=call.rules.bot,
            language=call.language,
            line=call.line or None,
            called=call.called,
            replica=self._desk.replica,
            caller_hash=number.hash,
            caller_number=number.number,
            caller_masked=number.masked,
            caller_name=self.redaction.name(name) if name else None,
            accepted_at=self._if(call.accepted_at),
            attached_at=self._if(call.attached_at),
            greeted_at=self._if(call.greeted_at),
            greeted=call.greeted,
            ended_at=self._if(call.ended_at),
            reason=end.reason if end else None,
            fault=end.fault if end else None,
            detail=self._detail(end.whole if call.consent.keeping else end.plain) if end else None,
            target=attempts[-1].target if gone else None,
            consent=call.consent.standing,
            utterances=said,
            tools=len(call.tools.calls),
            cost_usd=bill.usd,
            known_usd=bill.known,
            prices=self._desk.tariff.edition,
        )

    def _number_of(self, call: Call) -> StoredNumber:
        if self._number is None:
            self._number = self._desk.policy.number(call.caller.number, self._desk.vault)
        return self._number

    # Its parts

    def said(self, call: Call) -> Iterator[UtteranceFact]:
        """What was said since this was last asked: what is new in text or place.

        What nobody has put into words yet can wait.
        """
        before, self._script = self._script, call.transcript
        for place in call.transcript.since(before):
            said = call.transcript.utterances[place]
            if said.text is not None or said.cut:
                yield self.utterance(call, place, said)

    def never_understood(self, call: Call) -> Iterator[UtteranceFact]:
        for place, said in enumerate(call.transcript):
            if said.text is None and not said.cut:
                yield self.utterance(call, place, said)

    def utterance(self, call: Call, place: int, said: Utterance) -> UtteranceFact:
        return UtteranceFact(
            call_id=self._id,
            rev=self._next(),
            item=said.item,
            place=place,
            who=said.who,
            at=self._at(said.at),
            text=self._kept(said.text) if call.consent.keeps(said.at) else None,
            spoken_ms=said.spoken_ms,
            heard_ms=said.heard_ms,
        )

    def _kept(self, text: str | None) -> str | None:
        """What may be kept of it; its length and its end follow its words and tell them again."""
        if text is None:
            return None
        if text is not self._words[0]:
            self._words = (text, self.redaction.transcript(text))
        return self._words[1]

    def _tools(self, before: Call, after: Call) -> Iterator[ToolFact]:
        for ref, tool in after.tools.calls.items():
            was = before.tools.calls.get(ref)
            if was is None or was.outcome is not tool.outcome:
                yield self._tool(after, tool)

    def _tool(self, call: Call, tool: ToolCall) -> ToolFact:
        """One function call; what it was told and has told are words of the call, too."""
        arguments, output, error = None, None, None
        if call.consent.keeps(tool.asked_at):
            arguments = self.redaction.arguments(tool.arguments) if tool.arguments else None
            match tool.outcome:
                case Answered(text):
                    output = self.redaction.output(text)
                case Failed(why) | InvalidArguments(why) | Cancelled(why):
                    error = self._detail(why)
        return ToolFact(
            call_id=self._id,
            rev=self._next(),
            ref=tool.ref,
            name=tool.name,
            asked_at=self._at(tool.asked_at),
            ended_at=self._if(tool.ended_at),
            arguments=arguments,
            outcome=tool.result,
            output=output,
            error=error,
        )

    def _all_again(self, call: Call) -> Iterator[UtteranceFact | ToolFact | TransferFact]:
        """The caller has decided on what was said before, too."""
        self._script = call.transcript
        for place, said in enumerate(call.transcript):
            yield self.utterance(call, place, said)
        for tool in call.tools.calls.values():
            yield self._tool(call, tool)
        yield from self._attempts(call)

    def _consents(self, before: Call, after: Call) -> Iterator[ConsentFact]:
        terms, evidence = after.consent.terms, after.consent.evidence
        for n in range(len(before.consent.evidence), len(evidence)):
            if terms is not None:
                yield ConsentFact(
                    call_id=self._id,
                    rev=self._next(),
                    n=n,
                    at=self._at(evidence[n].at),
                    policy=terms.policy,
                    language=terms.language,
                    version=terms.version,
                    text=terms.text,
                    answer=evidence[n].answer,
                )

    def _instructions(self, before: Call, after: Call, now: float) -> Iterator[MomentFact]:
        """What people told the call, who (`token:crm` is no secret), and what came of it."""
        old, new = before.instructions, after.instructions
        for n, told in enumerate(new):
            if n >= len(old) or old[n].effect is not told.effect:
                kind, who = f"told_to_{told.kind}", f"{told.by}: {told.effect}"
                yield self.moment(kind, now, who)

    def _transfers(self, before: Call, after: Call) -> Iterator[TransferFact]:
        """The one that has begun, and those that have ended."""
        yield from self._attempts(after, len(before.transfer.attempts))
        now = after.transfer
        if now.active and not before.transfer.active:
            yield TransferFact(
                call_id=self._id,
                rev=self._next(),
                n=len(now.attempts),
                target=now.target,
                reason=self._if_kept(after, now.began_at, now.reason),
                began_at=self._at(now.began_at),
            )

    def _attempts(self, call: Call, first: int = 0) -> Iterator[TransferFact]:
        """Transfers that have ended. The model says why, and may repeat the caller's words."""
        tried = call.transfer.attempts
        for n in range(first, len(tried)):
            yield TransferFact(
                call_id=self._id,
                rev=self._next(),
                n=n,
                target=tried[n].target,
                reason=self._if_kept(call, tried[n].began_at, tried[n].reason),
                began_at=self._at(tried[n].began_at),
                ended_at=self._at(tried[n].ended_at),
                outcome=tried[n].outcome,
                detail=self._detail(tried[n].detail),
            )

    def _used(self, event: on.Event, after: Call, now: float) -> Iterator[AnyFact]:
        """What was used, and now and then what the call costs by now."""
        used = usage_fact(self._id, event, self._at(now), self._desk.tariff, self._next)
        if used is not None:
            yield used
        if now - self._billed_at >= BILL_S or after.phase is Phase.ENDED:
            self._billed_at = now
            yield self.call(after)

    # Its timeline

    def _told(self, before: Call, event: on.Event, after: Call, now: float) -> Iterator[MomentFact]:
        for kind, detail in moments(before, event, after):
            yield self.moment(kind, now, self._detail(detail))

    def moment(self, kind: str, at: float, detail: str | None = None) -> MomentFact:
        n, self._moments = self._moments, self._moments + 1
        return MomentFact(
            call_id=self._id, rev=self._next(), n=n, at=self._at(at), kind=kind, detail=detail
        )

    def _key(self, now: float) -> MomentFact:
        """One more key of a run; which one, nobody will know."""
        last = self._keys
        if last is None or last.n != self._moments - 1:
            self._keys = self.moment(KEYS, now, "1")
        else:
            count = str(int(last.detail or 0) + 1)
            self._keys = replace(last, rev=self._next(), detail=count)
        return self._keys

    # What the store counts in

    def _next(self) -> int:
        self._rev += 1
        return self._rev

    def _at(self, time: float) -> int:
        """A time of the call as milliseconds since 1970."""
        return round((self._epoch + time) * 1000)

    def _if(self, time: float | None) -> int | None:
        return None if time is None else self._at(time)

    def _detail(self, text: str | None) -> str | None:
        return self.redaction.detail(text) if text else None

    def _if_kept(self, call: Call, at: float, words: str) -> str | None:
        """What may be kept of words that somebody has chosen at this time."""
        return self._detail(words) if call.consent.keeps(at) else None


def _is_plain(known: Call, last: Call) -> bool:
    """Whether nothing has changed but what plain events may change."""
    return (
        last.phase is known.phase is not Phase.ENDED
        and last.consent is known.consent
        and last.transfer is known.transfer
        and last.instructions is known.instructions
        and last.greeted_at == known.greeted_at
    )
