"""The bot that every replica runs: a tool with effects, one without, and someone to transfer to.

Both tools work until the file `go` is in the folder; what they run for is in `ran.txt`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from offhook import Bot, Call, tool

GREETING = "Hello, this is ACME. How can I help you?"
GO, RAN = Path("go"), "ran.txt"
GLANCE_S = 0.1


def _note(line: str) -> None:
    """One write at the end of the file: several processes may do so at once."""
    ran = os.open(RAN, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(ran, line.encode())
    finally:
        os.close(ran)


async def _work(what: str, call: Call) -> str:
    _note(f"{what} {call.idempotency_key}\n")
    while not GO.exists():
        await asyncio.sleep(GLANCE_S)
    return f"{what} done"


@tool(effects=True, timeout=60)
async def pays(call: Call, amount: int) -> str:
    """Pay an amount."""
    return await _work(f"pays {amount}", call)


@tool(timeout=60)
async def looks(call: Call, number: int) -> str:
    """Look an order up."""
    return await _work(f"looks {number}", call)


bot = Bot(
    "You are ACME's voice on the phone. Be brief.",
    name="chaos",
    greeting=GREETING,
    tools=[pays, looks],
    targets={"office": "tel:+493023125190"},
)
