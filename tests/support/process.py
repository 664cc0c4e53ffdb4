"""`offhook` as a process of its own, read line by line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.nursery import Newborn, nursery
from support.serving import PATIENCE_S

START_S = 20.0  # a cold start on a busy machine


class Process:
    """A running command and what it has written to standard error."""

    def __init__(self, process: asyncio.subprocess.Process | Newborn) -> None:
        self.process = process
        self.raw: list[str] = []
        self._more = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        told = self.process.stderr or self.process.stdout
        assert told is not None
        async for line in told:
            self.raw.append(line.decode().rstrip("\n"))
            self._more.set()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.raw)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line that is JSON."""
        return [json.loads(line) for line in self.raw if line.startswith("{")]

    async def said(self, text: str, *, count: int = 1, timeout: float = PATIENCE_S) -> str:
        """The `count`-th line that contains a text, as soon as it is written."""
        try:
            async with asyncio.timeout(timeout):
                while len(found := [line for line in self.raw if text in line]) < count:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"nobody said {text!r}:\n{self.text}") from None
        return found[count - 1]

    async def listens(self, *, count: int = 1) -> str:
        """The address of the webhook, once it listens."""
        line = await self.said("listens on", count=count, timeout=START_S)
        return str(json.loads(line)["webhook"])

    def signal(self, which: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal."""
        self.process.send_signal(which)

    async def ended(self, timeout: float = PATIENCE_S) -> int:
        """Its exit status, once it and what it wrote have come to an end."""
        try:
            async with asyncio.timeout(timeout):
                status = await self.process.wait()
                await self._reader
        except TimeoutError:
            raise AssertionError(f"it goes on:\n{self.text}") from None
        return status

    async def stop(self) -> None:
        """End it in any case."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        if isinstance(self.process, Newborn):
            self.process.close()
            await asyncio.sleep(0)  # only then are they closed


@asynccontextmanager
async def offhook(
    *arguments: str, env: dict[str, str], cwd: Path, cold: bool = False, told: bool = False
) -> AsyncIterator[Process]:
    """Run `offhook` with these arguments and, but for the bare necessities, these variables.

    It has imported all it needs when it begins, unless it is to start `cold`, as users start it.
    With `told`, what it prints is among what it says.
    """
    necessary = ("PATH", "HOME", "LANG", "PYTHONPATH", "SYSTEMROOT")
    kept = {k: v for k, v in os.environ.items() if k in necessary}
    env = {**kept, "COLUMNS": "300", "LOG_FORMAT": "json", **env}
    start = _started if cold or not hasattr(os, "fork") else nursery().bear
    running = Process(await start(arguments, env, cwd, told=told))
    try:
        yield running
    finally:
        await running.stop()


async def _started(
    arguments: tuple[str, ...], env: dict[str, str], cwd: Path, *, told: bool
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "offhook",
        *arguments,
        cwd=cwd,
        env=env,
        stdout=asyncio.subprocess.PIPE if told else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.STDOUT if told else asyncio.subprocess.PIPE,
    )
