"""A surface driven by hand: frames in as the cloud sends them, facts and client events out."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from offhook.core import commands as do
from offhook.core import events as on
from offhook.realtime import conversation, hearing, surface
from offhook.realtime.frames import Frame, decode
from offhook.realtime.session import SessionConfig
from offhook.realtime.surface import Out

E = TypeVar("E", bound=on.Event)

CONFIG = SessionConfig(model="gpt-realtime-2.1", instructions="Be brief.", voice="marin")


class Wire:
    """One conversation. `sent` are the client events since the start, `told` the facts."""

    def __init__(
        self,
        config: SessionConfig = CONFIG,
        *,
        connected: bool = True,
        epoch: float | None = None,
    ) -> None:
        self.now = 50.0
        self.surface = surface.begin(config, 30.0, epoch)
        self.sent: list[dict[str, Any]] = []
        self.told: list[on.Event] = []
        if connected:
            self.open()

    def open(self, variant: int = 0) -> list[dict[str, Any]]:
        """The sideband opens."""
        return self._step(conversation.opened, variant)

    def lose(self) -> list[dict[str, Any]]:
        """The sideband is lost."""
        return self._step(conversation.lost)

    def do(self, command: do.Command) -> list[dict[str, Any]]:
        """An order of the call; returns what it made us send."""
        return self._step(conversation.perform, command)

    def got(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """A frame of the cloud; returns what it made us send."""
        return self.raw({"type": kind, "event_id": "event_x", **fields})

    def raw(self, frame: dict[str, Any]) -> list[dict[str, Any]]:
        """A frame as it is."""
        decoded = decode(json.dumps(frame))
        if decoded is None:
            return []
        assert isinstance(decoded, Frame), decoded
        return self._step(hearing.receive, decoded)

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass, waking at each deadline as the shell does."""
        until, before = self.now + seconds, len(self.sent)
        for _ in range(1000):
            if (at := self.surface.wake_at) is None or at > until:
                break
            self.now = max(self.now, at)
            self._step(conversation.tick)
        else:
            raise AssertionError(f"the surface wakes for ever: {self.surface}")
        self.now = until
        return self.sent[before:]

    def facts(self, kind: type[E]) -> list[E]:
        """The facts of one kind so far."""
        return [e for e in self.told if isinstance(e, kind)]

    # Whole sequences, as the clouds send them

    def created(self, response_id: str, ref: str | None = None) -> list[dict[str, Any]]:
        metadata = {"offhook": ref} if ref else None
        response = {"id": response_id, "status": "in_progress", "metadata": metadata}
        return self.got("response.created", response=response)

    def done(
        self,
        response_id: str,
        status: str = "completed",
        output: list[dict[str, Any]] | None = None,
        code: str | None = None,
        audio_tokens: int | None = 20,
    ) -> list[dict[str, Any]]:
        details = {"type": status, "error": {"code": code, "message": "no"}} if code else None
        usage = {"output_token_details": {"audio_tokens": audio_tokens}}
        response = {
            "id": response_id,
            "status": status,
            "status_details": details,
            "output": MESSAGE if output is None else output,
            "usage": usage if audio_tokens is not None else None,
        }
        return self.got("response.done", response=response)

    def spoken(self, response_id: str, ref: str | None = None) -> None:
        """A response from its beginning to the end of its playback."""
        self.created(response_id, ref)
        self.got("output_audio_buffer.started", response_id=response_id)
        self.done(response_id)
        self.got("output_audio_buffer.stopped", response_id=response_id)

    def caller_turn(self, item: str = "item_u") -> None:
        """The caller speaks and stops."""
        self.got("input_audio_buffer.speech_started", item_id=item)
        self.got("input_audio_buffer.speech_stopped", item_id=item)
        self.got("input_audio_buffer.committed", item_id=item, previous_item_id=None)

    def _step(self, change: Any, *what: object) -> list[dict[str, Any]]:
        out = Out()
        self.surface = change(self.surface, *what, self.now, out)
        frames = [json.loads(f) for f in out.frames]
        self.sent += frames
        self.told += out.events
        return frames


MESSAGE = [{"id": "item_a", "type": "message", "role": "assistant", "status": "completed"}]


def function_call(ref: str, name: str = "lookup", **fields: Any) -> dict[str, Any]:
    """An output item that asks for a function."""
    return {
        "id": f"item_{ref}",
        "type": "function_call",
        "status": "completed",
        "name": name,
        "call_id": ref,
        "arguments": "{}",
        **fields,
    }


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    """The types of client events, in order."""
    return [f["type"] for f in frames]
