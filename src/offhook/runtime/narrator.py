"""Tells the logs and the meters what happened to a call. Nothing is told per delta."""

from __future__ import annotations

from offhook.core import events as on
from offhook.core.call import Call, Phase
from offhook.core.end import End, Fault
from offhook.core.outcomes import Failed, InvalidArguments, TimedOut
from offhook.core.transcript import Who
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.realtime.frames import Unknown, Unreadable
from offhook.runtime.meter import Meter
from offhook.runtime.moments import repeats
from offhook.runtime.watch import WATCHED, Watch

# Frequent, and of no interest by themselves; none of them ends a transfer.
UNTOLD = frozenset(
    {
        on.BotSpoke,
        on.BotStopped,
        on.CallerStarted,
        on.CallerStopped,
        on.ReplyAsked,
        on.ReplyBegun,
        on.UtteranceOpened,
    }
)
USES = frozenset({on.Used, on.TranscriptionUsed})


class Narrator:
    """The narrator of one call. `words`: whether what was said may be logged."""

    def __init__(
        self,
        call_id: str,
        metrics: Metrics,
        *,
        words: bool,
        meter: Meter | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._metrics = metrics
        self._meter = meter or Meter(metrics)
        self._watch = watch
        self._words = words
        self._call = get_logger("call").bind(call_id=call_id)
        self._tool = get_logger("tool").bind(call_id=call_id)
        self._transcript = get_logger("transcript").bind(call_id=call_id)

    def stepped(self, before: Call, event: on.Event, after: Call) -> None:
        """Tell what this event meant."""
        kind = type(event)
        if kind in WATCHED and self._watch is not None:
            self._watch.heard(event)
        if kind in UNTOLD:
            return
        if kind in USES:
            self._meter.used(before, after)
            return
        match event:
            case on.Noted():
                self._said(event, after)
            case on.ToolAsked() | on.ToolVoided() | on.ToolEnded():
                self._tooled(before, event, after)
            case on.BotStarted():
                if before.greeted_at is None and after.greeted_at is not None:
                    self._greeted(after.greeted_at - after.rang_at)
                if after.turns is not before.turns:
                    self._meter.heard(before, after)
            case on.Referred() | on.ReferFailed():
                self._referred(after, event)
            case _:
                self._lined(before, event, after)
        if after.instructions is not before.instructions:
            self._directed(before, after)
        if after.consent is not before.consent:
            self._consented(after)
        if after.transfer.attempts is not before.transfer.attempts:
            attempt = after.transfer.attempts[-1]
            self._metrics.transferred(attempt.outcome)
            self._call.info(
                "transfer ended",
                status="transfer",
                target=attempt.target,
                outcome=attempt.outcome,
                detail=attempt.detail,
            )

    def _consented(self, after: Call) -> None:
        """What the caller was told, or has decided."""
        terms = after.consent.terms
        self._call.info(
            "consent",
            status="consent",
            answer=after.consent.standing,
            policy=terms.policy if terms else None,
            version=terms.version if terms else None,
        )

    def _directed(self, before: Call, after: Call) -> None:
        """What came of a directive from outside. Its words are not told."""
        for given in after.instructions:
            if given.n >= len(before.instructions) or before.instructions[given.n] is not given:
                self._call.info(
                    "directed",
                    status="directed",
                    what=given.kind,
                    by=given.by,
                    effect=given.effect,
                    why=given.why,
                )

    def _greeted(self, seconds: float) -> None:
        self._metrics.ring_to_greeting(seconds)
        self._call.info("greeting", status="greeting", after_ms=_ms(seconds))

    def _lined(self, before: Call, event: on.Event, after: Call) -> None:
        """What happened to the line itself."""
        log = self._call
        match event:
            case on.Accepted():
                seconds = (after.accepted_at or after.rang_at) - after.rang_at
                self._metrics.ring_to_accept(seconds)
                log.info(
                    "accepted",
                    status="accepted",
                    after_ms=_ms(seconds),
                    line=after.line,
                    called=after.called,
                    bot=after.rules.bot,
                )
            case on.AcceptRefused(refusal, detail):
                log.warning("accept refused", refusal=refusal, detail=detail, tries=before.tries)
            case on.Attached():
                again = before.phase is Phase.REJOINING
                if again:
                    self._metrics.sideband_reattached()
                elif after.attached_at is not None:
                    self._metrics.ring_to_attach(after.attached_at - after.rang_at)
                log.info("ws_opened", status="ws_opened", again=again)
            case on.AttachFailed(refusal, detail):
                log.info("attach failed", refusal=refusal, detail=detail, tries=before.tries)
            case on.SidebandLost(detail) if after.phase is Phase.REJOINING:
                log.info("sideband lost", detail=detail)
            case on.NothingHeard(seconds):
                log.warning("no event", seconds=round(seconds))
            case on.RejectFailed(detail) | on.HangUpFailed(detail):
                log.warning("request failed", detail=detail, phase=before.phase)
            case on.Complained(code, about, detail):
                log.warning("cloud complains", code=code, about=about, detail=detail)
            case on.ModelFailed(code, detail):
                log.error("model failed", code=code, detail=detail)
            case on.DigitPressed():
                log.info("key pressed")  # never which
            case on.ShutDown() if not repeats(before, event):
                log.info("shutting down")

    def _said(self, event: on.Noted, after: Call) -> None:
        match event:
            case on.CallerSaid(item) | on.BotSaid(item) if _is_withheld(after, item):
                return
            case on.CallerSaid(item, text) | on.BotSaid(item, text):
                who = Who.CALLER if isinstance(event, on.CallerSaid) else Who.BOT
                words = {"text": text} if self._words else {"characters": len(text)}
                self._transcript.info("transcript", who=who, item=item, **words)
            case on.BotCut(item, heard_ms):
                self._transcript.info("cut off", who=Who.BOT, item=item, heard_ms=heard_ms)
            case on.ReplyFailed(code):
                self._call.warning("reply failed", code=code)
            case on.ReplyMissing(seconds):
                self._metrics.reply_missing()
                self._call.warning("the model is silent: asked for an answer", after_s=seconds)
            case on.TranscriptMissing(turns):
                self._metrics.transcript_missing()
                self._transcript.warning("no transcripts come", turns=turns)
            case on.CallerNotUnderstood(item, detail):
                self._transcript.warning("no transcript", item=item, detail=detail)

    def _tooled(self, before: Call, event: on.Event, after: Call) -> None:
        match event:
            case on.ToolAsked(ref, name) if ref not in before.tools:
                self._tool.info("start", status="start", tool=name, ref=ref)
            case on.ToolVoided(ref, name) if ref not in before.tools:
                self._tool.info("voided", status="cancelled", tool=name, ref=ref)
                self._metrics.tool_called(name, "cancelled")
            case on.ToolEnded(ref, outcome) if before.tools.running(ref):
                ended = after.tools.calls[ref]
                took = _ms((ended.ended_at or 0.0) - ended.asked_at)
                self._metrics.tool_called(ended.name, ended.result)
                told = {"tool": ended.name, "ref": ref, "outcome": ended.result, "took_ms": took}
                match outcome:
                    case Failed(error):
                        error = error if after.consent.keeping else ""
                        self._tool.error("error", status="error", **told, error=error)
                    case InvalidArguments(message):
                        message = message if after.consent.keeping else ""
                        self._tool.warning("error", status="error", **told, error=message)
                    case TimedOut():
                        self._tool.error("error", status="error", **told)
                    case _:
                        self._tool.info("success", status="success", **told)

    def _referred(self, call: Call, event: on.Event) -> None:
        match event:
            case on.Referred():
                self._call.info("referred", status="referred", target=call.transfer.target)
            case on.ReferFailed(detail):
                self._call.warning("refer failed", detail=detail)

    def odd_frame(self, frame: Unknown | Unreadable) -> None:
        """Count a frame that we do not know or cannot read; tell the first of its type."""
        if self._metrics.unknown_frame(frame.type):
            why = frame.why if isinstance(frame, Unreadable) else "unknown type"
            self._call.warning("odd frame", type=frame.type, why=why)

    def ignored(self, event: on.Event) -> None:
        """An event that meant nothing where the call stood."""
        self._call.debug("ignored", event_type=type(event).__name__)

    def took_over(self, call: Call, by: str | None, gap: float) -> None:
        """The call goes on here. `gap` is how long nobody has listened to it, in seconds."""
        self._metrics.taken_over(gap)
        self._call.info("taken over", status="taken_over", by=by, phase=call.phase, gap_ms=_ms(gap))

    def fenced_off(self) -> None:
        """The call has become another process's without our doing."""
        self._metrics.fenced_off()
        self._call.warning("fenced off: another process has this call now", status="fenced_off")

    def handed_over(self) -> None:
        """The call has been given to another process."""
        self._metrics.handed_over()
        self._call.info("handed over", status="handed_over")

    def unsure(self) -> None:
        """Nobody knows whether the call was given away; it will turn out."""
        self._call.warning("hand-over without an answer")

    def broke(self, trace: str) -> None:
        """A bug, ours or the bot's."""
        self._call.error("bug", exception=trace)

    def ended(self, call: Call, end: End) -> None:
        """The summary of the whole call, in one line."""
        self._metrics.call_ended(end.reason, end.fault)
        self._meter.settle()
        said = [u for u in call.transcript.utterances if u.text]
        usd = self._meter.bill(call).usd
        log = self._call.warning if end.fault not in (Fault.CALLER, Fault.BOT) else self._call.info
        log(
            "ended",
            status="ended",
            reason=end.reason,
            fault=end.fault,
            line=call.line,
            called=call.called,
            bot=call.rules.bot,
            detail=end.whole if self._words and call.consent.keeping else end.plain,
            seconds=round((call.ended_at or call.rang_at) - call.rang_at, 1),
            utterances=len(said),
            cut_off=sum(u.cut for u in said),
            tools=len(call.tools.calls),
            transfers=[a.outcome for a in call.transfer.attempts],
            input_tokens=call.usage.responses.input,
            output_tokens=call.usage.responses.output,
            cost_usd=None if usd is None else round(usd, 4),
        )


def _is_withheld(call: Call, item: str) -> bool:
    """Whether the call itself did not keep what was said, since the caller does not want it."""
    said = call.transcript.find(item)
    return said is not None and said.text is None


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
