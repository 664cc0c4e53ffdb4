"""The process: listens, leaves politely when told to, and starts again on changed files."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from watchfiles import DefaultFilter, awatch

from offhook.config import Settings
from offhook.errors import UserError
from offhook.observe.logs import flush, get_logger
from offhook.runtime.switchboard import Switchboard
from offhook.runtime.tenure import Tenure
from offhook.web.corked import CorkedProtocol

DATE_TICK = 0  # of uvicorn's ticks every tenth sets the date, this one too
WATCHED = (".py", ".env", ".toml")


class Server(uvicorn.Server):
    """uvicorn, but a first signal begins a drain during which `/readyz` says no.

    A second signal is obeyed at once: calls end without a goodbye, but they do end.
    """

    _exiting = False
    _exit: asyncio.Event | None = None

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.server.host,
                port=settings.server.port,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=5,
                http=CorkedProtocol,
                ws="none",  # nothing here speaks WebSocket: load no library for it
            )
        )
        self._switchboard: Switchboard = app.state.switchboard
        self._patience = settings.server.drain_s
        tenure: Tenure | None = app.state.tenure
        if tenure is not None:
            tenure.on_told_to_leave = self._told_to_leave
        self._leaving: asyncio.Task[None] | None = None
        self.on_started: Callable[[str], None] = lambda _url: None

    @property
    def should_exit(self) -> bool:
        """Whether it is time to go. Set, it wakes the main loop; also from a signal or a thread."""
        return self._exiting

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        self._exiting = value
        if value and self._exit is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._exit.set)

    async def main_loop(self) -> None:
        """Keep the date of the answers right until told to go.

        uvicorn looks ten times a second whether it is; on an idle server little costs more.
        """
        self._exit = asyncio.Event()
        while not await self.on_tick(DATE_TICK):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._exit.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain on the first signal, leave on the second."""
        if self._leaving is None and self.started:
            self._leaving = self._loop.create_task(self._leave())
            self._loop.call_soon_threadsafe(lambda: None)  # a signal alone does not wake it
            return
        if self._leaving is not None:
            self._loop.call_soon_threadsafe(self._switchboard.hang_up)
        super().handle_exit(sig, frame)

    def _told_to_leave(self) -> None:
        if self._leaving is None:
            self.handle_exit(signal.SIGTERM, None)

    async def _leave(self) -> None:
        get_logger("server").info("draining", live_calls=len(self._switchboard))
        await self._switchboard.drain(self._patience)
        self.should_exit = True

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, and tell where."""
        self._loop = asyncio.get_running_loop()
        try:
            await super().startup(sockets)  # type: ignore[arg-type]
        except SystemExit:
            raise UserError(
                f"Cannot listen on {self.config.host}, port {self.config.port}: it is taken, or "
                "not this machine's. Choose another with PORT=... or OFFHOOK_HOST=..."
            ) from None
        if self.started:
            self.on_started(self.url)

    @property
    def url(self) -> str:
        """Where it listens, with the port that it has really got."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def restart_on_change(
    server: Server, switchboard: Switchboard, paths: Sequence[Path]
) -> None:
    """Wait for a changed file, then for the last call to end, then stop the server.

    The caller starts the program again; a new one in the same process would keep old modules.
    """
    names = await next_change(paths)
    waiting = len(switchboard) > 0
    get_logger("server").info("changed", files=names, waiting_for_calls=waiting)
    await switchboard.idle()
    server.should_exit = True


async def next_change(paths: Sequence[Path]) -> list[str]:
    """Wait for a changed file of a bot; the names of those that have changed."""
    async for changes in awatch(*paths, watch_filter=_Source(), debounce=200):
        return sorted({Path(path).name for _, path in changes})
    return []


class _Source(DefaultFilter):
    """Files that make up a bot."""

    def __call__(self, change: object, path: str) -> bool:
        return path.endswith(WATCHED) and super().__call__(change, path)  # type: ignore[arg-type]


def start_again() -> None:
    """Replace this process by a new one with the same arguments."""
    flush()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "offhook", *sys.argv[1:]])  # noqa: S606
