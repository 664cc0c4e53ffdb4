"""The bench's own pieces: its cloud and its floor understand each other."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

pytest.importorskip("trustme")
pytest.importorskip("psutil")

from bench.cloud import Cloud
from bench.distance import far
from bench.programs import FLOOR, running
from bench.report import share
from bench.simulated import Simulated, Work, simulated, text


async def test_the_floor_greets_and_answers_a_tool() -> None:
    async with Cloud() as cloud:
        settings = {"OPENAI_BASE": f"http://127.0.0.1:{cloud.port}/v1", "OPENAI_API_KEY": "sk-x"}
        async with running(FLOOR, settings) as floor, asyncio.timeout(20):
            call = await cloud.ring(floor.webhook)
            await call.greeted.wait()
            while not call.goes_on:
                await call.step()
                await asyncio.sleep(0)
            assert call.tool_answers[0] <= call.goes_on[0]
            assert call.odd == []
            assert floor.cpu() > 0
            assert floor.memory() > 0


async def test_a_far_line_costs_a_round_trip_to_open_and_one_to_use() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(4))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    async with server, far(server.sockets[0].getsockname()[1], 0.02) as port:
        began = loop.time()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"ping")
        assert await reader.read() == b"ping"
        assert loop.time() - began >= 0.08
        writer.close()
        await writer.wait_closed()


async def test_what_the_simulator_costs_is_told_and_judged() -> None:
    work = Work(warm_up=1, rounds=1, short=2, at_once=2, alone=1, long=1)
    async with asyncio.timeout(30):
        found = await simulated(work)
    assert 0 < found.call_cpu < 1
    assert found.call_frames > 50
    assert found.rate == 1 / found.event_cpu > 0
    told = text(Simulated(0.004, 0.005, 100, 0.0001, 1.0), work)
    assert "reached      a simulated call at full speed costs 4.00 of less than 5 ms" in told
    assert "NOT REACHED  the simulator drives 10000 of at least 15000" in told


def test_a_share_of_nothing_is_no_number() -> None:
    assert share([3.0, 1.0, 2.0], 0.5) == 2.0
    assert share([], 0.99) != share([], 0.99)
