"""The simulator on its own: it listens, says what a bot must set, and rings when it is told to."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable

from offhook.simulator.api import PATH, Api
from offhook.simulator.cloud import Simulator
from offhook.simulator.profile import ProfileName
from offhook.simulator.switches import read

MODELS = (
    "gpt-realtime",
    "gpt-realtime-mini",
    "gpt-realtime-1.5",
    "gpt-realtime-2",
    "gpt-realtime-2.1",
    "gpt-realtime-2.1-mini",
)
"""On Azure each is deployed under its own name."""
MODEL = "gpt-realtime-2.1"


def simulator(
    profile: ProfileName, host: str, port: int, speed: float, switches: Iterable[str] = ()
) -> Simulator:
    """One that can be told over HTTP to ring.

    `switches` are `name=value`. Raises `msgspec.ValidationError`, with words, for a wrong one.
    """
    faults, beliefs = read(switches)
    return Simulator(
        profile,
        host=host,
        port=port,
        speed=speed,
        faults=faults,
        beliefs=beliefs,
        deployments=MODELS,
        routes=lambda cloud: Api(cloud).routes(),
    )


def dotenv(cloud: Simulator) -> str:
    """What a bot has to set, as the lines of a `.env` file: offhook, and any bot on `openai`."""
    lines = {
        "OPENAI_API_KEY": cloud.api_key,
        "OPENAI_WEBHOOK_SECRET": cloud.webhook_secret,
        "OPENAI_BASE": cloud.base_url,
        "OFFHOOK_PROVIDER": cloud.profile.name,
        "REALTIME_MODEL": MODEL,
        "OPENAI_BASE_URL": cloud.base_url + cloud.profile.prefix,
    }
    return "\n".join(f"{name}={value}" for name, value in lines.items())


def usage(cloud: Simulator) -> str:
    """How to let it ring."""
    body = (
        f'{{"target": "http://127.0.0.1:8000/openai/webhook", "secret": "{cloud.webhook_secret}"}}'
    )
    return (
        f"# The {cloud.profile.name} cloud in a box is at {cloud.base_url}. For the bot's .env:\n"
        f"{dotenv(cloud)}\n"
        "\n"
        "# To let it ring, and to see what happened:\n"
        f"# curl {cloud.base_url}{PATH} -d '{body}'\n"
        f"# curl {cloud.base_url}{PATH}/rtc_..."
    )


async def run(cloud: Simulator, say: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM. Raises `OSError` where it cannot listen."""
    stop = asyncio.Event()
    async with cloud:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, stop.set)
            except NotImplementedError:  # Windows: Ctrl+C raises KeyboardInterrupt instead
                break
        say(usage(cloud))
        await stop.wait()
