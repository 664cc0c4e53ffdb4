"""What becomes of an entry of the log: redacted, written as one line, and put out. Never raises."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from enum import Enum
from types import TracebackType
from typing import Any, TextIO

from msgspec import to_builtins

from offhook.observe.backlog import Logged
from offhook.observe.lines import Entry, as_json, timestamp
from offhook.observe.redact import redact, redact_field

_MAX_TEXT = 16_384
_MAX_CLEAN = 2_048
_IDS = {"call_id": "rtc_", "item": "item_", "ref": "call_"}  # of the cloud's own making
_PLAIN = frozenset({type(None), bool, int, float})


class Output:
    """Where lines go. What cannot be written is counted in `lost`: no call ends for a full disk."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.lost = 0

    def write(self, *lines: str) -> None:
        """Write lines and flush them, to standard error if there is no stream. Never raises."""
        stream = self.stream or sys.stderr
        text = "\n".join((*lines, ""))
        try:
            try:
                stream.write(text)
            except UnicodeEncodeError:
                stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
            stream.flush()
        except Exception:  # closed, broken, full, or some object that is hardly a stream
            self.lost += len(lines)

    # structlog calls the method that is named like the level
    debug = info = warning = warn = error = critical = exception = fatal = msg = log = write


class Pipeline:
    """Turns what was logged into one redacted line."""

    def __init__(self) -> None:
        self.level = logging.INFO
        self.redacts = True
        self.render: Callable[[Entry], str] = as_json
        self._clean: set[str] = set()

    def line(self, logged: Logged) -> str:
        """The line of one entry. `exc_info` in its fields is what `logging` takes by that name."""
        try:
            return self.render(self._entry(*logged))
        except Exception as error:  # no entry is worth a call
            event = f"an entry could not be logged: {type(error).__name__}"
            return self.render(self._entry(logged.at, "error", "server", event, {}))

    def _entry(
        self, at: int, level: str, scope: str, event: object, fields: Mapping[str, Any]
    ) -> Entry:
        entry: Entry = {"ts": timestamp(at), "level": level, "scope": scope}
        entry["event"] = self._event(str(event)[:_MAX_TEXT])
        exc_info = None
        for key, value in fields.items():
            if key == "exc_info":
                exc_info = value
                continue
            entry[f"{key}_" if key in entry else key] = (
                value if type(value) in _PLAIN else self._field(key, value)
            )
        if exc_info and (trace := _trace(exc_info)):
            entry["exception"] = self._field("exception", trace)
        return entry

    def _event(self, event: str) -> str:
        """Redact what happened. Such texts are few and repeat, so the clean ones are remembered."""
        if event in self._clean or not self.redacts:
            return event
        shown = redact(event)
        if shown == event and len(event) < 200:
            self._remember(event)
        return shown

    def _field(self, key: str, value: object) -> object:
        if isinstance(value, str):  # an `Enum` of strings is a word of our own
            return str(value) if isinstance(value, Enum) else self._text(key, value)
        if isinstance(value, Enum):
            return value.value
        try:
            return redact_field(key, value) if self.redacts else to_builtins(value, enc_hook=str)
        except Exception as error:  # its str() raises
            return f"[{type(error).__name__}]"

    def _text(self, key: str, value: str) -> object:
        """Redact a text; single words (a status, the name of a tool) are remembered if clean."""
        word = value.isidentifier()
        if word and key in _IDS and value.startswith(_IDS[key]):
            return value
        if len(value) > _MAX_TEXT:
            value = value[:_MAX_TEXT] + "..."
        if not self.redacts or (word and (known := f"{key}={value}") in self._clean):
            return value
        shown = redact_field(key, value)
        if word and shown == value and len(value) < 64:
            self._remember(known)
        return shown

    def _remember(self, clean: str) -> None:
        if len(self._clean) < _MAX_CLEAN:
            self._clean.add(clean)


def _trace(exc_info: object) -> str:
    """Return the whole traceback of what `exc_info` may be: an exception, its triple, or true."""
    match exc_info:
        case BaseException():
            error: BaseException | None = exc_info
        case (_, BaseException() as raised, TracebackType() | None):
            error = raised
        case _:
            error = sys.exception()
    return "".join(traceback.format_exception(error)).strip() if error else ""
