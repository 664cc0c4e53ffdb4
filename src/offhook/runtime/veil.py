"""Takes out of a journal what must not be in it: keys that were pressed, and what redaction finds.

Texts stay otherwise as they were said. Ids stay as they are, since frames are told apart by them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from offhook.observe.keys import Pressed
from offhook.observe.redact import Redactor, redact_field

ANY_DIGIT = "0"  # stands for every digit that was pressed; * and # only steer an entry

_DTMF = "input_audio_buffer.dtmf_event_received"
_words = re.compile(r"\w+").findall
_IDS = frozenset(
    _words("""
        is id type ref refs item after call_id item_id response_id event_id previous_item_id
        offhook status object
    """)
)
_TEXTS = frozenset(
    _words("""
        text transcript arguments output order answer message goodbye announce reason detail
        error why words
    """)
)
_PROMPT = ("instructions", "tools")  # the bot's own, in every echo of the session


class Veil:
    """The veil over one journal. It remembers keys and numbers, so it lives as long as that."""

    def __init__(self) -> None:
        self._redactor = Redactor()
        self._pressed = Pressed()

    def over(self, data: dict[str, Any]) -> dict[str, Any]:
        """The data of one line without what must not be written."""
        match data:
            case {"is": "on.DigitPressed", "key": str(key)}:
                self._pressed.add(key)
                return {**data, "key": masked(key)}
            case {"is": "do.TellDigit", "key": str(key)}:
                return {**data, "key": masked(key)}
            case {"is": "do.TellDigits", "digits": str(digits)}:
                return {**data, "digits": masked(digits)}
            case {"type": str(kind), "event": str(key)} if kind == _DTMF:
                return {"type": kind, "event": masked(key)}
            case {"session": dict(session)}:
                session = {k: v for k, v in session.items() if k not in _PROMPT}
                data = {**data, "session": session}
        return {key: self._hide(key, value) for key, value in data.items()}

    def _hide(self, key: str, value: Any) -> Any:
        match value:
            case Mapping():
                return {self._redactor.redact(k): self._hide(k, v) for k, v in value.items()}
            case list():
                return [self._hide(key, item) for item in value]
            case str() if key in _IDS:
                return value
            case str():
                if key in _TEXTS:
                    value = self._pressed.hidden(value)
                if redact_field(key, "") != "":  # it is named like a secret
                    return redact_field(key, value)
                return self._redactor.redact(value)
            case _:
                return value


def masked(keys: str) -> str:
    """Keys with every digit replaced by the same one; `A` to `D` count as digits."""
    return "".join(key if key in "*#" else ANY_DIGIT for key in keys)
