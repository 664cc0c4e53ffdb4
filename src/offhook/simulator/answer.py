"""One response of the model while it is made: a ladder of events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from offhook.simulator.clock import Pause, Performance
from offhook.simulator.output import OpenCall, Opened, OpenMessage
from offhook.simulator.playback import Playback
from offhook.simulator.script import Act, CallsTools, FailsWith, Replies, Silent, StopsShort
from offhook.simulator.stage import Stage
from offhook.simulator.wire import Json, new_id, pieces

# Tokens of thought by effort; only their order is known.
_THOUGHT = {"minimal": 0, "low": 32, "medium": 64, "high": 128, "xhigh": 256}


class Answer:
    """One response while it is made."""

    def __init__(self, stage: Stage, playback: Playback, params: Json, act: Act) -> None:
        session = stage.session.config
        self._stage = stage
        self._playback = playback
        self._act = act
        self._params = params
        self.aside = params.get("conversation") == "none"
        self.spoken = params.get("output_modalities", session["output_modalities"]) == ["audio"]
        self.body: Json = {
            "object": "realtime.response",
            "id": new_id("resp"),
            "status": "in_progress",
            "status_details": None,
            "output": [],
            "conversation_id": None if self.aside else stage.items.id,
            "output_modalities": ["audio"] if self.spoken else ["text"],
            "max_output_tokens": params.get("max_output_tokens", session["max_output_tokens"]),
            "audio": {"output": _output_format(session, params)},
            "usage": None,
            "metadata": params.get("metadata"),
        }
        self._opened: list[Opened] = []
        self._count = 0
        self._audio_tokens = 0
        self.tokens = 0
        """All tokens that it cost; known at its end."""
        self.performance = Performance(stage.clock, self._play())
        self.done: Callable[[Answer], None] = lambda _answer: None

    @property
    def id(self) -> str:
        """The response's id."""
        return str(self.body["id"])

    @property
    def asked_tools(self) -> bool:
        """Whether functions were called, completely."""
        return any(
            item["type"] == "function_call" and item["status"] == "completed"
            for item in self.body["output"]
        )

    def _play(self) -> Iterator[Pause]:
        timings = self._stage.timings
        yield timings.created
        self._stage.emit("response.created", response=self.body)
        yield timings.think
        match self._act:
            case Replies(text=text):
                yield from self._speaks(text)
            case CallsTools() as act:
                yield from self._calls(act)
            case StopsShort(text=text, reason=reason):
                yield from self._speaks(text, status="incomplete")
                self._end("incomplete", {"type": "incomplete", "reason": reason})
                return
            case FailsWith(code=code, message=message):
                told = message or self._apology()
                error = {"type": _error_type(code), "code": code, "message": told}
                self._end("failed", {"type": "failed", "error": error})
                return
            case Silent():
                pass
        self._end("completed", None)

    def _speaks(self, text: str, status: str = "completed") -> Iterator[Pause]:
        message = self._message("final_answer")
        yield from self._streams(message, text)
        self._close(message, status)

    def _message(self, phase: str) -> OpenMessage:
        message = OpenMessage(
            self._stage,
            self.id,
            self._next_index(),
            spoken=self.spoken,
            phase=phase if self._stage.session.family.phases else None,
            aside=self.aside,
        )
        self._opened.append(message)
        message.open()
        return message

    def _next_index(self) -> int:
        self._count += 1
        return self._count - 1

    def _streams(self, message: OpenMessage, text: str) -> Iterator[Pause]:
        timings = self._stage.timings
        yield timings.first_delta
        words = pieces(text)
        item_id = message.item["id"]
        for start in range(0, len(words), timings.words_per_batch):
            batch = words[start : start + timings.words_per_batch]
            for word in batch:
                message.stream(word)
            if self.spoken and not self.aside:
                self._playback.feed(self.id, item_id, "".join(batch))
            yield timings.word * len(batch)
        if self.spoken and words:
            yield max(0.0, timings.first_audio - timings.word * len(words)) + timings.first_delta

    def _calls(self, act: CallsTools) -> Iterator[Pause]:
        """The first call opens before the preamble is closed: they are told apart by index."""
        preamble: OpenMessage | None = None
        if act.preamble:
            preamble = self._message("commentary")
            yield from self._streams(preamble, act.preamble)
        for name, arguments in act.calls:
            call = OpenCall(self._stage, self.id, self._next_index(), name, aside=self.aside)
            self._opened.append(call)
            call.open()
            yield self._stage.timings.first_delta
            for delta in _argument_deltas(arguments):
                call.stream(delta)
            yield self._stage.timings.word
            if preamble is not None:
                self._close(preamble)
                preamble = None
            self._close(call)
        if preamble is not None:
            self._close(preamble)

    def _close(self, item: Opened, status: str = "completed") -> None:
        self._opened.remove(item)
        item.close(status)
        self.body["output"].append(item.item)
        self._audio_tokens += item.audio_tokens

    def cancel(self, reason: str) -> None:
        """Break off: everything that is open is closed as incomplete."""
        self.performance.stop()
        for item in list(self._opened):
            self._close(item, "incomplete")
        self._end("cancelled", {"type": "cancelled", "reason": reason})

    def stop(self) -> None:
        """The call is gone: nothing more is said."""
        self.performance.stop()

    def _end(self, status: str, details: Json | None) -> None:
        stage = self._stage
        self.body["status"] = status
        self.body["status_details"] = details
        self.body["output"].sort(key=_by_age(stage))
        usage = self._usage()
        self.tokens = usage["total_tokens"]
        if status != "cancelled" or stage.beliefs.cancelled_usage:
            self.body["usage"] = usage
        self.performance.over = True
        stage.emit("response.done", response=self.body)
        if stage.faults.duplicate_response_done:
            stage.clock.later(0.038, self._tell_again)
        self._playback.finish(self.id)
        self.done(self)

    def _usage(self) -> Json:
        """Own instructions and tools of a response take the place of the session's."""
        session = self._stage.session.config
        read_too = {
            name: session[name] if self._params.get(name) is None else self._params[name]
            for name in ("instructions", "tools")
        }
        return self._stage.items.usage(
            read_too,
            self.body["output"],
            audio_made=self._audio_tokens,
            thought=self._thought(),
        )

    def _thought(self) -> int | None:
        told = self._params.get("reasoning") or self._stage.session.config.get("reasoning")
        if not told or not self._stage.session.family.reasons:
            return None
        return _THOUGHT.get(told.get("effort"), _THOUGHT["medium"])

    def _apology(self) -> str:
        return (
            "The server had an error while processing your request. Sorry about that! "
            f"(Please include the session ID {self._stage.session.config['id']} in your message.)"
        )

    def _tell_again(self) -> None:
        self._stage.emit("response.done", response=self.body)


def _by_age(stage: Stage) -> Callable[[Json], int]:
    order = {item["id"]: index for index, item in enumerate(stage.items.items)}
    return lambda item: order.get(item["id"], 0)


def _error_type(code: str | None) -> str:
    return "server_error" if code in (None, "server_error") else "invalid_request_error"


def _output_format(session: Json, params: Json) -> Json:
    output = session["audio"]["output"]
    own = (params.get("audio") or {}).get("output") or {}
    return {
        "format": own.get("format", output["format"]),
        "voice": own.get("voice", output["voice"]),
    }


def _argument_deltas(arguments: dict[str, Any] | str) -> list[str]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return [text[start : start + 6] for start in range(0, len(text), 6)]
