"""Run 7: a million frames and a hundred thousand webhooks that nobody should send."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import random
import sys
from asyncio.subprocess import PIPE
from collections import Counter
from time import time
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from msgspec import Struct

from bench.chaos.fuzz import flat
from bench.chaos.mutants import webhook
from bench.chaos.replica import KEPT, Replica
from bench.chaos.stage import Stage, stage
from bench.chaos.verdict import Demand, Verdict, exactly, none, told, within
from offhook.simulator import signature

FLAT = 5.0  # per cent
AT_ONCE = 16
SAMPLES = 40
LONG_S = 600.0


class Size(Struct, frozen=True):
    """How much is done. `led` are runs of the fuzzer that looks at what they reach."""

    frames: int = 1_000_000
    thought_of: int = 300
    led: int = 20_000
    webhooks: int = 100_000


QUICK = Size(frames=20_000, thought_of=30, led=500, webhooks=1_000)


async def run(size: Size) -> Verdict:
    """Frames into calls without sockets, webhooks over HTTP into a replica."""
    frames, examples = await _frames(size)
    async with stage() as place:
        (replica,) = await place.start()
        flood = Flood(place, replica)
        await flood.pour(size.webhooks)
        webhooks = await _webhooks(size, flood)
        bugs = place.bugs()
    return Verdict(
        f"7. {size.frames:,} broken frames, {size.webhooks:,} broken webhooks",
        "Frames are fed to calls that answer every function call at once: true ones that dice "
        "break, that come twice, too late or never, and noise; those that Hypothesis thinks of; "
        "those that libFuzzer (atheris) finds by what they reach. After each, a call that is not "
        "over waits with a deadline, each function call is answered once, and in the end the call "
        "is over, once. Webhooks are signed well, since others are refused unread; each speaks of "
        "a call of its own, which the cloud does not know, and the replica keeps records of all.",
        (*frames, *webhooks, none("own mistakes in the logs", bugs)),
        (*examples, *bugs),
    )


async def _frames(size: Size) -> tuple[list[Demand], list[str]]:
    diced = await _fuzz(str(size.frames))
    thought_of = await _fuzz(str(size.thought_of), "--hypothesis")
    led, crash = await _led(size.led)
    demands = [
        told("frames, by dice and by Hypothesis", f"{diced['frames'] + thought_of['frames']:,}"),
        told("function calls that they asked for", f"{diced['answers']:,}"),
        none("frames that broke a call", diced["many"] + thought_of["many"]),
        led,
        within("memory, last against second quarter of the frames", FLAT, diced["growth"]),
    ]
    return demands, [*diced["wrong"], *thought_of["wrong"], *crash]


async def _webhooks(size: Size, flood: Flood) -> list[Demand]:
    answers = sorted(flood.statuses.items())
    bad = sum(n for status, n in answers if status == 0 or status >= 500)
    return [
        exactly("webhooks answered", size.webhooks, flood.statuses.total()),
        none("webhooks answered with 5xx or not at all", bad),
        told("their answers", ", ".join(f"{status}: {n:,}" for status, n in answers)),
        within("memory, last against second quarter of the webhooks", FLAT, flat(flood.weighed)),
        exactly("the replica's health afterwards", 200, await flood.healthy()),
    ]


async def _child(*arguments: str) -> tuple[int, str, str]:
    """The exit status and the output of a fuzzing process of ours."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.chaos.fuzz", *arguments),
        env={k: os.environ[k] for k in KEPT if k in os.environ},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), LONG_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


async def _fuzz(*arguments: str) -> dict[str, Any]:
    status, out, err = await _child(*arguments)
    if status:
        raise RuntimeError(f"the fuzzer ended with {status}: {err[-2000:]}")
    return dict(json.loads(out))


async def _led(runs: int) -> tuple[Demand, list[str]]:
    what = f"{runs:,} runs of atheris"
    if importlib.util.find_spec("atheris") is None:
        return told(what, "NOT TRIED: not installed"), []
    status, _, err = await _child(str(runs), "--atheris")
    return exactly(f"{what}: crashes", 0, int(status != 0)), [err[-2000:]] if status else []


class Flood:
    """Webhooks at one replica, and what it answered."""

    def __init__(self, place: Stage, replica: Replica) -> None:
        self.statuses: Counter[int] = Counter()
        self.weighed: list[int] = []
        self._secret = place.cloud.webhook_secret
        self._replica = replica
        self._dice = random.Random(9)

    async def pour(self, count: int) -> None:
        """So many, some at a time."""
        async with ClientSession(
            connector=TCPConnector(limit=AT_ONCE), timeout=ClientTimeout(total=30)
        ) as http:
            left = iter(range(count))

            async def some() -> None:
                for n in left:
                    self.statuses[await self._one(http)] += 1
                    if n % (count // SAMPLES or 1) == 0:
                        self.weighed.append(int(self._replica.memory()))

            await asyncio.gather(*(some() for _ in range(AT_ONCE)))

    async def _one(self, http: ClientSession) -> int:
        body = webhook(self._dice)
        number, now = f"wh_{self._dice.randbytes(16).hex()}", int(time())
        headers = {
            "content-type": "application/json",
            "webhook-id": number,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(self._secret, number, now, body),
        }
        try:
            async with http.post(self._replica.webhook, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status
        except (ClientError, TimeoutError):
            return 0

    async def healthy(self) -> int:
        """The status of its health page."""
        url = self._replica.webhook.rsplit("/", 2)[0] + "/healthz"
        async with ClientSession() as http, http.get(url) as answer:
            return answer.status
