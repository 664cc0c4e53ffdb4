"""The three programs, each a process of its own: started, weighed and ended by its own id."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from msgspec import Struct

HERE = Path(__file__).parent
START_S = 30.0
LEAVE_S = 3.0
KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


class Program(Struct, frozen=True):
    """What is measured. `{port}` in its arguments is where it listens."""

    name: str
    arguments: tuple[str, ...]


OFFHOOK = Program("offhook", ("-m", "offhook", "serve", f"{HERE / 'bot.py'}:bot"))
FLOOR = Program("floor", (str(HERE / "floor.py"), "{port}"))
PEER = Program("openai-agents", (str(HERE / "peer.py"), "{port}"))
PROGRAMS = (OFFHOOK, FLOOR, PEER)


class Running:
    """A program that takes calls at `webhook`."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self._process = process

    @property
    def webhook(self) -> str:
        """Where calls are announced."""
        return f"http://127.0.0.1:{self.port}/openai/webhook"

    def cpu(self) -> float:
        """CPU seconds used so far, in user and in kernel."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Bytes that would be free if it ended."""
        return float(self._process.memory_full_info().uss)


@asynccontextmanager
async def running(program: Program, settings: dict[str, str]) -> AsyncIterator[Running]:
    """Run a program. Raises `RuntimeError` with the end of its log if it does not come up."""
    port = _free_port()
    environment = {k: os.environ[k] for k in KEPT if k in os.environ}
    with TemporaryDirectory(prefix="offhook-bench-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *(a.format(port=port) for a in program.arguments),
                env={**environment, **settings, "PORT": str(port)},
                cwd=folder,
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            await _listening(process, port, program, log)
            yield Running(port, psutil.Process(process.pid))
        finally:
            await _end(process)


async def _listening(process: Process, port: int, program: Program, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise RuntimeError(f"{program.name} did not start:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text()[-2000:]


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), LEAVE_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
