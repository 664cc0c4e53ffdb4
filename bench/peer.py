"""The peer: openai-agents' SIP model, used the way its documentation shows for SIP calls.

The webhook is checked by the openai package, the call accepted through its client, and the
sideband served by `RealtimeRunner` with `OpenAIRealtimeSIPModel` and one function tool.
"""

from __future__ import annotations

import asyncio
import os
import sys

import uvicorn
from agents import function_tool, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendRawMessage
from agents.realtime.openai_realtime import OpenAIRealtimeSIPModel
from fastapi import FastAPI, Request, Response
from openai import AsyncOpenAI

BASE = os.environ["OPENAI_BASE"]
INSTRUCTIONS = (
    "You are ACME's voice on the phone. Be brief. Look orders up before you speak of them."
)
GREETING = "Say exactly 'Hello, this is ACME. How can I help you?' now."
STATUS = '{"order_number":"ACME-10005","status":"shipped","due":"Thursday"}'

client = AsyncOpenAI(base_url=BASE, webhook_secret=os.environ["OPENAI_WEBHOOK_SECRET"])
app = FastAPI()
live: dict[str, asyncio.Task[None]] = {}


@function_tool
async def lookup_order(order_number: str) -> str:
    """Look up one order and say where it is."""
    return STATUS


agent = RealtimeAgent(name="bench", instructions=INSTRUCTIONS, tools=[lookup_order])


@app.post("/openai/webhook")
async def webhook(request: Request) -> Response:
    """Accept, then follow the call in a task of its own."""
    event = client.webhooks.unwrap(await request.body(), request.headers)
    if event.type == "realtime.call.incoming":
        call_id = event.data.call_id
        body = {"type": "realtime", "model": "gpt-realtime-2.1", "instructions": INSTRUCTIONS}
        await client.post(f"/realtime/calls/{call_id}/accept", body=body, cast_to=dict)
        live[call_id] = asyncio.create_task(follow(call_id))
    return Response(status_code=200)


async def follow(call_id: str) -> None:
    """Attach, greet, and let the session run."""
    runner = RealtimeRunner(agent, model=OpenAIRealtimeSIPModel())
    url = f"ws{BASE.removeprefix('http')}/realtime?call_id={call_id}"
    session = await runner.run(model_config={"call_id": call_id, "url": url})
    greet = RealtimeModelSendRawMessage(
        message={
            "type": "response.create",
            "other_data": {"response": {"instructions": GREETING}},
        }
    )
    try:
        async with session:
            await session.model.send_event(greet)
            async for _ in session:
                pass
    finally:
        live.pop(call_id, None)


if __name__ == "__main__":
    set_tracing_disabled(True)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", loop="uvloop")
