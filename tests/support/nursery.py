"""Processes of `offhook` that have imported everything when they begin: forks of one that has.

A cold start takes a second of a processor, and the tests start it a hundred times. `Nursery` is
the side of the tests; `main` is a process without threads that forks for them, one for each run
of the tests' own process, and goes when that one has gone.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

MAX_BYTES = 65_536  # of one order
_TESTS = Path(__file__).parent.parent


class Newborn:
    """A forked process: what `asyncio.subprocess.Process` has, as far as the tests need it."""

    stdout = None

    def __init__(self, pid: int, stderr: Pipe, life: Pipe) -> None:
        self.pid = pid
        self.stderr = stderr.reader
        self.returncode: int | None = None
        self._pipes = (stderr, life)
        self._end = asyncio.create_task(self._await(life.reader))

    async def _await(self, life: asyncio.StreamReader) -> int:
        self.returncode = int(await life.readline())
        return self.returncode

    async def wait(self) -> int:
        """The exit status; minus the signal that ended it, if one did."""
        return await asyncio.shield(self._end)

    def send_signal(self, which: int) -> None:
        """Send it a signal, if it is still there."""
        if self.returncode is None:
            os.kill(self.pid, which)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Read no more of it."""
        for pipe in self._pipes:
            pipe.transport.close()


class Nursery:
    """The process that forks, and the line to it."""

    def __init__(self) -> None:
        self._line, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "support.nursery", str(its.fileno())],
                env={**os.environ, "PYTHONPATH": os.pathsep.join((str(_TESTS), *sys.path))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._line.close()
        self._process.wait(10)

    async def bear(
        self, arguments: tuple[str, ...], env: Mapping[str, str], cwd: Path, *, told: bool
    ) -> Newborn:
        """Run `offhook` with these arguments and variables, and nothing else.

        With `told`, standard output goes where standard error goes, else nowhere.
        """
        stderr, its_stderr = os.pipe()
        life, its_life = os.pipe()
        order = json.dumps([arguments, dict(env), str(cwd), told]).encode()
        assert len(order) < MAX_BYTES
        socket.send_fds(self._line, [order], [its_stderr, its_life])
        os.close(its_stderr)
        os.close(its_life)
        listening = await Pipe.of(life)
        pid = int(await listening.reader.readline())
        return Newborn(pid, await Pipe.of(stderr), listening)


class Pipe(NamedTuple):
    """The end of a pipe that is read."""

    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport

    @classmethod
    async def of(cls, descriptor: int) -> Pipe:
        """Read what others write into it."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        opened = os.fdopen(descriptor, "rb", 0)
        transport, _ = await loop.connect_read_pipe(lambda: protocol, opened)
        return cls(reader, transport)


@functools.cache
def nursery() -> Nursery:
    """The one of this process, started when it is first asked for."""
    return Nursery()


def main(line: socket.socket) -> None:
    """Fork for each order, until nobody can give one any more."""
    _import_all()
    gc.freeze()  # so that no fork copies what it only looks at
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for the forks
    while True:
        order, pipes, _, _ = socket.recv_fds(line, MAX_BYTES, 2)
        if not order:
            return
        stderr, life = pipes
        if os.fork() == 0:
            line.close()
            os._exit(_watch(order, stderr, life))
        os.close(stderr)
        os.close(life)


def _watch(order: bytes, stderr: int, life: int) -> int:
    """Fork once more, say who it is, and how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(life)
        _become(order, stderr)
    os.close(stderr)
    os.write(life, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(life, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    return 0


def _become(order: bytes, stderr: int) -> NoReturn:
    """Be `python -m offhook`, to the end of the interpreter."""
    arguments, env, cwd, told = json.loads(order)
    os.dup2(stderr, 2)
    if told:
        os.dup2(stderr, 1)
    os.close(stderr)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = cwd
    sys.argv = ["offhook", *arguments]
    runpy.run_module("offhook", run_name="__main__", alter_sys=True)
    sys.exit()


def _import_all() -> None:
    """What a command imports when it runs."""
    ours = ("offhook.draining", "offhook.serving", "offhook.suite")
    for name in (*ours, "aiosqlite", "alembic.command", "asyncpg", "uvloop"):
        import_module(name)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
