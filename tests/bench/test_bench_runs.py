"""The bench's own pieces: its cloud and its floor understand each other."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

sys.path.append(str(Path(__file__).parents[2]))

pytest.importorskip("trustme")
pytest.importorskip("psutil")

from bench.call import Call
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


class Ear:
    """A client's end of a sideband that keeps what the cloud sends."""

    closed = False

    def __init__(self) -> None:
        self.frames: list[Any] = []

    async def send_frame(self, frame: bytes, _: object) -> None:
        """Keep it."""
        self.frames.append(json.loads(frame))

    def __aiter__(self) -> Ear:
        return self

    async def __anext__(self) -> Any:
        """The client says only what the test makes it say."""
        raise StopAsyncIteration


async def test_an_excuse_for_a_slow_tool_is_no_answer() -> None:
    call, ear = Call("rtc_1"), Ear()
    await call.serve(cast("Any", ear))

    async def hear(event: dict[str, Any]) -> None:
        await call._send(call._hear(event))

    def asked() -> str | None:
        frame: dict[str, Any] = ear.frames[-1] if ear.frames else {}
        found = [f for f in ear.frames if f["type"] == "response.function_call_arguments.done"]
        return found[-1]["call_id"] if found and frame["type"] == "rate_limits.updated" else None

    async def until_asked() -> str:
        async with asyncio.timeout(10):
            while (ref := asked()) is None or ear.frames[-1].get("seen"):
                await call.step()
        ear.frames[-1]["seen"] = True
        return ref

    await hear({"type": "response.create"})
    ref = await until_asked()
    await hear({"type": "response.create"})  # "One moment, please."
    while await call.step():
        pass
    assert call.goes_on == []
    output = {"type": "function_call_output", "call_id": ref, "output": "{}"}
    await hear({"type": "conversation.item.create", "item": output})
    await hear({"type": "response.create"})
    assert len(call.tool_answers) == len(call.goes_on) == 1
    assert call.tool_answers[0] <= call.goes_on[0] < 60
    assert call.odd == []


def test_what_writing_down_adds_is_measured_in_seconds() -> None:
    few = ["--calls", "3", "--turns", "5", "--warm-up", "0.2", "--seconds", "0.5", "off", "sqlite"]
    done = subprocess.run(
        [sys.executable, "-m", "bench.writing", *few],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "µs a turn" in done.stdout
    assert "utterances" in done.stdout


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
