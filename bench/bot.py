"""The bot that `offhook serve` answers with here; the floor and the peer do the same work."""

from __future__ import annotations

from typing import Annotated

from offhook import Bot, tool

INSTRUCTIONS = (
    "You are ACME's voice on the phone. Be brief. Look orders up before you speak of them."
)
GREETING = "Hello, this is ACME. How can I help you?"
STATUS = '{"order_number":"ACME-10005","status":"shipped","due":"Thursday"}'


@tool
async def lookup_order(
    order_number: Annotated[str, "As printed on the receipt, e.g. ACME-12345"],
) -> str:
    """Look up one order and say where it is."""
    return STATUS


bot = Bot(INSTRUCTIONS, name="bench", greeting=GREETING, tools=[lookup_order])
