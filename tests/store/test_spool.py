"""Facts on disk: there at once, read back in order, adopted from whoever has died."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from offhook.store import spool as spooling
from offhook.store.facts import AnyFact, MomentFact
from offhook.store.spool import Segment, Spool
from support.records import watched_syncs


def moments(*numbers: int) -> list[AnyFact]:
    return [MomentFact(call_id="rtc_1", rev=n, n=n, at=n, kind="greeted") for n in numbers]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", spare=4)
    made.open()
    yield made
    made.close()


def files(spool: Spool) -> list[Path]:
    return sorted(spool.folder.iterdir())


def drained(spool: Spool, most: int = 100) -> list[AnyFact]:
    """All facts, in order."""
    found: list[AnyFact] = []
    while (batch := spool.peek(most)).lines:
        found += batch.facts
        spool.advance(batch)
    return found


def adopted(spool: Spool) -> list[AnyFact]:
    """What another process finds that the first has left behind."""
    heir = Spool(spool.folder)
    found: list[AnyFact] = []
    for orphan in heir.orphans():
        found += orphan.peek(100).facts
        orphan.close(remove=True)
    return found


def test_what_is_appended_is_in_a_file_at_once(spool: Spool) -> None:
    spool.append(moments(1, 2))
    (file,) = files(spool)
    assert len(file.read_text().splitlines()) == 2


def test_only_its_owner_can_read_a_spool(spool: Spool) -> None:
    (file,) = files(spool)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700


def test_facts_come_back_in_the_order_in_which_they_were_taken(spool: Spool) -> None:
    spool.append(moments(1, 2, 3))
    spool.append(moments(4, 5))
    assert drained(spool, most=2) == moments(1, 2, 3, 4, 5)
    assert (spool.taken, spool.stored) == (5, 5)


def test_what_is_stored_is_cut_off(spool: Spool) -> None:
    spool.append(moments(1, 2))
    drained(spool)
    assert [file.stat().st_size for file in files(spool)] == [0]
    spool.append(moments(3))
    assert drained(spool) == moments(3)


def test_a_full_segment_is_followed_by_another_and_goes_when_it_is_stored(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "SEGMENT", 100)
    for n in range(10):
        spool.append(moments(n))
    assert len(files(spool)) > 2
    assert drained(spool, most=3) == moments(*range(10))
    assert len(files(spool)) == 1


def test_a_line_longer_than_a_chunk_is_read_whole(spool: Spool) -> None:
    long = MomentFact(call_id="rtc_1", n=1, at=1, kind="bug", detail="x" * 3 * spooling.CHUNK)
    spool.append([long])
    assert drained(spool) == [long]


def test_what_is_stored_at_once_is_not_read_again(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "read")
    for n in range(5):
        spool.append(moments(n))
    batch = spool.peek(2)
    assert batch.facts == moments(0, 1)
    spool.append(moments(5))  # meanwhile
    spool.advance(batch)
    assert drained(spool, most=3) == moments(2, 3, 4, 5)
    assert spool.taken == spool.stored == 6
    (file,) = files(spool)
    assert file.stat().st_size == 0


def test_what_is_far_behind_comes_from_the_file_until_all_of_it_is_stored(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooling, "KEPT", 3)
    for n in range(5):
        spool.append(moments(n))
    assert drained(spool, most=2) == moments(0, 1, 2, 3, 4)
    monkeypatch.delattr(os, "read")
    spool.append(moments(5))
    assert drained(spool) == moments(5)
    assert spool.taken == spool.stored == 6


def test_the_spool_of_a_living_process_is_left_alone(spool: Spool) -> None:
    spool.append(moments(1))
    assert adopted(spool) == []


def test_the_spool_of_a_dead_process_is_adopted_once(spool: Spool) -> None:
    spool.append(moments(1, 2))
    spool.close()
    assert adopted(spool) == moments(1, 2)
    assert adopted(spool) == []
    assert files(spool) == []


def test_an_orphan_belongs_to_one_at_a_time(spool: Spool) -> None:
    spool.append(moments(1))
    spool.close()
    (orphan,) = Spool(spool.folder).orphans()
    assert list(Spool(spool.folder).orphans()) == []
    orphan.close(remove=False)
    assert adopted(spool) == moments(1)


def test_nothing_is_left_of_a_spool_that_was_written_whole(spool: Spool) -> None:
    spool.append(moments(1))
    drained(spool)
    spool.close()
    assert files(spool) == []


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_half_a_line_is_no_fact_and_the_whole_ones_before_it_are(spool: Spool, cut: int) -> None:
    spool.append(moments(1, 2))
    (file,) = files(spool)
    spool.close()
    os.truncate(file, file.stat().st_size - cut)
    (orphan,) = Spool(spool.folder).orphans()
    batch = orphan.peek(100)
    assert batch.facts == moments(1)
    assert batch.end is not None
    orphan.at = batch.end
    assert orphan.rest > 0
    assert orphan.peek(100).lines == 0
    orphan.close(remove=True)


def test_a_line_that_cannot_be_read_is_counted_and_passed_over(spool: Spool) -> None:
    spool.append(moments(1))
    (file,) = files(spool)
    with file.open("ab") as torn:
        torn.write(b"\0\0\0\n" + b'{"is":"of_tomorrow"}\n' + b"\xff\xfe\n")
        torn.write(file.read_bytes())
    spool.close()
    (orphan,) = Spool(spool.folder).orphans()
    batch = orphan.peek(100)
    orphan.close(remove=True)
    assert batch.facts == moments(1, 1)
    assert batch.unreadable == 3


class Disk:
    """A disk that can be full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        append = Segment.append

        def write(segment: Segment, data: bytes, facts: Sequence[AnyFact]) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            append(segment, data, facts)

        monkeypatch.setattr(Segment, "append", write)
        monkeypatch.setattr(spooling, "AGAIN_S", 0.0)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_while_the_disk_is_full_a_few_facts_are_kept_in_memory(spool: Spool, disk: Disk) -> None:
    spool.append(moments(1))
    disk.full = True
    spool.append(moments(2, 3))
    assert spool.failure is not None
    assert drained(spool) == moments(1, 2, 3)
    assert spool.lost == 0


