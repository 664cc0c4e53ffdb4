"""Logging: one pipeline for our own entries and those of every library, redacted at its end.

log = get_logger("call").bind(call_id=call_id)
log.info("accepted", attempt=1)

{"ts":"2026-11-22T10:15:30.123Z","level":"info","scope":"call","event":"accepted",...}
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Callable, MutableMapping
from enum import Enum
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog
from msgspec import to_builtins
from structlog.typing import FilteringBoundLogger, WrappedLogger

from offhook.observe.lines import Entry, Pretty, as_json, timestamp
from offhook.observe.redact import redact, redact_field

Format = Literal["json", "pretty"]
Scope = Literal["webhook", "call", "tool", "transcript", "server", "outgoing", "admin"]

_MAX_TEXT = 16_384
_MAX_CLEAN = 2_048
_LEVELS = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
_IDS = {"call_id": "rtc_", "item": "item_", "ref": "call_"}  # of the cloud's own making
_SEVERITY = logging.getLevelNamesMapping()
_ACCESS_LOGS = ("uvicorn.access", "aiohttp.access")


class Output:
    """Where lines go. What cannot be written is counted in `lost`: no call ends for a full disk."""

    def __init__(self) -> None:
        self.stream: TextIO | None = None
        self.lost = 0

    def write(self, line: str) -> None:
        """Write one line and flush it, to standard error if there is no stream. Never raises."""
        stream = self.stream or sys.stderr
        try:
            try:
                stream.write(line + "\n")
            except UnicodeEncodeError:
                stream.write(line.encode("ascii", "backslashreplace").decode("ascii") + "\n")
            stream.flush()
        except Exception:  # closed, broken, full, or some object that is hardly a stream
            self.lost += 1

    # structlog calls the method that is named like the level
    debug = info = warning = warn = error = critical = exception = fatal = msg = log = write


class Pipeline:
    """Turns what was logged into one redacted line. Never raises."""

    def __init__(self) -> None:
        self.level = logging.INFO
        self.redacts = True
        self.render: Callable[[Entry], str] = as_json
        self._clean: set[str] = set()

    def __call__(self, _: WrappedLogger, method: str, fields: MutableMapping[str, Any]) -> str:
        """Return the line; the last processor of structlog, as nothing may come after it."""
        level = _LEVELS.get(method, method)
        if _SEVERITY.get(level.upper(), logging.CRITICAL) < self.level:
            raise structlog.DropEvent
        try:
            return self.render(self._entry(level, fields))
        except Exception as error:  # no entry is worth a call
            event = f"an entry could not be logged: {type(error).__name__}"
            return self.render(self._entry("error", {"scope": "server", "event": event}))

    def _entry(self, level: str, fields: MutableMapping[str, Any]) -> Entry:
        event, scope = fields.pop("event", ""), fields.pop("scope", "server")
        entry: Entry = {"ts": timestamp(), "level": level, "scope": scope}
        entry["event"] = self._event(str(event)[:_MAX_TEXT])
        exc_info = fields.pop("exc_info", None)
        for key, value in fields.items():
            entry[f"{key}_" if key in entry else key] = self._field(key, value)
        if exc_info and (trace := _trace(exc_info)):
            entry["exception"] = self._field("exception", trace)
        return entry

    def _event(self, event: str) -> str:
        """Redact what happened. Such texts are few and repeat, so the clean ones are remembered."""
        if event in self._clean or not self.redacts:
            return event
        shown = redact(event)
        if shown == event and len(event) < 200 and len(self._clean) < _MAX_CLEAN:
            self._clean.add(event)
        return shown

    def _field(self, key: str, value: object) -> object:
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, Enum):
            return value.value  # a word of our own
        if isinstance(value, str):
            if key in _IDS and value.isidentifier() and value.startswith(_IDS[key]):
                return value
            if len(value) > _MAX_TEXT:
                value = value[:_MAX_TEXT] + "..."
        try:
            return redact_field(key, value) if self.redacts else to_builtins(value, enc_hook=str)
        except Exception as error:  # its str() raises
            return f"[{type(error).__name__}]"


class Intake(logging.Handler):
    """Takes what libraries log through `logging` (and `warnings`) into the pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under the scope `server`, its logger's name as a field."""
        try:
            event = record.getMessage()
        except Exception:  # arguments that do not fit their format
            event = str(record.msg)
        fields: dict[str, Any] = {"event": event, "scope": "server", "logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        try:
            _OUTPUT.write(_PIPELINE(None, record.levelname.lower(), fields))
        except structlog.DropEvent:
            return


_OUTPUT = Output()
_PIPELINE = Pipeline()
_PROCESSORS = (structlog.contextvars.merge_contextvars, _PIPELINE)


def configure(
    format: Format | None = None,  # noqa: A002
    level: str = "info",
    *,
    stream: TextIO | None = None,
    redact: bool = True,
) -> None:
    """Set up logging for the process; may be called again.

    Without `format` a terminal gets `pretty` and everything else `json`. `level` is the name of
    a `logging` level in any case; `ValueError` if there is none. Entries go to `stream`, or to
    standard error. `redact=False` is for debugging with made-up data only.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"no such log level: {level!r} (e.g. info)")
    _OUTPUT.stream = stream
    terminal = _is_terminal(stream or sys.stderr)
    _PIPELINE.render = as_json
    if format == "pretty" or (format is None and terminal):
        _PIPELINE.render = Pretty(colours=terminal and "NO_COLOR" not in os.environ)
    _PIPELINE.level, _PIPELINE.redacts = threshold, redact
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _OUTPUT,
        cache_logger_on_first_use=False,
    )
    _route_libraries(threshold)


def get_logger(scope: Scope) -> FilteringBoundLogger:
    """Return the logger of a part of the program. Redacts even if nobody called `configure`."""
    logger = structlog.wrap_logger(_OUTPUT, processors=_PROCESSORS, scope=scope)
    return cast("FilteringBoundLogger", logger)


def lines_lost() -> int:
    """Return how many lines could not be written since the process began."""
    return _OUTPUT.lost


def _route_libraries(threshold: int) -> None:
    root = logging.getLogger()
    root.handlers = [h for h in root.handlers if not _writes_to_terminal(h)] + [Intake()]
    root.setLevel(threshold)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "asyncio", "aiohttp"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _ACCESS_LOGS:  # the URL and the address of everyone; a metric counts them
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
    logging.captureWarnings(True)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    """Whether a handler would print what the pipeline prints; a file of the owner's may stay."""
    return isinstance(handler, Intake) or type(handler) is logging.StreamHandler


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError, AttributeError):
        return False


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
