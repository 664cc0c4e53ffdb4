"""`python -m bench.writing`: what it costs to write a turn down, in this process and in seconds.

The real session, scribe and writer, with a database beside them and the cloud of this bench, but
no sockets: what both sides of a comparison pay for is left out or cancels out. `--profile` shows
where the time goes.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, cast

import uvloop
from aiohttp import WSMessage, WSMsgType
from msgspec import Struct

from bench.bot import bot
from bench.call import Call
from bench.postgres import cluster
from bench.report import share
from bench.scale import FRAMES
from offhook.config import load
from offhook.core.party import Party
from offhook.core.step import ring
from offhook.observe.logs import configure
from offhook.observe.metrics import Metrics
from offhook.realtime.requests import Request
from offhook.runtime.cloud import Answer, Cloud
from offhook.runtime.coalescing import Coalescer
from offhook.runtime.desk import Desk
from offhook.runtime.line import Line, make_line
from offhook.runtime.narrator import Narrator
from offhook.runtime.recording import open_books, open_desk
from offhook.runtime.scribe import Scribe
from offhook.runtime.session import Session
from offhook.runtime.tariffs import make_tariff
from offhook.serving import _calm_the_collector
from offhook.store.vault import new_key
from offhook.store.writer import Writer

TICK_S = 0.002


class Spent(Struct, frozen=True):
    """What a turn took, in seconds, and of what was written how much."""

    turn_cpu: float
    late: float  # p99 of what everything else had to wait for the loop
    counts: dict[str, float]


class End:
    """One end of a line that loses nothing: a WebSocket as far as either side uses it."""

    def __init__(self) -> None:
        self.other: End
        self.closed = False
        self.close_code = 1000
        self._came: asyncio.Queue[WSMessage] = asyncio.Queue()

    async def send_frame(self, frame: bytes, kind: WSMsgType) -> None:
        """Have the other end receive it."""
        self.other._came.put_nowait(WSMessage(kind, frame, None))

    async def receive(self) -> WSMessage:
        """What comes next."""
        return await self._came.get()

    async def __aiter__(self) -> AsyncIterator[WSMessage]:
        while not self.closed:
            yield await self.receive()

    async def close(self) -> None:
        """Both ends learn of it."""
        for end in (self, self.other):
            end.closed = True
            end._came.put_nowait(WSMessage(WSMsgType.CLOSED, None, None))


def a_line() -> tuple[End, End]:
    """Its two ends."""
    one, two = End(), End()
    one.other, two.other = two, one
    return one, two


class Near:
    """A cloud in this process: accepts everything, and is heard and spoken to by function calls."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.coalescer = Coalescer()
        self._serving: set[asyncio.Task[None]] = set()

    async def post(self, call_id: str, request: Request, within: float) -> Answer:
        """Whatever is asked is done."""
        await asyncio.sleep(0)
        return Answer(200)

    async def attach(self, call_id: str, within: float) -> Any:
        """Open the sideband."""
        ours, theirs = a_line()
        call = self.calls[call_id] = Call(call_id)
        self._serving.add(asyncio.create_task(call.serve(cast("Any", ours))))
        return theirs


class Calls:
    """Many live calls, talking."""

    def __init__(self, line: Line, desk: Desk | None) -> None:
        self._line = line
        self._desk = desk
        self._cloud = Near()
        self._metrics = Metrics()
        self._sessions: list[Session] = []
        self.late: list[float] = []  # how long after its time the talk went on, in seconds

    async def ring(self, number: int) -> None:
        """Have so many answered and greeted."""
        clock = asyncio.get_running_loop().time
        for n in range(number):
            call, commands = ring(
                f"rtc_u0_{n:032x}",
                self._line.rules,
                clock(),
                caller=Party(f"+1555010{n:04d}", "Ann"),
                language="en",
                line=self._line.plan.name,
            )
            scribe = Scribe(self._desk, call, clock) if self._desk else None
            narrator = Narrator(call.id, self._metrics, words=False)
            cloud = cast("Cloud", self._cloud)
            session = Session(self._line, cloud, narrator, lambda _: None, scribe)
            self._sessions.append(session)
            session.begin(call, commands)
            await asyncio.sleep(0.001)
        while len(self._cloud.calls) < number:
            await asyncio.sleep(0.01)
        for each in self._cloud.calls.values():
            await each.greeted.wait()

    async def talk(self, turns: float, seconds: float) -> int:
        """Talk, so many turns a second in all calls. Returns the frames that were sent."""
        calls = list(self._cloud.calls.values())
        rate = turns * FRAMES
        clock = asyncio.get_running_loop().time
        began, sent, n = clock(), 0, 0
        while (now := clock()) < began + seconds:
            due = min(rate * (now - began), sent + rate / 20)  # who falls behind must not starve us
            while sent < due:
                sent += await calls[n % len(calls)].step()
                n += 1
            slept = clock()
            await asyncio.sleep(TICK_S)
            self.late.append(clock() - slept - TICK_S)
        return sent

    async def hang_up(self) -> None:
        """Everybody leaves."""
        for session in self._sessions:
            session.shut_down()
            session.shut_down()
        for session in self._sessions:
            await session.settled()