def test_what_does_not_fit_into_memory_either_is_counted(spool: Spool, disk: Disk) -> None:
    disk.full = True
    for n in range(10):
        spool.append(moments(n))
    assert spool.lost == 6
    assert drained(spool) == moments(0, 1, 2, 3)


def test_what_was_in_memory_goes_to_the_disk_that_has_room_again(spool: Spool, disk: Disk) -> None:
    disk.full = True
    spool.append(moments(1, 2))
    disk.full = False
    spool.append(moments(3))
    assert spool.failure is None
    spool.close()
    assert adopted(spool) == moments(1, 2, 3)


def test_a_batch_from_memory_is_not_forgotten_if_the_disk_comes_back_meanwhile(
    spool: Spool, disk: Disk
) -> None:
    disk.full = True
    spool.append(moments(1, 2))
    batch = spool.peek(100)
    disk.full = False
    spool.append(moments(3))
    spool.advance(batch)
    assert spool.stored == 0
    assert drained(spool) == moments(1, 2, 3)
    assert spool.stored == spool.taken == 3


def test_a_short_write_leaves_no_half_line(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.append(moments(1))
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    spool.append(moments(2))
    monkeypatch.undo()
    (file,) = files(spool)
    assert len(file.read_text().splitlines()) == 1
    assert drained(spool) == moments(1, 2)


async def test_a_sync_covers_every_segment(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "SEGMENT", 100)
    synced = watched_syncs(monkeypatch)
    for n in range(5):
        spool.append(moments(n))
    await spool.sync()
    assert {file.stat().st_ino for file in files(spool)} <= set(synced)


def test_what_comes_after_the_end_is_only_counted(spool: Spool) -> None:
    spool.close()
    spool.append(moments(1, 2))
    assert (spool.lost, spool.taken) == (2, 0)
    assert files(spool) == []


def test_a_folder_that_cannot_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Spool(tmp_path / "file" / "spool").open()


def test_facts_of_every_kind_survive_the_way_over_the_disk(
    spool: Spool, one_of_each: Sequence[AnyFact]
) -> None:
    spool.append(one_of_each)
    assert drained(spool) == list(one_of_each)
