"""Records of a person that still wait on disk for the database.

A segment whose process has ended is ours to change while we hold its lock. What a running process
has there is on its way, and is found in the database a moment later.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from offhook.store.spool import SUFFIX, Spool

Waiting = dict[str, int]


class _Line(msgspec.Struct):
    call_id: str | None = None
    caller_hash: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


def waiting(folder: Path, calls: Container[str], hashes: Container[str]) -> Waiting:
    """How many records wait of each of these calls, and of all calls from a number."""
    counts: Counter[str] = Counter()
    theirs: set[str] = set()
    for path in folder.glob(f"*{SUFFIX}"):
        for _, line in _lines(path):
            if line.call_id is not None:
                counts[line.call_id] += 1
                if line.caller_hash in hashes:
                    theirs.add(line.call_id)
    return {call: n for call, n in counts.items() if call in calls or call in theirs}


def drop(folder: Path, calls: Container[str]) -> Waiting:
    """Take records of these calls out of segments whose process has ended. Returns how many."""
    gone: Counter[str] = Counter()
    if not folder.exists():
        return gone
    for segment in Spool(folder).orphans():
        kept, ours = [], Counter[str]()
        for raw, line in _lines(segment.path):
            if line.call_id is not None and line.call_id in calls:
                ours[line.call_id] += 1
            else:
                kept.append(raw)
        if ours:
            _replace(segment.path, b"".join(kept))
        gone += ours
        segment.close(remove=False)
    return gone


def _lines(path: Path) -> Iterator[tuple[bytes, _Line]]:
    """Each line and what is known of it; a process may take a file away meanwhile."""
    with suppress(FileNotFoundError):
        for raw in path.read_bytes().splitlines(keepends=True):
            try:
                yield raw, _decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                yield raw, _Line()


def _replace(path: Path, data: bytes) -> None:
    """All of the old file or all of the new, whatever happens; an empty one goes."""
    if not data:
        path.unlink()
        return
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
