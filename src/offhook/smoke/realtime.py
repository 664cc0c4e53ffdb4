"""`offhook smoke realtime`: whether this account may use the Realtime API, step by step.

Connects to the real cloud of the settings as a client without a phone would: opens a session,
sets the voice, and asks for one short answer in text, which costs a fraction of a cent.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable

import aiohttp
from rich.console import Console
from rich.markup import escape

from offhook.config import Settings
from offhook.observe.redact import redact
from offhook.real.connection import Failed, Json, Socket, complaint, connected, session_url
from offhook.realtime.session import voice_value
from offhook.smoke.report import Report

ANSWER_S = 30.0
ASKS = "Reply with the single word: ready"


async def run(out: Console, settings: Settings) -> int:
    """Print each step. Returns 0 if all of them worked, else 1."""
    address = session_url(settings)
    out.print(f"[bold]{escape(address)}[/] ({settings.endpoint.provider})", soft_wrap=True)
    report = Report(out)
    step, begun = "connected", time.monotonic()
    try:
        if not settings.cloud.api_key.get_secret_value():
            raise Failed("there is no OPENAI_API_KEY, neither in the environment nor in the file")
        async with connected(address, settings) as socket:
            report.passed(step, _ms(begun))
            for step, work in _STEPS.items():
                begun = time.monotonic()
                told = await work(socket, settings)
                report.passed(step, _ms(begun), told)
    except Failed as failed:
        report.failed(step, str(failed))
        return 1
    out.print("This account can use Realtime. `offhook smoke webhook` checks the server.")
    return 0


def _ms(begun: float) -> float:
    return (time.monotonic() - begun) * 1000


async def _opened(socket: Socket, _: Settings) -> str:
    session = (await _event(socket, "session.created")).get("session") or {}
    return f"model {session.get('model')}"


async def _voice(socket: Socket, settings: Settings) -> str:
    voice = voice_value(settings.session.voice)
    update = {"type": "realtime", "audio": {"output": {"voice": voice}}}
    await socket.send_json({"type": "session.update", "session": update})
    session = (await _event(socket, "session.updated")).get("session") or {}
    echo = ((session.get("audio") or {}).get("output") or {}).get("voice")
    if echo != voice:
        raise Failed(f"the session keeps the voice {echo!r}. REALTIME_VOICE is {voice!r}")
    return f"voice {settings.session.voice}"


async def _answer(socket: Socket, _: Settings) -> str:
    content = [{"type": "input_text", "text": ASKS}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send_json({"type": "conversation.item.create", "item": item})
    await socket.send_json({"type": "response.create", "response": {"output_modalities": ["text"]}})
    response = (await _event(socket, "response.done")).get("response") or {}
    if response.get("status") != "completed":
        error = (response.get("status_details") or {}).get("error") or {}
        raise complaint(error or {"code": str(response.get("status"))})
    used = (response.get("usage") or {}).get("total_tokens")
    return f"{_text(response)!r}, {used} tokens" if used else repr(_text(response))


_STEPS: dict[str, Callable[[Socket, Settings], Awaitable[str]]] = {
    "session opened": _opened,
    "voice accepted": _voice,
    "answered in text": _answer,
}


def _text(response: Json) -> str:
    parts = [p for item in response.get("output") or () for p in item.get("content") or ()]
    return redact(" ".join(str(part.get("text") or "") for part in parts).strip())


async def _event(socket: Socket, kind: str) -> Json:
    """The next event of a kind. Raises `Failed` for an error, silence, or the end."""
    try:
        async with asyncio.timeout(ANSWER_S):
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                event: Json = json.loads(message.data)
                if event.get("type") == "error":
                    raise complaint(event.get("error") or {})
                if event.get("type") == kind:
                    return event
    except TimeoutError:
        raise Failed(f"no {kind} within {ANSWER_S:g} s") from None
    except ValueError:
        raise Failed("what comes is not JSON: this is no Realtime endpoint") from None
    raise Failed(f"the cloud closed the connection (code {socket.close_code}) before {kind}")
