"""Where a run takes place: a cloud, a database, replicas and a folder, and none of it is left."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from bench.chaos.cloud import Cloud, Watched
from bench.chaos.replica import Replica
from bench.postgres import Cluster, cluster
from offhook.simulator import Faults

GLANCE_S = 0.05
BEAT_S, PATIENCE_S = 0.5, 2.0  # as they are unless somebody sets them
# Where callers are silent on purpose: nothing is said that nobody could hear.
PATIENT = {"OFFHOOK_IDLE_TIMEOUT_MS": "0", "OFFHOOK_FILLER_S": "0"}


class Stage:
    """What one run works with. Replicas are started and ended by it."""

    def __init__(self, cloud: Cloud, database: Cluster, url: str, folder: Path) -> None:
        self.cloud = cloud
        self.database = database
        self.folder = folder
        self.replicas: list[Replica] = []
        self._url = url

    async def start(self, count: int = 1, **env: str) -> list[Replica]:
        """More replicas, which know of each other and are ready."""
        given = {**self._environment(), **env}
        fresh = []
        for _ in range(count):
            name = f"replica-{len(self.replicas) + 1}"
            fresh.append(await Replica.start(name, self.folder, given))
            self.replicas.append(fresh[-1])
        for replica in fresh:
            await replica.listening()
            await replica.said('"event":"replica"')
        return fresh

    def _environment(self) -> dict[str, str]:
        return {
            "OPENAI_API_KEY": self.cloud.api_key,
            "OPENAI_WEBHOOK_SECRET": self.cloud.webhook_secret,
            "OPENAI_BASE": self.cloud.base_url,
            "PORT": "0",
            "LOG_FORMAT": "json",
            "OFFHOOK_GREETING_DELAY_MS": "0",
            "OFFHOOK_DATABASE_URL": self._url,
            "OFFHOOK_SPOOL_DIR": str(self.folder / "spool"),
            "OFFHOOK_MAX_CALLS": "2000",
            "OFFHOOK_BEAT_S": str(BEAT_S),
            "OFFHOOK_PATIENCE_S": str(PATIENCE_S),
        }

    async def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        """What the database says."""
        connection = await asyncpg.connect(self._url)
        try:
            return [dict(row) for row in await connection.fetch(query, *arguments)]
        finally:
            await connection.close()

    async def recorded(self, calls: Iterable[Watched], within: float = 30.0) -> None:
        """Return when the records of these calls have an end, or that does not come."""
        ids = [call.call_id for call in calls]
        query = "SELECT count(*) AS n FROM calls WHERE call_id = ANY($1) AND ended_at IS NOT NULL"

        async def all_ended() -> bool:
            return bool((await self.rows(query, ids))[0]["n"] == len(ids))

        until = monotonic() + within
        while not await all_ended() and monotonic() < until:
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)  # what is written behind an end

    async def endless(self, calls: Iterable[Watched]) -> list[str]:
        """Where the record of a call is missing or has no end."""
        ids = [call.call_id for call in calls]
        query = "SELECT call_id FROM calls WHERE call_id = ANY($1) AND reason IS NOT NULL"
        ended = {row["call_id"] for row in await self.rows(query, ids)}
        return [f"{each} has no end on record" for each in ids if each not in ended]

    async def undecided(self, calls: Iterable[Watched]) -> list[str]:
        """Where a function call has no outcome on record."""
        ids = [call.call_id for call in calls]
        query = "SELECT call_id, ref FROM tool_calls WHERE call_id = ANY($1) AND ended_at IS NULL"
        rows = await self.rows(query, ids)
        return [f"{row['call_id']}: {row['ref']} has no outcome on record" for row in rows]

    async def lacking(self, calls: Iterable[Watched]) -> list[str]:
        """Where the record of a call lacks what was said and heard to its end."""
        wanted = {call.call_id: call for call in calls}
        ids = list(wanted)
        said = await self.rows(
            "SELECT call_id, who, text FROM utterances WHERE call_id = ANY($1) "
            "AND heard_ms IS NULL ORDER BY place",
            ids,
        )
        texts: dict[str, list[tuple[str, str]]] = {each: [] for each in ids}
        for row in said:
            texts[row["call_id"]].append((row["who"], row["text"] or ""))
        lost = {each: Counter(call.heard) - Counter(texts[each]) for each, call in wanted.items()}
        return [
            f"{each}: the record lacks {list(missing.elements())}"
            for each, missing in lost.items()
            if missing
        ]

    def bugs(self) -> list[str]:
        """What the replicas logged of their own mistakes."""
        return [f"{replica.name}: {bug}" for replica in self.replicas for bug in replica.bugs()]

    def ran(self) -> list[str]:
        """Each run of a tool: its name, its argument and the key of the function call."""
        file = self.folder / "ran.txt"
        return file.read_text().splitlines() if file.exists() else []

    def go(self) -> None:
        """Let the tools come to their end."""
        (self.folder / "go").touch()

    async def until(self, what: Callable[[], bool], within: float) -> bool:
        """Wait for a fact; whether it came true in time."""
        until = monotonic() + within
        while not what():
            if monotonic() > until:
                return False
            await asyncio.sleep(GLANCE_S)
        return True


@asynccontextmanager
async def stage(speed: float = 1.0, faults: Faults = Faults()) -> AsyncIterator[Stage]:  # noqa: B008
    """A fresh one. Raises `FileNotFoundError` where PostgreSQL is not installed."""
    async with AsyncExitStack() as stack:
        started = await asyncio.to_thread(stack.enter_context, cluster())
        url = await asyncio.to_thread(started.create)
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="offhook-chaos-")))
        cloud = await stack.enter_async_context(Cloud(speed=speed, faults=faults))
        place = Stage(cloud, started, url, folder)
        try:
            yield place
        finally:
            for replica in place.replicas:
                await replica.end()
