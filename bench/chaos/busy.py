"""Run 8: a long busy time: is the last quarter of it as cheap as the first?"""

from __future__ import annotations

import asyncio
import itertools
from time import monotonic

from msgspec import Struct

from bench.chaos.cloud import Watched
from bench.chaos.stage import PATIENT, Stage, stage
from bench.chaos.talk import HEARS_S, Clerk
from bench.chaos.verdict import Verdict, none, told, within
from offhook.simulator import HangsUp, Hears, Says, Script, Waits

QUARTERS = 4
TURNS = 6  # of a call
SAMPLE_S = 1.0


class Size(Struct, frozen=True):
    """How much is done. Of `pause_s` simulated seconds each turn of a caller begins with one."""

    calls: int = 500
    hour_s: float = 3600.0
    speed: float = 24.0
    pause_s: float = 200.0
    flat: float = 5.0  # per cent


QUICK = Size(calls=40, hour_s=160.0, speed=8.0, pause_s=4.0, flat=60.0)


class Quarter(Struct, frozen=True):
    """What a quarter took: CPU seconds for each turn, and bytes on average."""

    turns: int
    cpu: float
    memory: float


async def run(size: Size) -> Verdict:
    """So many callers at once; who hangs up is followed by the next."""
    async with stage(size.speed) as place:
        (replica,) = await place.start(1, **PATIENT)
        place.go()
        line = Line(place, replica.webhook, size)
        slots = [asyncio.create_task(line.slot(n)) for n in range(size.calls)]
        await asyncio.sleep(size.pause_s * TURNS / size.speed)  # until calls come and go
        each = size.hour_s / size.speed / QUARTERS
        quarters = [await _quarter(line, place, each) for _ in range(QUARTERS)]
        line.open = False
        for slot in slots:
            slot.cancel()
        await asyncio.gather(*slots, return_exceptions=True)
        return _verdict(size, quarters, line, place.bugs())


def _verdict(size: Size, quarters: list[Quarter], line: Line, bugs: list[str]) -> Verdict:
    first, last = quarters[0], quarters[-1]
    real = size.hour_s / size.speed
    cpu, memory = _more(last.cpu, first.cpu), _more(last.memory, first.memory)
    return Verdict(
        f"8. {size.hour_s / 60:.0f} minutes of a busy line, {size.calls} calls at once",
        f"{size.speed:.0f} simulated seconds pass in a real one: {real:.0f} s in all, measured "
        f"from when calls come as often as they go. A call has {TURNS} turns, and each begins "
        f"with up to {size.pause_s:.0f} s of silence; every third takes a tool. Records are "
        "kept. CPU is that of the replica alone.",
        (
            told("turns", f"{sum(q.turns for q in quarters):,}"),
            told("calls that came and went", f"{line.ended:,}"),
            told("CPU for each turn, first quarter", f"{first.cpu * 1000:.2f} ms"),
            told("CPU for each turn, last quarter", f"{last.cpu * 1000:.2f} ms"),
            within("CPU for each turn, last against first", size.flat, cpu),
            told("memory, first quarter", f"{first.memory / 2**20:.1f} MB"),
            told("memory, last quarter", f"{last.memory / 2**20:.1f} MB"),
            within("memory, last against first", size.flat, memory),
            none("calls that ended otherwise than by their callers", line.lost),
            none("own mistakes in the logs", bugs),
        ),
        (*line.lost[:3], *bugs),
    )


def _more(last: float, first: float) -> float:
    return 100 * (last / first - 1)


async def _quarter(line: Line, place: Stage, seconds: float) -> Quarter:
    replica = place.replicas[0]
    turns, cpu, until, weighed = line.turns, replica.cpu(), monotonic() + seconds, []
    while monotonic() < until:
        weighed.append(replica.memory())
        await asyncio.sleep(SAMPLE_S)
    turns = line.turns - turns
    return Quarter(turns, (replica.cpu() - cpu) / max(turns, 1), sum(weighed) / len(weighed))


class Line:
    """Keeps its slots busy, and counts."""

    def __init__(self, place: Stage, webhook: str, size: Size) -> None:
        self.open = True
        self.ended = 0
        self.lost: list[str] = []
        self._done = 0
        self._place = place
        self._webhook = webhook
        self._size = size
        self._live: dict[int, Watched] = {}

    @property
    def turns(self) -> int:
        """Sentences that the bot has said, in all calls."""
        return self._done + sum(len(call.marks("bot_said")) for call in self._live.values())

    async def slot(self, number: int) -> None:
        """One call after the other; the slots begin and pause at different times."""
        size, cloud = self._size, self._place.cloud
        shares = itertools.cycle(((number * 7 + k * 3) % 10 + 1) / 10 for k in range(10))
        await asyncio.sleep(size.pause_s * (TURNS / 2) / size.speed * number / size.calls)
        while self.open:
            said = [
                step
                for n in range(TURNS)
                for step in (
                    Waits(size.pause_s * next(shares)),
                    Says(f"Sentence {n + 1}."),
                    Hears(timeout_s=HEARS_S),
                )
            ]
            script = Script(steps=(Hears(timeout_s=HEARS_S), *said, HangsUp()), improviser=Clerk)
            call = self._live[number] = await cloud.phone(self._webhook, script)
            await call.finished(600)
            self._done += len(call.marks("bot_said"))
            del self._live[number], cloud.calls[call.call_id]
            self.ended += 1
            if call.reason != "caller_hung_up":
                self.lost.append(f"{call.call_id} ended as {call.reason!r}")
