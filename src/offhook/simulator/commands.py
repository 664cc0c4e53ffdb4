"""What the cloud does with each client event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from offhook.simulator.answers import Answers
from offhook.simulator.playback import Playback
from offhook.simulator.requests import created, item_problem, response_problem
from offhook.simulator.schema import session_problem
from offhook.simulator.stage import Stage
from offhook.simulator.wire import (
    Json,
    Problem,
    invalid_type,
    invalid_value,
    item_text,
    missing_parameter,
)

CLIENT_EVENTS = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "output_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "response.create",
    "response.cancel",
)


class Commands:
    """Carries out client events one after the other, each after the time that the cloud takes."""

    def __init__(self, stage: Stage, answers: Answers, playback: Playback) -> None:
        self._stage = stage
        self._answers = answers
        self._playback = playback
        self._free_at = 0.0
        self._creates = 0
        self._over = False

    @property
    def answer_ordered(self) -> bool:
        """Whether a `response.create` is on its way to be carried out."""
        return self._creates > 0

    def receive(self, body: Json) -> None:
        """Take in one client event."""
        stage = self._stage
        kind = body.get("type")
        stage.trace.mark("client_event", type=kind, body=body)
        latency = stage.timings.client_event
        match kind:
            case "session.update":
                latency = stage.timings.session_update
            case "conversation.item.create":
                latency = stage.timings.item_create
            case "response.create":
                self._creates += 1
        self._free_at = max(self._free_at, stage.clock.now() + latency)
        stage.clock.at(self._free_at, self._carry_out, body)

    def end(self) -> None:
        """The call is gone: what is still waiting is never carried out."""
        self._over = True

    def _carry_out(self, body: Json) -> None:
        if self._over:
            return
        if body.get("type") == "response.create":
            self._creates -= 1
        problem = self._dispatch(body)
        if problem is not None:
            event_id = body.get("event_id")
            busy = problem.code == "conversation_already_has_active_response"
            if busy and self._stage.faults.active_error_without_event_id:
                event_id = None
            self._stage.error(problem, event_id)
        self._stage.changed()

    def _dispatch(self, body: Json) -> Problem | None:
        match body.get("type"):
            case "session.update":
                return self._update_session(body.get("session"))
            case "response.create":
                return self._create_response(body.get("response"))
            case "response.cancel":
                return self._cancel(body.get("response_id"))
            case "output_audio_buffer.clear" if self._can_clear_playback:
                self._playback.clear()
                return None
            case str() as kind if kind.startswith("conversation.item."):
                return self._item(kind.removeprefix("conversation.item."), body)
            case "input_audio_buffer.append":
                return None
            case "input_audio_buffer.clear" | "input_audio_buffer.commit" if (
                not self._stage.beliefs.buffer_commands
            ):
                return None
            case "input_audio_buffer.clear":
                self._stage.emit("input_audio_buffer.cleared")
                return None
            case "input_audio_buffer.commit":
                return Problem(
                    "Error committing input audio buffer: buffer too small. Expected at least "
                    "100ms of audio, but buffer only has 0.00ms of audio.",
                    "input_audio_buffer_commit_empty",
                )
            case None:
                return missing_parameter("type")
            case kind:
                return invalid_value("type", kind, CLIENT_EVENTS)

    @property
    def _can_clear_playback(self) -> bool:
        stage = self._stage
        return not stage.profile.knows_deployments or stage.beliefs.azure_clears_playback

    def _update_session(self, change: Any) -> Problem | None:
        stage = self._stage
        if change is None:
            return missing_parameter("session")
        problem = session_problem(change, stage.faults, "session.update") or stage.session.update(
            change, assistant_spoke=stage.items.assistant_spoke
        )
        stage.trace.mark(
            "session_update", session=change, problem=problem.code if problem else None
        )
        if problem is None:
            stage.emit("session.updated", session=stage.session.config)
            if stage.faults.novelties:
                stage.emit("session.mood_changed", mood="cheerful")
        return problem

    def _cancel(self, response_id: str | None) -> Problem | None:
        problem = self._answers.cancel("client_cancelled", response_id)
        if problem is not None and self._stage.faults.late_cancel:
            self._answers.cancels_next = True
            return None
        return problem

    def _create_response(self, params: Any) -> Problem | None:
        params = {} if params is None else params
        problem = response_problem(params) or self._answers.start(params)
        if problem is None and params.get("instructions"):
            self._stage.trace.mark("response_instructed", instructions=params["instructions"])
        return problem

    def _item(self, verb: str, body: Json) -> Problem | None:
        if verb == "create":
            return self._create_item(body.get("item"), body.get("previous_item_id"))
        if verb not in ("delete", "retrieve", "truncate"):
            return invalid_value("type", body["type"], CLIENT_EVENTS)
        item_id = body.get("item_id")
        item = self._stage.items.get(str(item_id))
        if item is None:
            return Problem(
                f"Item with item_id '{item_id}' not found.",
                f"item_{verb}_invalid_item_id",
                "item_id",
            )
        match verb:
            case "delete":
                self._stage.items.delete(item["id"])
                self._stage.emit("conversation.item.deleted", item_id=item["id"])
            case "retrieve":
                self._stage.emit("conversation.item.retrieved", item=item)
            case "truncate":
                return self._truncate(item, body)
        return None

    def _truncate(self, item: Json, body: Json) -> Problem | None:
        end_ms = body.get("audio_end_ms")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int) or end_ms < 0:
            return invalid_type("audio_end_ms", "an integer from 0 on")
        said, pace = item_text(item), self._stage.timings.chars_per_second
        lasts_ms = int(len(said) / pace * 1000)
        if item.get("role") == "assistant" and end_ms > lasts_ms:
            told = f"Audio content of {lasts_ms}ms is already shorter than {end_ms}ms"
            return Problem(told, "invalid_value")
        seconds = end_ms / 1000
        problem = self._stage.items.truncate(item["id"], said[: int(seconds * pace)], seconds)
        if problem is None:
            self._stage.emit(
                "conversation.item.truncated",
                item_id=item["id"],
                content_index=body.get("content_index", 0),
                audio_end_ms=end_ms,
            )
        return problem

    def _create_item(self, given: Any, after: Any) -> Problem | None:
        items = self._stage.items
        problem = item_problem(given)
        if problem is not None:
            return problem
        item_id = given.get("id")
        if item_id is not None and item_id in items:
            return Problem(
                f"Error adding item: an item with ID '{item_id}' already exists.",
                "item_create_duplicate_item_id",
                "item.id",
            )
        if after not in (None, "root") and not (isinstance(after, str) and after in items):
            return invalid_value("previous_item_id", after)
        item = created(given)
        if item["type"] == "function_call_output":
            if not items.knows_tool_call(item["call_id"]):
                return Problem(
                    f"Tool call ID '{item['call_id']}' not found in conversation.",
                    self._stage.beliefs.unknown_tool_call,
                    "item.call_id",
                )
            self._stage.trace.mark("tool_answered", call_id=item["call_id"], output=item["output"])
        if item.get("role") == "user":
            items.caller_text = item_text(item)
        previous = items.add(item, after)
        tell: Callable[[str, Json], None] = self._tell
        if self._answers.active is not None:
            tell = self._answers.hold
        tell("conversation.item.added", {"previous_item_id": previous, "item": item})
        tell("conversation.item.done", {"previous_item_id": previous, "item": item})
        return None

    def _tell(self, kind: str, fields: Json) -> None:
        self._stage.emit(kind, **fields)
