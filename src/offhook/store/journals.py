"""The files of journals: named by time and call, found again, and let go.

Who writes them is `runtime/journal.py`; whose they are is asked here, without reading them whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

_UNSAFE = re.compile(r"[^\w.-]+")
_TIME = "%Y%m%dT%H%M%S"
_NAME = re.compile(r"(\d{8}T\d{6})-(.*)\.jsonl", re.DOTALL)


def file_name(call_id: str, at: datetime) -> str:
    """The name of a call's journal that is begun at this time (UTC)."""
    return f"{at.strftime(_TIME)}-{_safe(call_id)}.jsonl"


def journals(folder: Path, belongs: Callable[[Journal], bool]) -> Iterator[Journal]:
    """The journals in the folder for which it holds, the oldest first."""
    for path in sorted(folder.glob("*.jsonl")):
        named = _NAME.fullmatch(path.name)
        if named and belongs(journal := Journal(path, named[1], named[2])):
            yield journal


class Journal(msgspec.Struct, frozen=True):
    """One file. `safe` is the id of its call as far as a name of a file may hold it."""

    path: Path
    time: str
    safe: str

    @property
    def at(self) -> int:
        """When it was begun, in Unix milliseconds; what is no time is long ago."""
        try:
            begun = datetime.strptime(self.time, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return 0
        return int(begun.timestamp() * 1000)

    def is_of(self, calls: frozenset[str], safe: frozenset[str]) -> bool:
        """Whether it is of one of the calls; `safe` are their ids as `safe_ids` gives them.

        Two ids may look alike in a name. Then the file's first line decides, if it can be read.
        """
        if self.safe not in safe:
            return False
        call_id = self.call_id
        return call_id is None or call_id in calls

    @property
    def call_id(self) -> str | None:
        """The id of its call, from its first line; `None` if that cannot be read."""
        with self.path.open("rb") as file:
            try:
                ring = msgspec.json.decode(file.readline(), type=_Ring)
            except msgspec.MsgspecError:
                return None
        return ring.data.call_id


class _About(msgspec.Struct):
    call_id: str


class _Ring(msgspec.Struct):
    data: _About


def safe_ids(calls: frozenset[str]) -> frozenset[str]:
    """The ids of calls as names of files hold them."""
    return frozenset(map(_safe, calls))


def _safe(call_id: str) -> str:
    return _UNSAFE.sub("_", call_id)[-80:]
