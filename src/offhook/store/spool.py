"""Facts on disk on their way to the database: there at once, so that a killed process loses none.

Several processes may share a folder. Each appends to segments of its own, one JSON object a line,
and holds a lock on them, which ends with the process however that ends: a segment that another
process can lock is an orphan, and is adopted. What the database has is cut off again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from offhook.store.facts import AnyFact
from offhook.store.locks import lock

SEGMENT = 1 << 26  # bytes; then another is begun. Each keeps a file open until it is stored
CHUNK = 1 << 16  # bytes; what is read at a time, or one line if that is longer
KEPT = 1000  # facts kept in memory as well; if the database is further behind, none are
SPARE = 10_000  # facts kept in memory while the disk takes none
AGAIN_S = 1.0  # between two tries of a disk that takes none
SUFFIX = ".spool"

_OPTIONS = os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)
_encode = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(AnyFact).decode
_NUL = rb"\u0000"  # as JSON has it, and now and then something harmless


class Batch(Struct, frozen=True):
    """Facts in the order in which they were taken, and where they end in their segment.

    `lines` counts those that cannot be read, too. Without an end they come from memory.
    """

    facts: list[AnyFact]
    lines: int
    end: int | None = None

    @property
    def unreadable(self) -> int:
        """How many lines are no facts."""
        return self.lines - len(self.facts)


class Segment:
    """One file, locked by us. Raises `OSError` where the disk does not want to."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self.size = os.fstat(fd).st_size
        self.at = 0  # before this, all of it is stored
        self._fd = fd
        self._kept: deque[tuple[Sequence[AnyFact], int]] = deque()  # all of the rest, and its ends
        self._count = 0
        self._behind = self.size > 0  # the rest is only in the file

    def append(self, data: bytes, facts: Sequence[AnyFact]) -> None:
        """Add facts as whole lines: all of them or, on a full disk, none."""
        written = os.write(self._fd, data)
        if written < len(data):
            os.ftruncate(self._fd, self.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._behind = self._behind and self.rest > 0
        self.size += written
        if not self._behind:
            self._keep(facts)

    def _keep(self, facts: Sequence[AnyFact]) -> None:
        """What is stored within a moment need not be read again."""
        self._kept.append((facts, self.size))
        self._count += len(facts)
        if self._count > KEPT:
            self._behind, self._count = True, 0
            self._kept.clear()

    def peek(self, most: int) -> Batch:
        """The facts that come next, about `most`; none if the rest is no whole line."""
        if not self._kept and self.rest:
            return self._read_again(most)
        facts: list[AnyFact] = []
        until = self.at
        for some, until in self._kept:  # noqa: B007
            facts += some
            if len(facts) >= most:
                break
        return Batch(facts, len(facts), until)

    def advance(self, end: int) -> None:
        """All before this is stored: forget it."""
        self.at = end
        while self._kept and self._kept[0][1] <= end:
            self._count -= len(self._kept.popleft()[0])

    def _read_again(self, most: int) -> Batch:
        wanted = CHUNK
        while True:
            os.lseek(self._fd, self.at, os.SEEK_SET)
            chunk = os.read(self._fd, wanted)
            lines = chunk.split(b"\n")[:-1][:most]
            if lines or len(chunk) < wanted:
                break
            wanted *= 2
        end = self.at + sum(map(len, lines)) + len(lines)
        facts = [fact for fact in map(_read, lines) if fact is not None]
        return Batch(facts, len(lines), end)

    @property
    def rest(self) -> int:
        """How many bytes are not stored yet."""
        return self.size - self.at

    def clear(self) -> None:
        """Empty the file."""
        os.ftruncate(self._fd, 0)
        self.at = self.size = 0
        self._behind = False

    def close(self, *, remove: bool) -> None:
        """Give up the file and its lock."""
        os.close(self._fd)
        if remove:
            with suppress(OSError):  # then it is adopted, and written again, which changes nothing
                self.path.unlink(missing_ok=True)

    def twin(self) -> int:
        """Another descriptor of the same file, for a thread to close."""
        return os.dup(self._fd)


class Spool:
    """The segments of this process, oldest first.

    `taken` and `stored` count facts. While the disk takes none, `failure` says why and some are
    kept in memory; `lost` counts those that did not fit there.
    """

    def __init__(self, folder: Path, spare: int = SPARE) -> None:
        self.folder = folder
        self.taken = self.stored = self.lost = 0
        self.failure: OSError | None = None
        self._most = spare
        self._spare: deque[AnyFact] = deque()
        self._lent = self._spare  # where the last batch from memory was taken from
        self._tried_at = 0.0
        self._segments: deque[Segment] = deque()

    def open(self) -> None:
        """Begin the first segment. Raises `OSError` if that cannot be."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._segments.append(_created(self.folder))

    def append(self, facts: Sequence[AnyFact]) -> None:
        """Write facts down, their texts as both databases can hold them."""
        if not self._segments:  # not open yet, or no longer
            self.lost += len(facts)
            return
        facts, data = _storable(facts)
        if self._spare and not self._again():
            self._keep(facts)
            return
        try:
            if self._spare:
                self._write(_encode(self._spare) + data, [*self._spare, *facts])
            else:
                self._write(data, facts)
        except OSError as error:
            self.failure, self._tried_at = error, time.monotonic()
            self._keep(facts)
        else:
            self.failure = None
            self._spare = deque()  # a new one, since a batch of the old may be under way
            self.taken += len(facts)

    def _write(self, data: bytes, facts: Sequence[AnyFact]) -> None:
        if self._segments[-1].size > SEGMENT:
            self._segments.append(_created(self.folder))
        self._segments[-1].append(data, facts)

    def _again(self) -> bool:
        return time.monotonic() >= self._tried_at + AGAIN_S

    def _keep(self, facts: Sequence[AnyFact]) -> None:
        room = self._most - len(self._spare)
        self._spare.extend(facts[:room])
        self.taken += len(facts[:room])
        self.lost += len(facts[room:])

    def peek(self, most: int) -> Batch:
        """The oldest facts that are not stored, about `most`."""
        batch = self._segments[0].peek(most)
        if batch.lines or not self._spare:
            return batch
        self._lent = self._spare
        facts = list(islice(self._spare, most))
        return Batch(facts, len(facts))

    def advance(self, batch: Batch) -> None:
        """All of the batch is stored: forget it."""
        if batch.end is None:
            if self._lent is self._spare:  # else they are in a file by now, and come once more
                self._spare = deque(islice(self._spare, batch.lines, None))
                self.stored += batch.lines
            return
        self.stored += batch.lines
        first = self._segments[0]
        first.advance(batch.end)
        if first.rest:
            return
        if len(self._segments) > 1:
            self._segments.popleft().close(remove=True)
        else:
            first.clear()

    async def sync(self) -> None:
        """Return when all of it would survive a power cut. Raises `OSError`."""
        twins = [segment.twin() for segment in self._segments]
        await asyncio.to_thread(_sync, twins, self.folder)

    def orphans(self) -> Iterator[Segment]:
        """Segments whose process has ended, one by one; each is ours from then on."""
        own = {segment.path for segment in self._segments}
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path not in own and (segment := _adopted(path)) is not None:
                yield segment

    def close(self) -> None:
        """Take no more; what is not stored waits for whoever adopts it."""
        while self._segments:
            segment = self._segments.popleft()
            segment.close(remove=not segment.rest)


def _storable(facts: Sequence[AnyFact]) -> tuple[Sequence[AnyFact], bytes]:
    """The facts, and as lines, without what no column holds: NUL, and halves of characters."""
    try:
        data = _encode(facts)
    except UnicodeEncodeError:
        data = _NUL
    if _NUL in data:
        facts = [_clean(fact) for fact in facts]
        data = _encode(facts)
    return facts, data


def _clean(fact: AnyFact) -> AnyFact:
    texts = {k: v for k, v in structs.asdict(fact).items() if isinstance(v, str)}
    clean = {k: v.replace("\0", "").encode(errors="replace").decode() for k, v in texts.items()}
    return structs.replace(fact, **clean)


def _read(line: bytes) -> AnyFact | None:
    try:
        fact: AnyFact = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return fact


def _created(folder: Path) -> Segment:
    """A new file that only its owner can read, locked before anybody could adopt it."""
    while True:
        path = folder / f"{time.time_ns()}-{os.getpid()}{SUFFIX}"
        fd = os.open(path, _OPTIONS | os.O_CREAT | os.O_EXCL, 0o600)
        if lock(fd):
            return Segment(path, fd)
        os.close(fd)


def _adopted(path: Path) -> Segment | None:
    try:
        fd = os.open(path, _OPTIONS)
    except OSError:  # gone meanwhile, or another user's
        return None
    if lock(fd):
        return Segment(path, fd)
    os.close(fd)
    return None


def _sync(fds: list[int], folder: Path) -> None:
    with suppress(OSError):  # the names of new files; not every system lets a folder be opened
        fds = [*fds, os.open(folder, os.O_RDONLY)]
    for fd in fds:
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
