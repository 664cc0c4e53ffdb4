"""One `offhook serve` as a process: started, read, signalled and ended by its own id."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from pathlib import Path
from time import monotonic

import psutil

BOT = Path(__file__).parent / "bot.py"
START_S = 60.0  # several start at once, on a busy machine
LEAVE_S = 5.0
GLANCE_S = 0.02
KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR")


class Replica:
    """A running process, and what it logs."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.webhook = ""
        self._process = process
        self._log = log
        self._weighed = psutil.Process(process.pid)

    @classmethod
    async def start(cls, name: str, folder: Path, env: dict[str, str]) -> Replica:
        """Start one; `listening` tells when it is ready."""
        log = folder / f"{name}.log"
        kept = {k: os.environ[k] for k in KEPT if k in os.environ}
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "offhook", "serve", f"{BOT}:bot"),
                env={**kept, **env},
                cwd=folder,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
            )
        return cls(name, process, log)

    @property
    def text(self) -> str:
        """All that it has logged."""
        return self._log.read_text(errors="replace")

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.returncode is None

    async def said(self, text: str, within: float = START_S) -> str:
        """The first line with this text. Raises `RuntimeError` if it is not written in time."""
        until = monotonic() + within
        while monotonic() < until:
            found = [line for line in self.text.splitlines() if text in line]
            if found:
                return found[0]
            if not self.running:
                break
            await asyncio.sleep(GLANCE_S)
        raise RuntimeError(f"{self.name} did not say {text!r}:\n{self.text[-3000:]}")

    async def listening(self) -> None:
        """Return when it takes calls."""
        self.webhook = str(json.loads(await self.said("listens on"))["webhook"])

    def bugs(self) -> list[str]:
        """What it logged of its own mistakes."""
        marks = ('"event":"bug"', "Traceback", "an entry could not be logged")
        return [line[:500] for line in self.text.splitlines() if any(m in line for m in marks)]

    # What is done to it

    def signal(self, which: signal.Signals) -> None:
        """Send it a signal, by its id, unless it is gone."""
        if self.running:
            self._process.send_signal(which)

    async def gone(self, within: float) -> int | None:
        """Its exit status, `None` if it goes on after that time."""
        try:
            return await asyncio.wait_for(self._process.wait(), within)
        except TimeoutError:
            return None

    async def end(self) -> None:
        """End it in any case, politely first."""
        for which in (signal.SIGCONT, signal.SIGTERM, signal.SIGTERM):
            self.signal(which)
        if await self.gone(LEAVE_S) is None:
            self.signal(signal.SIGKILL)
            await self._process.wait()

    # What it costs

    def cpu(self) -> float:
        """CPU seconds so far, in user and in kernel."""
        times = self._weighed.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Bytes of its own: all but the files that it has mapped (Linux: `RssAnon`).

        Those are nobody else's, too, once other processes that use the same libraries have ended;
        so what only counts as its own (USS) grows by megabytes when somebody else stops.
        """
        weighed = self._weighed.memory_info()
        return float(weighed.rss - weighed.shared)
