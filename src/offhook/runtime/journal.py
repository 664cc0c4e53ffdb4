"""Journals: one file for each call, written behind the calls' backs.

A call only puts values into a list. One thread for all of them makes JSON of these, takes out
what must not be written, and writes batches; it gives way after each line, so that no call waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import msgspec

from offhook.observe.logs import get_logger
from offhook.runtime.entries import Entry, Kind, written
from offhook.runtime.veil import Veil
from offhook.store.journals import file_name

BATCH = 64  # lines
BATCH_S = 0.5  # the oldest line of a batch waits no longer, as long as anything happens

_encode = msgspec.json.Encoder().encode


class Archive:
    """The folder of journals, and the one thread that writes them. Idle, it costs nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="offhook-journal")
        self._log = get_logger("call")
        self._failing = False

    def open(self, call_id: str, clock: float) -> Journal:
        """A new journal. `clock` is the time of the ring, on the clock of the calls."""
        return Journal(self, self.folder / file_name(call_id, datetime.now(UTC)), clock)

    def write(self, pages: Pages, lines: list[Line], *, last: bool = False) -> Future[None]:
        """Have lines written; `last` closes the file."""
        try:
            return self._writer.submit(self._write, pages, lines, last)
        except RuntimeError:  # closed, and this process is about to end
            late: Future[None] = Future()
            late.set_result(None)
            return late

    def _write(self, pages: Pages, lines: list[Line], last: bool) -> None:
        try:
            pages.write(lines)
            self._failing = False
        except Exception as error:  # a full disk, a folder that is a file, a value without JSON
            self._complain(pages, error)
        if last:
            pages.close()

    def drop(self, pages: Pages) -> None:
        """Have the file of a journal deleted, after what is being written to it."""
        with contextlib.suppress(RuntimeError):  # closed, and this process is about to end
            self._writer.submit(self._drop, pages)

    def _drop(self, pages: Pages) -> None:
        try:
            pages.tear_out()
        except OSError as error:
            self._complain(pages, error)

    def _complain(self, pages: Pages, error: Exception) -> None:
        pages.spoilt = True
        if not self._failing:
            self._failing = True
            why = error.strerror if isinstance(error, OSError) else type(error).__name__
            self._log.error("journals cannot be written", folder=str(self.folder), detail=why)

    def close(self) -> None:
        """Take no more; what is under way is still written."""
        self._writer.shutdown(wait=False)


Line = tuple[float, Kind, object]


class Pages:
    """The file of one journal; only the writing thread touches it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._veil = Veil()
        self._file: IO[bytes] | None = None
        self.spoilt = False

    def write(self, lines: list[Line]) -> None:
        """Append lines. After a failure nothing more is written: a gap could not be replayed."""
        if self.spoilt:
            return
        file = self._file = self._file or _created(self._path)
        for t, kind, value in lines:
            data = self._veil.over(_data(value))
            file.write(_encode(Entry(t, kind, data)) + b"\n")
            time.sleep(0)  # a call may want to go on
        file.flush()

    def tear_out(self) -> None:
        """Leave nothing of it, and write no more."""
        self.spoilt = True
        self.close()
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # it was told when the writing failed
                self._file.close()


def _created(path: Path) -> IO[bytes]:
    """A new file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _data(value: object) -> dict[str, Any]:
    data: dict[str, Any]
    data = msgspec.json.decode(value) if isinstance(value, bytes) else written(value)
    return data


class Journal:
    """The journal of one call. `note` never waits and never fails."""

    def __init__(self, archive: Archive, path: Path, clock: float) -> None:
        self.path = path
        self._archive = archive
        self._clock = clock
        self._pages = Pages(path)
        self._lines: list[Line] = []
        self._dropped = False

    def drop(self) -> None:
        """Forget all of it: the caller does not want to be written down."""
        if not self._dropped:
            self._dropped = True
            self._lines.clear()
            self._archive.drop(self._pages)

    def note(self, now: float, kind: Kind, value: object) -> None:
        """Write down a value that nobody changes any more, or a frame as it went over the wire."""
        if self._dropped:
            return
        self._lines.append((now - self._clock, kind, value))
        if len(self._lines) >= BATCH or now - self._clock - self._lines[0][0] >= BATCH_S:
            self._archive.write(self._pages, self._take())

    def _take(self) -> list[Line]:
        lines, self._lines = self._lines, []
        return lines

    async def close(self) -> None:
        """Have the rest written; returns when the file is complete."""
        await asyncio.wrap_future(self._archive.write(self._pages, self._take(), last=True))
