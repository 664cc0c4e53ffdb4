"""Which frames of a call can wait a moment for those of other calls."""

from __future__ import annotations

from offhook.core.call import Call, Phase
from offhook.realtime.frames import is_patient
from offhook.realtime.surface import Surface


class Patience:
    """The patience with one call: of frames about which nothing is done but to remember them.

    `words`: those that say what was said, too. Where that is written down they are not left
    waiting: who kills us loses it.
    """

    def __init__(self, *, words: bool) -> None:
        self._words = words
        self._seen: tuple[Call | None, Surface | None] = (None, None)
        self._at_rest = False  # was it, when we looked

    def can_wait(self, raw: bytes, call: Call, surface: Surface) -> bool:
        """Whether a frame can, as things stand. While frames wait, nothing of that changes."""
        if not is_patient(raw, words=self._words):
            return False
        if call is not self._seen[0] or surface is not self._seen[1]:
            self._seen = call, surface
            live = call.phase is Phase.LIVE and call.opened and not call.transfer.active
            self._at_rest = live and surface.at_rest
        return self._at_rest
