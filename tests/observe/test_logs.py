"""The log: one line an entry, redacted whatever way it came, and harmless when it fails."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from offhook.observe import logs
from offhook.observe.logs import Format, Scope, configure, get_logger, lines_lost

CALL = "rtc_u1_9c6574da8b8a41a18da9308f4ad974ce"
CANARIES = {
    "phone": "+1 425 555 0112",
    "email": "ann@example.com",
    "card": "4111 1111 1111 1111",
    "iban": "DE89 3704 0044 0532 0130 00",
    "digits": "four one one one",
    "secret": "sk-proj-hunter2hunter2",
}
ALL = ", ".join(CANARIES.values())
SCOPES: tuple[Scope, ...] = get_args(Scope)
FORMATS: tuple[Format, ...] = get_args(Format)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, showwarning = logging.getLogger(), warnings.showwarning
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    warnings.showwarning = showwarning
    root.handlers[:] = handlers
    root.setLevel(level)
    configure()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def assert_no_canary(text: str) -> None:
    for canary in CANARIES.values():
        assert canary not in text
    assert "5550112" not in re.sub(r"\D", "", text)
    assert "hunter2" not in text


def test_a_json_entry_is_one_object_with_its_head_first(out: io.StringIO) -> None:
    configure("json", stream=out)
    get_logger("call").bind(call_id=CALL).info("accepted", attempt=1, seconds=0.25)
    (entry,) = lines(out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("ts"))
    assert list(entry.items()) == [
        ("level", "info"),
        ("scope", "call"),
        ("event", "accepted"),
        ("call_id", CALL),
        ("attempt", 1),
        ("seconds", 0.25),
    ]


def test_a_pretty_entry_is_readable(out: io.StringIO) -> None:
    configure("pretty", stream=out)
    get_logger("call").info("accepted", attempt=1, why="no reason", tags=["a", 2])
    line = re.sub(r"^\S+ ", "", out.getvalue())
    assert line == 'info     call       accepted  attempt=1 why="no reason" tags=["a",2]\n'


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_pretty_lines_and_everything_else_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal, pipe = Terminal(), io.StringIO()
    configure(stream=terminal)
    get_logger("server").info("up")
    configure(stream=pipe)
    get_logger("server").info("up")
    assert "\x1b[" in terminal.getvalue()
    assert lines(pipe)[0]["event"] == "up"


def test_the_format_asked_for_wins_over_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    configure("json", stream=terminal)
    get_logger("server").info("up")
    assert json.loads(terminal.getvalue())["event"] == "up"
    configure("pretty", stream=terminal)
    get_logger("server").info("up")
    assert "\x1b[" not in terminal.getvalue()


def test_changes_in_a_folder_that_is_watched_are_not_logged(out: io.StringIO) -> None:
    configure("json", "debug", stream=out)
    logging.getLogger("watchfiles.main").info("1 change detected")
    assert lines(out) == []


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("scope", SCOPES)
def test_no_canary_passes_through_any_scope(
    format_: Format, scope: Scope, out: io.StringIO
) -> None:
    configure(format_, "debug", stream=out)
    log = get_logger(scope).bind(call_id=CALL, caller=CANARIES["phone"])
    log.debug(ALL)
    log.info("text", text=ALL, nested={"a": [{"b": (ALL, {ALL})}], ALL: 1})
    log.warning("said %s", ALL)
    log.error("object", error=ValueError(ALL), raw=ALL.encode(), path=Path(ALL))
    log.critical("secret", api_key="hunter2", headers={"Authorization": "hunter2"})
    assert len(out.getvalue().splitlines()) == 5
    assert_no_canary(out.getvalue())
    assert CALL in out.getvalue()
    for kind in CANARIES:
        assert f"[{kind}]" in out.getvalue()


@pytest.mark.parametrize("format_", FORMATS)
def test_exceptions_are_logged_whole_but_redacted(format_: Format, out: io.StringIO) -> None:
    configure(format_, stream=out)
    try:
        try:
            raise KeyError(CANARIES["email"])
        except KeyError as error:
            raise ValueError(ALL) from error
    except ValueError as error:
        get_logger("tool").exception("failed")
        get_logger("tool").error("failed", exc_info=error)
        logging.getLogger("library").exception("failed")
    written = out.getvalue()
    assert len(written.splitlines()) == 3
    assert written.count("ValueError: ") == written.count("KeyError: ") == 3
    assert written.count("Traceback") == 6
    assert_no_canary(written)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "aiohttp.client", "asyncio", "any"])
def test_records_of_libraries_take_the_same_way(
    format_: Format, name: str, out: io.StringIO
) -> None:
    logger = logging.getLogger(name)
    logger.setLevel(logging.NOTSET)  # whatever a server in this process has set
    if name.startswith("uvicorn"):  # as uvicorn's own configuration leaves it
        logger.addHandler(logging.StreamHandler(out))
    configure(format_, stream=out)
    logger.info("peer %s and %s", ALL, {"text": ALL})
    logger.debug("not at this level")
    assert len(out.getvalue().splitlines()) == 1
    assert_no_canary(out.getvalue())
    assert name in out.getvalue()


def test_configuring_twice_writes_once(out: io.StringIO) -> None:
    for _ in range(3):
        configure("json", stream=out)
    logging.getLogger("library").warning("once")
    get_logger("server").warning("once")
    assert [entry["event"] for entry in lines(out)] == ["once", "once"]


def test_warnings_are_entries(out: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure("json", stream=out)
        warnings.warn(f"deprecated {ALL}", stacklevel=1)
    (entry,) = lines(out)
    assert entry["level"] == "warning"
    assert entry["logger"] == "py.warnings"
    assert_no_canary(out.getvalue())


def test_access_logs_are_off(out: io.StringIO) -> None:
    configure("json", "debug", stream=out)
    logging.getLogger("uvicorn.access").info("GET /?caller=%s", ALL)
    logging.getLogger("aiohttp.access").warning("GET /?caller=%s", ALL)
    assert out.getvalue() == ""


async def test_what_asyncio_reports_is_redacted(out: io.StringIO) -> None:
    configure("json", stream=out)
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": ALL, "exception": ValueError(ALL)})
    assert lines(out)[0]["logger"] == "asyncio"
    assert_no_canary(out.getvalue())


def test_any_structlog_logger_takes_the_same_way(out: io.StringIO) -> None:
    configure("json", stream=out)
    structlog.get_logger().info(ALL, text=ALL)
    assert lines(out)[0]["scope"] == "server"
    assert_no_canary(out.getvalue())


def test_bound_context_is_part_of_each_entry(out: io.StringIO) -> None:
    configure("json", stream=out)
    with structlog.contextvars.bound_contextvars(request="r1", caller=ALL):
        get_logger("webhook").info("received")
    assert lines(out)[0]["request"] == "r1"
    assert_no_canary(out.getvalue())


def test_without_configuration_entries_are_redacted_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.reset_defaults()
    logs._OUTPUT.stream = None
    get_logger("call").warning(ALL, text=ALL)
    written = capsys.readouterr()
    assert "[phone]" in written.err
    assert_no_canary(written.err + written.out)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_entry_is_one_line_whatever_is_in_it(format_: Format, out: io.StringIO) -> None:
    configure(format_, stream=out)
    breaking = "a\nb\r\nc\x0bd\x0ce\x1cf\x85g\u2028h\u2029i\x1b[2Jj\u202ek\x00l"
    get_logger("transcript").info(breaking, text=breaking, **{"key\n": [breaking, {breaking: 1}]})
    logging.getLogger("library").warning(breaking)
    assert len(out.getvalue().splitlines()) == 2
    assert "\x1b" not in out.getvalue()
    if format_ == "json":
        assert lines(out)[0]["text"] == breaking


@given(
    event=st.text(),
    value=st.recursive(st.none() | st.text() | st.floats() | st.integers(), st.lists),
)
@pytest.mark.parametrize("format_", FORMATS)
def test_any_value_makes_one_line(format_: Format, event: str, value: object) -> None:
    out = io.StringIO()
    configure(format_, stream=out)
    get_logger("call").info(event, value=value)
    assert len(out.getvalue().splitlines()) == 1
    if format_ == "json":
        assert "value" in json.loads(out.getvalue())


def test_half_a_surrogate_pair_is_written_somehow(tmp_path: Path) -> None:
    for encoding in ("utf-8", "ascii"):
        path = tmp_path / encoding
        for format_ in FORMATS:
            with path.open("w", encoding=encoding) as stream:
                configure(format_, stream=stream)
                get_logger("call").info("said", text="ä \ud83d")
            assert "said" in path.read_text(encoding)
    assert lines_lost() == 0


class Broken:
    def __str__(self) -> str:
        raise RuntimeError(ALL)

    __repr__ = __str__


@pytest.mark.parametrize("redact", [True, False])
def test_a_value_that_cannot_be_shown_does_not_reach_the_call(
    redact: bool, out: io.StringIO
) -> None:
    configure("json", stream=out, redact=redact)
    get_logger("tool").info("ran", value=Broken(), attempt=1)
    (entry,) = lines(out)
    assert (entry["event"], entry["value"], entry["attempt"]) == ("ran", "[RuntimeError]", 1)
    assert_no_canary(out.getvalue())


def test_an_event_that_cannot_be_shown_does_not_reach_the_call(out: io.StringIO) -> None:
    configure("json", stream=out)
    get_logger("tool").info(Broken())  # type: ignore[arg-type]
    (entry,) = lines(out)
    assert entry["event"] == "an entry could not be logged: RuntimeError"


def test_a_record_whose_arguments_do_not_fit_is_still_an_entry(out: io.StringIO) -> None:
    configure("json", stream=out)
    record = logging.LogRecord("library", logging.INFO, "", 1, "bad %d", ("format",), None)
    logs.Intake().handle(record)
    assert lines(out)[0]["event"] == "bad %d"


def test_huge_texts_are_cut(out: io.StringIO) -> None:
    configure("json", stream=out)
    get_logger("transcript").info("x" * 1_000_000, text="y" * 1_000_000)
    assert len(out.getvalue()) < 40_000


def test_a_field_cannot_take_the_place_of_the_head(out: io.StringIO) -> None:
    configure("json", stream=out)
    get_logger("call").info("real", level="fake", ts="fake")
    (entry,) = lines(out)
    assert (entry["level"], entry["level_"], entry["ts_"]) == ("info", "fake", "fake")


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "error", "critical"])
def test_only_the_level_asked_for_and_above_is_written(level: str, out: io.StringIO) -> None:
    configure("json", level, stream=out)
    log = get_logger("server")
    names = ["debug", "info", "warning", "error", "critical"]
    for name in names:
        getattr(log, name)(name)
    assert [e["level"] for e in lines(out)] == names[names.index(level.lower()) :]


def test_an_unknown_level_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such log level: 'loud'"):
        configure(level="loud")


def test_redaction_can_be_switched_off_for_made_up_data(out: io.StringIO) -> None:
    configure("json", stream=out, redact=False)
    get_logger("call").info("rang", caller="+14255550112")
    assert lines(out)[0]["caller"] == "+14255550112"


class Failing(io.StringIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str, /) -> int:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [BrokenPipeError(32, "pipe"), OSError(28, "disk full"), ValueError("closed"), RuntimeError()],
)
def test_a_failing_stream_never_reaches_the_call(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", stream=Failing(error))
    before = lines_lost()
    get_logger("call").info("accepted")
    logging.getLogger("library").warning("something")
    assert lines_lost() == before + 2
    assert capsys.readouterr() == ("", "")


def test_a_closed_pipe_and_a_full_disk_never_reach_the_call(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    closed = (tmp_path / "closed").open("w")
    closed.close()
    before = lines_lost()
    stream = os.fdopen(write, "w")
    for target in (stream, closed):
        configure("json", stream=target)
        get_logger("call").info("accepted")
    assert lines_lost() == before + 2
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_a_process_without_standard_error_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    configure("json")
    monkeypatch.setattr(sys, "stderr", None)
    before = lines_lost()
    get_logger("call").info("accepted")
    assert lines_lost() == before + 1
