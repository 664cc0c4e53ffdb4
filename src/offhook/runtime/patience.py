"""Which frames of a call can wait a moment for those of other calls.

Those about which nothing is done but to remember them, while nothing of ours is under way.
"""

from __future__ import annotations

from offhook.core.call import Call, Phase
from offhook.realtime.frames import PATIENT, WORDS
from offhook.realtime.surface import Surface

NONE: frozenset[bytes] = frozenset()
ALL = PATIENT | WORDS


def patient(call: Call, surface: Surface, *, words: bool) -> frozenset[bytes]:
    """The heads of frames that can wait as things stand; while they do, nothing of that changes.

    `words`: those that say what was said, too. Where that is written down they are not left
    waiting: who kills us loses it.
    """
    at_rest = call.phase is Phase.LIVE and call.opened and surface.at_rest
    if not at_rest or call.transfer.active:
        return NONE
    return ALL if words else PATIENT
