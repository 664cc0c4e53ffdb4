"""What a response puts out, item by item: each opens, streams and closes with its own events."""

from __future__ import annotations

from typing import TypeAlias

from offhook.simulator.conversation import BOT_TOKENS_PER_S
from offhook.simulator.stage import Stage
from offhook.simulator.wire import Json, assistant_item, function_call_item, obfuscation


class _Opening:
    """What all items of a response have in common. `aside` items are in no conversation."""

    def __init__(self, stage: Stage, response_id: str, index: int, item: Json, aside: bool) -> None:
        self._stage = stage
        self._aside = aside
        self.item = item
        self.response_id = response_id
        self.place: Json = {
            "response_id": response_id,
            "item_id": item["id"],
            "output_index": index,
        }
        self._index = index

    def _open(self) -> None:
        emit = self._stage.emit
        emit(
            "response.output_item.added",
            response_id=self.response_id,
            output_index=self._index,
            item=self.item,
        )
        if not self._aside:
            previous = self._stage.items.add(self.item)
            emit("conversation.item.added", previous_item_id=previous, item=self.item)

    def _close(self, status: str) -> None:
        emit = self._stage.emit
        self.item["status"] = status
        if not self._aside and self.item["id"] in self._stage.items:
            previous = self._stage.previous_when_done(self.item["id"])
            emit("conversation.item.done", previous_item_id=previous, item=self.item)
        emit(
            "response.output_item.done",
            response_id=self.response_id,
            output_index=self._index,
            item=self.item,
        )


class OpenMessage(_Opening):
    """A message that is being spoken or written."""

    def __init__(
        self,
        stage: Stage,
        response_id: str,
        index: int,
        *,
        spoken: bool,
        phase: str | None,
        aside: bool,
    ) -> None:
        super().__init__(stage, response_id, index, assistant_item(phase), aside)
        self.spoken = spoken
        self.text = ""
        self.audio_tokens = 0
        self._where = {**self.place, "content_index": 0}
        self._delta = "response.output_audio_transcript.delta"
        if not spoken:
            self._delta = "response.output_text.delta"

    def open(self) -> None:
        """Announce the item and its only part."""
        self._open()
        self._part("added")

    def stream(self, delta: str) -> None:
        """A few more words."""
        self.text += delta
        self._stage.emit(self._delta, **self._where, delta=delta, obfuscation=obfuscation(delta))
        if self.spoken and self._stage.faults.audio_deltas:
            self._stage.emit("response.output_audio.delta", **self._where, delta="AAAAAAAA")

    def close(self, status: str = "completed") -> None:
        """The message is complete, or as complete as it will ever be."""
        emit = self._stage.emit
        if self.spoken:
            emit("response.output_audio.done", **self._where)
            emit("response.output_audio_transcript.done", **self._where, transcript=self.text)
            self.item["content"] = [{"type": "output_audio", "transcript": self.text}]
            seconds = len(self.text) / self._stage.timings.chars_per_second
            self.audio_tokens = self._stage.items.counts_audio(
                self.item["id"], seconds, BOT_TOKENS_PER_S
            )
        else:
            emit("response.output_text.done", **self._where, text=self.text)
            self.item["content"] = [{"type": "output_text", "text": self.text}]
        self._part("done")
        self._close(status)

    def _part(self, what: str) -> None:
        part: Json = {"type": "text", "text": self.text}
        if self.spoken:
            part = {"type": "audio", "transcript": self.text}
        twin: Json = {"content": part} if self._stage.profile.content_twin else {}
        self._stage.emit(f"response.content_part.{what}", **self._where, part=part, **twin)


class OpenCall(_Opening):
    """A function call that is being written."""

    audio_tokens = 0

    def __init__(
        self, stage: Stage, response_id: str, index: int, name: str, *, aside: bool
    ) -> None:
        super().__init__(stage, response_id, index, function_call_item(name), aside)
        self._where = {**self.place, "call_id": self.item["call_id"]}
        self._written = ""

    def open(self) -> None:
        """Announce the item."""
        self._open()

    def stream(self, delta: str) -> None:
        """A few more characters of the arguments."""
        self._written += delta
        self._stage.emit(
            "response.function_call_arguments.delta",
            **self._where,
            delta=delta,
            obfuscation=obfuscation(delta),
        )

    def close(self, status: str = "completed") -> None:
        """The call is written, or broken off: both are told as done."""
        self.item["arguments"] = self._written
        self._stage.emit(
            "response.function_call_arguments.done",
            **self._where,
            name=self.item["name"],
            arguments=self._written,
        )
        if status == "completed":
            self._stage.trace.mark(
                "tool_asked",
                name=self.item["name"],
                arguments=self._written,
                call_id=self.item["call_id"],
            )
        self._close(status)


Opened: TypeAlias = OpenMessage | OpenCall
