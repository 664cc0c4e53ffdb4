"""Who may speak: the model's responses, one at a time in the conversation."""

from __future__ import annotations

from offhook.simulator.answer import Answer
from offhook.simulator.model import Model
from offhook.simulator.playback import Playback
from offhook.simulator.stage import Stage
from offhook.simulator.wire import Json, Problem

TOKENS_PER_MINUTE = 15_000_000


class Answers:
    """Who may speak: at most one response of the conversation is made at a time."""

    def __init__(self, stage: Stage, playback: Playback, model: Model) -> None:
        self._stage = stage
        self._playback = playback
        self._model = model
        self._asides: list[Answer] = []
        self._held: list[tuple[str, Json]] = []
        self._tokens_used = 0
        self.active: Answer | None = None
        self.owes_answer = False
        """Tools were asked for and the model has not spoken since."""
        self.completed_texts = 0
        self.cancels_next = False
        """An order to cancel came too late for the response that it was meant for."""

    def start(self, params: Json) -> Problem | None:
        """Begin a response; a problem if one is being made already."""
        aside = params.get("conversation") == "none"
        if self.active is not None and not aside:
            return Problem(
                "Conversation already has an active response in progress: "
                f"{self.active.id}. Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )
        items = self._stage.items
        act = self._model.next_act(
            items.items, params, items.caller_text, self._stage.session.config
        )
        answer = Answer(self._stage, self._playback, params, act)
        answer.done = self._done
        if aside:
            self._asides.append(answer)
        else:
            self.release()
            self.active = answer
            self.owes_answer = False
        answer.performance.start()
        if self._stage.profile.rate_limits and self._stage.beliefs.limits_first:
            self._stage.clock.later(self._stage.timings.created, self._tell_limits)
        if self.cancels_next:
            self.cancels_next = False
            self._stage.clock.later(0.1, self._cancel_late)
        return None

    def hold(self, kind: str, fields: Json) -> None:
        """Tell of an item when the response that is being made is done."""
        self._held.append((kind, fields))

    def release(self) -> None:
        """Tell now what was held back."""
        held, self._held = self._held, []
        for kind, fields in held:
            self._stage.emit(kind, **fields)

    def cancel(self, reason: str, response_id: str | None = None) -> Problem | None:
        """Break off the active response, or the one with this id."""
        candidates = [*self._asides, *([self.active] if self.active is not None else [])]
        for answer in reversed(candidates):
            if (answer is self.active) if response_id is None else answer.id == response_id:
                answer.cancel(reason)
                return None
        return Problem(
            "Cancellation failed: no active response found", "response_cancel_not_active"
        )

    def _cancel_late(self) -> None:
        if self.active is not None:
            self.active.cancel("client_cancelled")

    def end(self) -> None:
        """The call is gone."""
        for answer in (*self._asides, *([self.active] if self.active is not None else [])):
            answer.stop()
        self.active = None
        self._asides.clear()

    def _done(self, answer: Answer) -> None:
        stage = self._stage
        self._tokens_used += answer.tokens
        if stage.profile.rate_limits and not stage.beliefs.limits_first:
            stage.clock.later(stage.timings.rate_limits, self._tell_limits)
        if answer is not self.active:
            self._asides.remove(answer)
            return
        self.active = None
        self.owes_answer = answer.asked_tools and answer.body["status"] == "completed"
        if not answer.spoken:
            self.completed_texts += 1
            self._mark_written(answer)
        stage.clock.later(stage.timings.rate_limits + 0.01, self.release)
        stage.changed()

    def _mark_written(self, answer: Answer) -> None:
        for item in answer.body["output"]:
            for part in item.get("content") or ():
                self._stage.trace.mark("bot_said", text=part["text"], interrupted=False)

    def _tell_limits(self) -> None:
        remaining = TOKENS_PER_MINUTE - self._tokens_used
        limit = {
            "name": "tokens",
            "limit": TOKENS_PER_MINUTE,
            "remaining": remaining,
            "reset_seconds": round(self._tokens_used * 60 / TOKENS_PER_MINUTE, 3),
        }
        self._stage.emit("rate_limits.updated", rate_limits=[limit])