class Counted:
    """Counts what a writer is given and what it makes of it."""

    def __init__(self, writer: Writer | None) -> None:
        self.found: Counter[str] = Counter()
        self._writer = writer
        if writer is not None:
            self._take, self._try = writer.take, writer._try
            writer.take = self.take  # type: ignore[method-assign]
            writer._try = self.attempt  # type: ignore[method-assign]

    def take(self, facts: Any) -> None:
        """As the writer's."""
        self.found["takes"] += bool(facts)
        for fact in facts:
            self.found[fact.__struct_config__.tag] += 1
        self._take(facts)

    async def attempt(self, facts: Any) -> Exception | None:
        """As the writer's."""
        self.found["batches"] += 1
        self.found["facts"] += len(facts)
        return await self._try(facts)


async def spent(settings: Mapping[str, str], options: argparse.Namespace) -> Spent:
    """Ring, talk for a while, and tell what a turn took."""
    environ = {
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_WEBHOOK_SECRET": "whsec_c2VjcmV0",
        "OFFHOOK_GREETING_DELAY_MS": "0",
        "OFFHOOK_RECORDS_KEY": new_key(),
        **settings,
    }
    loaded = load(None, environ)
    configure("json", "error")
    line = make_line(bot, loaded)
    async with _desk(loaded) as desk:
        counted = Counted(desk.writer if desk else None)
        talking = Calls(line, desk)
        await talking.ring(options.calls)
        await talking.talk(options.turns, options.warm_up)
        counted.found.clear()
        talking.late.clear()
        with _profiled(options.profile):
            cpu = process_time()
            sent = await talking.talk(options.turns, options.seconds)
            cpu = process_time() - cpu
        late = share(talking.late, 0.99)
        counts = {k: v / sent * FRAMES for k, v in counted.found.items()}
        await talking.hang_up()
    return Spent(cpu / sent * FRAMES, late, counts)


@contextmanager
def _profiled(wanted: bool) -> Iterator[None]:
    """Print where the time went."""
    if not wanted:
        yield
        return
    with cProfile.Profile() as profiler:
        yield
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


@asynccontextmanager
async def _desk(settings: Any) -> AsyncIterator[Desk | None]:
    books = open_books(settings)
    if books is None:
        yield None
        return
    async with books[1] as writer:
        yield open_desk(settings, writer, make_tariff(settings))


@contextmanager
def places(wanted: list[str]) -> Iterator[dict[str, Mapping[str, str]]]:
    """Where to write, by name."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="offhook-writing-"))
        found: dict[str, Mapping[str, str]] = {}
        for name in wanted:
            match name:
                case "off":
                    url = "off"
                case "sqlite":
                    url = f"sqlite:///{folder}/offhook.sqlite3"
                case _:
                    url = stack.enter_context(cluster()).create()
            found[name] = {"OFFHOOK_DATABASE_URL": url, "OFFHOOK_SPOOL_DIR": folder}
        yield found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.writing", description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--turns", type=float, default=150.0, help="a second, in all calls")
    parser.add_argument("--warm-up", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("places", nargs="*", default=["off", "sqlite", "postgresql"])
    options = parser.parse_args()
    _calm_the_collector()
    bare = None
    with places(options.places) as found:
        for name, settings in found.items():
            took = uvloop.run(spent(settings, options))
            bare = bare or took.turn_cpu
            more = f"{(took.turn_cpu - bare) * 1e6:8.0f} more"
            late = f"{took.late * 1e3:8.1f} ms late (p99)"
            print(f"{name:12}{took.turn_cpu * 1e6:8.0f} µs a turn {more}{late}", flush=True)
            print("   ", ", ".join(f"{k} {v:.2f}" for k, v in sorted(took.counts.items())))


if __name__ == "__main__":
    main()
