"""What is done with each program, and what it costs: near, and far away with TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import aiohttp
import trustme
from msgspec import Struct

from bench.call import Call
from bench.cloud import API_KEY, Cloud
from bench.distance import far
from bench.programs import Program, Running, running

ROUND_TRIP_S = 0.04
SETTLE_S = 1.0
PATIENCE_S = 20.0


class Size(Struct, frozen=True):
    """How much is done. Rates are per second, over all calls."""

    rounds: int = 3
    warm_up: int = 5
    rung: int = 240
    ring_rate: float = 40.0
    live: int = 100
    event_rate: float = 6000.0
    ramp_s: float = 2.0
    window_s: float = 6.0
    idle_s: float = 2.0
    far_rung: int = 25
    far_ring_rate: float = 2.0


QUICK = Size(
    rounds=1, rung=60, live=40, event_rate=2400, ramp_s=1, window_s=2, idle_s=0.5, far_rung=5
)


class Near(Struct):
    """One program on loopback. CPU and times in seconds, memory in bytes."""

    setup_cpu: float  # for each call
    memory: float  # for each live call, greeted
    idle_cpu: float  # for each second and idle call
    event_cpu: float  # for each frame sent to the program
    event_rate: float  # what was really sent
    share: float  # of one processor, while it was sent
    to_200: list[float]
    to_accept: list[float]
    to_greeting: list[float]
    tool: list[float]  # from the last frame of the request to the output
    goes_on: list[float]  # and to the request for the next response
    odd: list[str]


class Far(Struct):
    """One program, its cloud 40 ms away behind TLS; times as seen by the cloud."""

    round_trip: float  # of a bare request on an open connection
    to_200: list[float]
    to_accept: list[float]
    to_greeting: list[float]
    odd: list[str]


async def near(program: Program, size: Size, more: Mapping[str, str] | None = None) -> Near:
    """Ring, weigh, talk. `more` are settings beyond the usual ones."""
    async with Cloud() as cloud:
        usual = settings(cloud.webhook_secret, f"http://127.0.0.1:{cloud.port}")
        async with running(program, {**usual, **(more or {})}) as run:
            return await _near(cloud, run, size)


async def _near(cloud: Cloud, run: Running, size: Size) -> Near:
    await _warm_up(cloud, run, size)
    memory, cpu = run.memory(), run.cpu()
    calls = await _ring(cloud, run.webhook, size.rung, size.ring_rate)
    setup_cpu = (run.cpu() - cpu) / len(calls)
    await asyncio.sleep(SETTLE_S)
    memory = (run.memory() - memory) / len(calls)
    cpu = run.cpu()
    await asyncio.sleep(size.idle_s)
    idle_cpu = (run.cpu() - cpu) / size.idle_s / len(calls)
    staying = calls[: size.live]
    await cloud.hang_up(calls[size.live :])
    async with _talking(cloud, staying, size.event_rate):
        await asyncio.sleep(size.ramp_s)
        for call in staying:
            call.tool_answers.clear()
            call.goes_on.clear()
        sent, cpu, began = _sent(staying), run.cpu(), perf_counter()
        await asyncio.sleep(size.window_s)
        sent, cpu, lasted = _sent(staying) - sent, run.cpu() - cpu, perf_counter() - began
    await cloud.hang_up(staying)
    return Near(
        setup_cpu=setup_cpu,
        memory=memory,
        idle_cpu=idle_cpu,
        event_cpu=cpu / sent,
        event_rate=sent / lasted,
        share=cpu / lasted,
        to_200=[c.answered_at - c.rang_at for c in calls],
        to_accept=[c.accepted_at - c.rang_at for c in calls],
        to_greeting=[c.greeted_at - c.rang_at for c in calls],
        tool=[t for c in staying for t in c.tool_answers],
        goes_on=[t for c in staying for t in c.goes_on],
        odd=[o for c in calls for o in c.odd],
    )


async def distant(program: Program, size: Size) -> Far:
    """Ring from 40 ms away, through TLS."""
    one_way = ROUND_TRIP_S / 2
    with _certificates() as (server, client, ca):
        async with (
            Cloud(server) as cloud,
            far(cloud.port, one_way) as port,
            running(
                program,
                {
                    **settings(cloud.webhook_secret, f"https://localhost:{port}"),
                    "SSL_CERT_FILE": ca,
                },
            ) as run,
            far(run.port, one_way) as webhook_port,
        ):
            webhook = f"http://127.0.0.1:{webhook_port}/openai/webhook"
            await cloud.hang_up([await _one(cloud, webhook)])
            await asyncio.sleep(SETTLE_S)
            calls = await _ring(cloud, webhook, size.far_rung, size.far_ring_rate)
            return Far(
                round_trip=await _round_trip(port, client),
                to_200=[c.answered_at - c.rang_at for c in calls],
                to_accept=[c.accepted_at - c.rang_at for c in calls],
                to_greeting=[c.greeted_at - c.rang_at for c in calls],
                odd=[o for c in calls for o in c.odd],
            )


def settings(webhook_secret: str, address: str) -> dict[str, str]:
    """What any of the programs reads, and what makes offhook work as it does in production."""
    return {
        "OPENAI_API_KEY": API_KEY,
        "OPENAI_WEBHOOK_SECRET": webhook_secret,
        "OPENAI_BASE": f"{address}/v1",
        "LOG_FORMAT": "json",
        "OFFHOOK_GREETING_DELAY_MS": "0",
        "OFFHOOK_DRAIN_S": "0",
        "OFFHOOK_MAX_CALLS": "100000",
        "OFFHOOK_DATABASE_URL": os.environ.get("OFFHOOK_DATABASE_URL", "off"),
    }


async def _warm_up(cloud: Cloud, run: Running, size: Size) -> None:
    """A few calls, so that what is made once is made."""
    first = [await _one(cloud, run.webhook) for _ in range(size.warm_up)]
    await cloud.hang_up(first)
    await asyncio.sleep(SETTLE_S)


async def _one(cloud: Cloud, webhook: str) -> Call:
    call = await cloud.ring(webhook)
    await _greeted([call])
    return call


async def _ring(cloud: Cloud, webhook: str, number: int, rate: float) -> list[Call]:
    """Ring at a steady rate, whatever comes back. Returns once all are greeted."""
    began = perf_counter()
    ringing = []
    for n in range(number):
        await asyncio.sleep(max(began + n / rate - perf_counter(), 0))
        ringing.append(asyncio.create_task(cloud.ring(webhook)))
    calls = await asyncio.gather(*ringing)
    await _greeted(calls)
    return calls


async def _greeted(calls: list[Call]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(c.greeted.wait() for c in calls))
    await asyncio.sleep(0.2)  # what still follows a greeting belongs to it


@asynccontextmanager
async def _talking(cloud: Cloud, calls: list[Call], rate: float) -> AsyncIterator[None]:
    talk = asyncio.create_task(cloud.talk(calls, rate))
    try:
        yield
    finally:
        talk.cancel()
        await asyncio.wait([talk])


async def _round_trip(port: int, tls: ssl.SSLContext) -> float:
    """How long the shortest request takes, to see what the line adds to its 40 ms."""
    url = f"https://localhost:{port}/v1/models"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as http:
        times = []
        for _ in range(6):
            began = perf_counter()
            async with http.get(url) as answer:
                await answer.read()
            times.append(perf_counter() - began)
    return min(times)


@contextmanager
def _certificates() -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext, str]]:
    """The server's side of TLS, the client's, and the authority as a file."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    with TemporaryDirectory(prefix="offhook-bench-") as folder:
        file = Path(folder) / "authority.pem"
        authority.cert_pem.write_to_path(str(file))
        yield server, client, str(file)


def _sent(calls: list[Call]) -> int:
    return sum(c.sent for c in calls)
