"""The Realtime session as configuration: what goes into the accept and into `session.update`.

Everything is sent in the accept, in one body, because a session that is configured later greets
with the wrong voice. Field names are those of the GA schema (`CallAcceptParams` in the openai
package); a beta name such as a top-level `voice` loses the whole update.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from offhook.core.rules import Floor

VOICE_IN_AUDIO = 0  # the accept names the voice as audio.output.voice
VOICE_AFTERWARDS = 1  # it does not; `session.voice` is tried once on the sideband


class TurnDetection(Struct, frozen=True, kw_only=True):
    """How the cloud finds the end of the caller's turn. Milliseconds where not said.

    `server` goes by silence, `semantic` by meaning; the keys of one are an error to the other.
    `manual`: we send the answers, not the cloud.
    """

    kind: str = "server"
    manual: bool = False
    interrupt: bool = True
    threshold: float | None = None
    silence_ms: int | None = None
    prefix_ms: int | None = None
    idle_timeout_ms: int | None = None
    eagerness: str | None = None

    @property
    def silence(self) -> float | None:
        """The seconds of silence that end a turn; `None` if the cloud goes by something else."""
        if self.kind != "server" or self.silence_ms is None:
            return None
        return self.silence_ms / 1000

    def body(self, floor: Floor) -> dict[str, Any]:
        """The whole `turn_detection` object with the floor as it should be."""
        common = {
            "create_response": not self.manual and floor is not Floor.HELD,
            "interrupt_response": self.interrupt and floor is Floor.OPEN,
        }
        if self.kind == "semantic":
            own: dict[str, Any] = {"type": "semantic_vad", "eagerness": self.eagerness}
        else:
            own = {
                "type": "server_vad",
                "threshold": self.threshold,
                "prefix_padding_ms": self.prefix_ms,
                "silence_duration_ms": self.silence_ms,
                "idle_timeout_ms": self.idle_timeout_ms,
            }
        body = {k: v for k, v in own.items() if v is not None} | common
        if floor is Floor.HELD and "idle_timeout_ms" in body:
            body["idle_timeout_ms"] = None  # a key left out would stay as it was
        return body


class SessionConfig(Struct, frozen=True, kw_only=True):
    """What one bot's sessions have in common."""

    model: str
    instructions: str
    voice: str
    tools: tuple[dict[str, Any], ...] = ()
    turns: TurnDetection = TurnDetection()
    transcription: dict[str, str] | None = None
    transcribe: bool = True  # from the start; else once the caller has agreed
    noise_reduction: str | None = "far_field"
    retention_ratio: float | None = 0.8
    reasoning_effort: str | None = None
    catch_up: bool = False  # after a gap without a sideband, find out what happened meanwhile
    floor: Floor = Floor.OPEN  # until the greeting has been heard

    def accept_body(self, variant: int = VOICE_IN_AUDIO) -> dict[str, Any]:
        """The body of the accept: the session object at top level."""
        audio_in: dict[str, Any] = {
            "turn_detection": self.turns.body(self.floor),
            "noise_reduction": {"type": self.noise_reduction} if self.noise_reduction else None,
            "transcription": self.transcription if self.transcribe else None,
        }
        body: dict[str, Any] = {
            "type": "realtime",
            "model": self.model,
            "instructions": self.instructions,
            "output_modalities": ["audio"],
            "audio": {"input": audio_in},
            "tools": list(self.tools),
            "tool_choice": "auto",
            "truncation": "auto",
        }
        if variant == VOICE_IN_AUDIO:
            body["audio"]["output"] = {"voice": voice_value(self.voice)}
        if self.retention_ratio is not None:
            body["truncation"] = {
                "type": "retention_ratio",
                "retention_ratio": self.retention_ratio,
            }
        if self.reasoning_effort is not None:
            body["reasoning"] = {"effort": self.reasoning_effort}
        return body


def voice_value(voice: str) -> str | dict[str, str]:
    """A voice as the schema wants it: a name, or an object for a custom voice (`voice_...`)."""
    return {"id": voice} if voice.startswith("voice_") else voice
