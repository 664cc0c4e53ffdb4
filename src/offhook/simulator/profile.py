"""Where the two clouds differ: paths, keys, frames, ways to close."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from offhook.simulator.wire import Problem

ProfileName: TypeAlias = Literal["openai", "azure"]


class Profile(Struct, frozen=True):
    """One cloud's habits.

    `content_twin`: content part events carry the part twice. `rate_limits`: they follow each
    response. `sharded`: the id of a session names its shard. `says_goodbye`: a call that is gone
    closes the sideband with a close frame (1000, observer_writer_exit), not by dropping the
    connection. `knows_deployments`: a model is the name of a deployment and must exist.
    """

    name: ProfileName
    prefix: str
    content_twin: bool
    rate_limits: bool
    sharded: bool
    says_goodbye: bool
    knows_deployments: bool

    def admits(self, headers: Mapping[str, str], api_key: str) -> bool:
        """Whether the request carries the key in a way that this cloud reads."""
        if headers.get("Authorization") == f"Bearer {api_key}":
            return True
        return self.name == "azure" and headers.get("api-key") == api_key

    def refusal(self) -> Problem:
        """What a wrong key is told."""
        if self.name == "azure":
            message = (
                "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
                "to provide a valid key for an active subscription."
            )
            return Problem(message, "401", status=401)
        return Problem("Incorrect API key provided.", "invalid_api_key", status=401)

    def lost(self, method: str, path: str) -> Problem:
        """What a request to a place that does not exist is told."""
        if self.name == "azure":
            return Problem("Resource not found", "404", status=404)
        return Problem(f"Invalid URL ({method} {path})", None, status=404)


PROFILES: Mapping[ProfileName, Profile] = {
    "openai": Profile(
        name="openai",
        prefix="/v1",
        content_twin=False,
        rate_limits=True,
        sharded=True,
        says_goodbye=False,
        knows_deployments=False,
    ),
    "azure": Profile(
        name="azure",
        prefix="/openai/v1",
        content_twin=True,
        rate_limits=False,
        sharded=False,
        says_goodbye=True,
        knows_deployments=True,
    ),
}


class Timings(Struct, frozen=True, kw_only=True):
    """How long the cloud takes, in simulated seconds. The defaults are what real clouds took."""

    connect: float = 0.6
    """Opening a sideband."""
    session_update: float = 0.047
    """Carrying out a `session.update`."""
    item_create: float = 0.063
    """Carrying out a `conversation.item.create`."""
    client_event: float = 0.02
    """Carrying out any other client event."""
    created: float = 0.03
    """From an order to answer to `response.created`."""
    think: float = 0.3
    """From `response.created` to the first item."""
    first_delta: float = 0.008
    """From an item to its first words."""
    words_per_batch: int = 4
    """How many words are sent at once."""
    word: float = 0.035
    """Generating one word; speaking it takes ten times as long."""
    first_audio: float = 0.13
    """From an item to its first audio."""
    rate_limits: float = 0.03
    """From `response.done` to `rate_limits.updated`."""
    hears: float = 0.1
    """From the caller's first sound to `speech_started`."""
    transcription: float = 0.35
    """From the end of a turn to its transcript."""
    transcription_failure: float = 0.15
    """The same to an error, which comes before the model has begun to answer."""
    reaction: float = 0.3
    """How long the caller thinks before speaking."""
    beta_refusal: float = 5.0
    """Refusing a sideband that asks for the API before general availability."""
    chars_per_second: float = 15.0
    """How fast people and models speak."""
    keypress: float = 0.25
    """Between two keys."""
