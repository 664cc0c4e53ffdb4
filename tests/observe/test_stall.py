"""What blocks the event loop is told by its line, once, while it blocks."""

from __future__ import annotations

import asyncio
import threading
from queue import Queue

import pytest

from offhook.observe.stall import Stall, StallWatch


class Blocker:
    """Blocks the loop until the watch has told of it."""

    def __init__(self) -> None:
        self.told: Queue[Stall] = Queue()
        self._seen = threading.Event()

    def tell(self, stall: Stall) -> None:
        self.told.put(stall)
        self._seen.set()

    def block(self) -> None:
        assert self._seen.wait(10)
        self._seen.clear()


@pytest.fixture
async def blocker() -> Blocker:
    return Blocker()


async def test_the_line_that_blocks_is_told_while_it_blocks(blocker: Blocker) -> None:
    watch = StallWatch(0.05, blocker.tell)
    watch.start()
    blocker.block()
    watch.stop()
    stall = blocker.told.get_nowait()
    assert stall.seconds > 0.05
    assert "in block: assert self._seen.wait(10)" in stall.where
    assert "threading.py" in stall.inside


async def test_each_stall_is_told_once(blocker: Blocker) -> None:
    watch = StallWatch(0.05, blocker.tell)
    watch.start()
    blocker.block()
    blocker._seen.wait(0.3)  # blocks on, and nothing more is told
    assert blocker.told.qsize() == 1
    await _beats(watch, 1)
    blocker.block()
    watch.stop()
    assert blocker.told.qsize() == 2


async def test_a_loop_that_only_waits_is_not_stalled(blocker: Blocker) -> None:
    watch = StallWatch(0.05, blocker.tell)
    watch.start()
    await _beats(watch, 20)
    watch.stop()
    assert blocker.told.empty()


async def _beats(watch: StallWatch, count: int) -> None:
    """Go on until the loop has beaten so often."""
    for _ in range(count):
        last = watch._beat
        while watch._beat == last:  # noqa: ASYNC110  # a watch tells nobody of its beats
            await asyncio.sleep(0)
