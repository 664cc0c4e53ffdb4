"""Logging: one pipeline for our own entries and those of every library, redacted at its end.

log = get_logger("call").bind(call_id=call_id)
log.info("accepted", attempt=1)

{"ts":"2026-11-22T10:15:30.123Z","level":"info","scope":"call","event":"accepted",...}
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import time
from collections.abc import MutableMapping
from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING
from typing import Any, Literal, TextIO

import structlog
from structlog.contextvars import get_contextvars
from structlog.typing import WrappedLogger

from offhook.observe.backlog import Backlog, Logged
from offhook.observe.lines import Pretty, as_json
from offhook.observe.pipeline import Output, Pipeline

Format = Literal["json", "pretty"]
Scope = Literal["webhook", "call", "tool", "transcript", "server", "outgoing", "admin"]

_LEVELS = {"warn": "warning", "exception": "error", "fatal": "critical", "msg": "info"}
_SEVERITY = logging.getLevelNamesMapping()
_ACCESS_LOGS = ("uvicorn.access", "aiohttp.access")
_TALKATIVE = ("watchfiles",)  # a line for each change in a folder, and our own log may be in it

_PATIENT = ("debug", "info")  # what may wait a moment; who loses a warning loses too much

_OUTPUT = Output()
_PIPELINE = Pipeline()
_BACKLOG = Backlog(lambda entries: _OUTPUT.write(*map(_PIPELINE.line, entries)))


class Logger:
    """The logger of a part of the program, with structlog's methods and none of its layers.

    Those cost a third of a line, and lines are the dearest thing that a turn of a conversation
    brings. Positional arguments are formatted into the event, as in `logging`.
    """

    __slots__ = ("_bound", "_scope")

    def __init__(self, scope: str, bound: dict[str, Any]) -> None:
        self._scope = scope
        self._bound = bound

    def bind(self, **fields: Any) -> Logger:
        """The same logger with these fields in each of its entries."""
        return Logger(self._scope, {**self._bound, **fields})

    def debug(self, event: str, *args: object, **fields: Any) -> None:
        """What only helps to find a mistake."""
        if _PIPELINE.level <= DEBUG:
            self._write("debug", event, args, fields)

    def info(self, event: str, *args: object, **fields: Any) -> None:
        """What went as it should."""
        if _PIPELINE.level <= INFO:
            self._write("info", event, args, fields)

    def warning(self, event: str, *args: object, **fields: Any) -> None:
        """What somebody may want to change."""
        if _PIPELINE.level <= WARNING:
            self._write("warning", event, args, fields)

    def error(self, event: str, *args: object, **fields: Any) -> None:
        """What went wrong. `exc_info` takes an exception."""
        if _PIPELINE.level <= ERROR:
            self._write("error", event, args, fields)

    def exception(self, event: str, *args: object, **fields: Any) -> None:
        """An error with the exception that is being handled."""
        self.error(event, *args, **{"exc_info": True, **fields})

    def critical(self, event: str, *args: object, **fields: Any) -> None:
        """What stops all."""
        if _PIPELINE.level <= CRITICAL:
            self._write("critical", event, args, fields)

    def _write(
        self, level: str, event: str, args: tuple[object, ...], fields: dict[str, Any]
    ) -> None:
        if args:
            event = event % args
        logged = Logged(
            time.time_ns(),
            level,
            self._scope,
            event,
            {**get_contextvars(), **self._bound, **fields},
        )
        _BACKLOG.put(logged, at_once=level not in _PATIENT or "exc_info" in fields)


class Intake(logging.Handler):
    """Takes what libraries log through `logging` (and `warnings`) into the pipeline."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under the scope `server`, its logger's name as a field."""
        try:
            event = record.getMessage()
        except Exception:  # arguments that do not fit their format
            event = str(record.msg)
        level = record.levelname.lower()
        if not _is_wanted(level):
            return
        fields: dict[str, Any] = {"logger": record.name}
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        _BACKLOG.put(Logged(time.time_ns(), level, "server", event, fields), at_once=True)


def _from_structlog(_: WrappedLogger, method: str, fields: MutableMapping[str, Any]) -> str:
    """The last processor of structlog for whoever uses it, as nothing may come after it."""
    level = _LEVELS.get(method, method)
    if not _is_wanted(level):
        raise structlog.DropEvent
    _BACKLOG.flush()
    event, scope = fields.pop("event", ""), fields.pop("scope", "server")
    return _PIPELINE.line(Logged(time.time_ns(), level, scope, event, fields))


def _is_wanted(level: str) -> bool:
    return _SEVERITY.get(level.upper(), CRITICAL) >= _PIPELINE.level


def configure(
    format: Format | None = None,  # noqa: A002
    level: str = "info",
    *,
    stream: TextIO | None = None,
    redact: bool = True,
    delay_s: float = 0.0,
) -> None:
    """Set up logging for the process; may be called again.

    Without `format` a terminal gets `pretty` and everything else `json`. `level` is the name of
    a `logging` level in any case; `ValueError` if there is none. Entries go to `stream`, or to
    standard error. `redact=False` is for debugging with made-up data only. With `delay_s` an
    event loop may put our own entries off for so long, but none of a warning or worse, and none
    beyond the end of the program; see `flush`.
    """
    threshold = logging.getLevelNamesMapping().get(level.upper())
    if threshold is None:
        raise ValueError(f"no such log level: {level!r} (e.g. info)")
    flush()
    _BACKLOG.delay, _OUTPUT.stream = delay_s, stream
    terminal = _is_terminal(stream or sys.stderr)
    _PIPELINE.render = as_json
    if format == "pretty" or (format is None and terminal):
        _PIPELINE.render = Pretty(colours=terminal and "NO_COLOR" not in os.environ)
    _PIPELINE.level, _PIPELINE.redacts = threshold, redact
    structlog.configure(
        processors=(structlog.contextvars.merge_contextvars, _from_structlog),
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: _OUTPUT,
        cache_logger_on_first_use=False,
    )
    _route_libraries(threshold)


def get_logger(scope: Scope) -> Logger:
    """Return the logger of a part of the program. Redacts even if nobody called `configure`."""
    return Logger(scope, {})


def flush() -> None:
    """Write what waits. Done at the end of the program, unless that is replaced or killed."""
    _BACKLOG.flush()


atexit.register(flush)


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
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(threshold, WARNING))
    logging.captureWarnings(True)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    """Whether a handler would print what the pipeline prints; a file of the owner's may stay."""
    return isinstance(handler, Intake) or type(handler) is logging.StreamHandler


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError, AttributeError):
        return False
