"""Reads the file of lines again when it changes.

A file that is wrong by then is refused with its line number, and the old lines stay.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from watchfiles import awatch

from offhook.dialplan import PlanError
from offhook.observe.logs import get_logger
from offhook.observe.metrics import Metrics
from offhook.runtime.directory import Directory
from offhook.runtime.planning import Planner
from offhook.runtime.quotas import Quotas

LOOK_MS = 5000  # a change that the system did not tell is found by then
STEP_MS = 400  # in a folder where a database is written the file is not read at each write


class Reload:
    """Brings a changed file of lines to those who use them. Live calls keep what they have."""

    def __init__(
        self,
        planner: Planner,
        path: Path,
        directory: Directory,
        quotas: Quotas,
        metrics: Metrics,
    ) -> None:
        self._planner = planner
        self._path = path
        self._directory = directory
        self._quotas = quotas
        self._metrics = metrics
        self._log = get_logger("server")
        self._seen = self._content()
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Read it again, whether or not it has changed."""
        self._asked.set()

    async def read(self) -> bool:
        """Read it again; whether its lines hold from now on."""
        try:
            planned = await asyncio.to_thread(self._planner.read)
        except PlanError as error:
            self._metrics.lines_read("refused")
            for wrong in error.wrong:
                where = {"file": str(self._path), "line_number": wrong.line}
                self._log.error("lines refused, the old ones stay", **where, why=wrong.what)
            return False
        except Exception as error:  # the code of a bot that is loaded may raise anything
            self._metrics.lines_read("refused")
            why = f"{type(error).__name__}: {error}"
            self._log.error("lines refused, the old ones stay", file=str(self._path), why=why)
            return False
        self._directory.put(planned.plan, planned.lines)
        self._quotas.of_lines(planned.plan)
        self._metrics.lines_read("taken")
        self._log.info("lines read", lines=list(planned.lines))
        return True

    async def follow(self) -> None:
        """Read it whenever it has changed, or somebody asks. Looks by itself, too: not every
        file system tells of changes, and a file may be replaced by way of a link."""
        folder = self._path.absolute().parent
        changes = awatch(
            folder, step=STEP_MS, yield_on_timeout=True, rust_timeout=LOOK_MS, recursive=False
        )
        looking = asyncio.ensure_future(_next(changes))
        asking = asyncio.ensure_future(self._asked.wait())
        try:
            while True:
                await asyncio.wait({looking, asking}, return_when=asyncio.FIRST_COMPLETED)
                asked, content = asking.done(), self._content()
                if asked or content != self._seen:
                    self._seen = content
                    await self.read()
                if asked:
                    self._asked.clear()
                    asking = asyncio.ensure_future(self._asked.wait())
                if looking.done():
                    looking = asyncio.ensure_future(_next(changes))
        finally:
            for each in (looking, asking):
                each.cancel()
            await asyncio.wait({looking, asking})
            with suppress(RuntimeError):
                await changes.aclose()

    def _content(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None


async def _next(changes: AsyncGenerator[object, None]) -> None:
    """Wait for a change, or for some time where the system cannot tell of changes."""
    try:
        await anext(changes)
    except (OSError, RuntimeError, StopAsyncIteration):
        await asyncio.sleep(LOOK_MS / 1000)


@asynccontextmanager
async def following(reload: Reload | None) -> AsyncIterator[None]:
    """Read the file of lines again as long as the block lasts: when it changes, and on SIGHUP."""
    if reload is None:
        yield
        return
    loop = asyncio.get_running_loop()
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    with suppress(NotImplementedError, ValueError, RuntimeError):  # not in the main thread
        if hang_up is not None:
            loop.add_signal_handler(hang_up, reload.ask)
    task = loop.create_task(reload.follow())
    try:
        yield
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            if hang_up is not None:
                loop.remove_signal_handler(hang_up)
        task.cancel()
        await asyncio.wait({task})
