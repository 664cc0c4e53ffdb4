"""One text session with the model: the bot's session, client events out, one response at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
from msgspec import Struct

from offhook.core.usage import Tokens
from offhook.real.connection import Failed, Json, Socket, complaint
from offhook.realtime import sends
from offhook.realtime.session import SessionConfig
from offhook.realtime.usage import told

ANSWER_S = 60.0
MOST_RESPONSES = 40
"""In one session. A model that calls tools for ever must not do so for ever at your cost."""

_FORGIVEN = "forget:"  # an order that cannot be taken back spoils nothing here


class Asked(Struct, frozen=True):
    """A function call of the model, as `ToolAsked` wants it."""

    ref: str
    name: str
    arguments: str


class Response(Struct, frozen=True):
    """What one response came to: messages by their item's id, and function calls."""

    said: tuple[tuple[str, str], ...]
    asked: tuple[Asked, ...]


class TextSession:
    """The client's end of an open session. `used` are the tokens so far.

    `sent` is shown each client event. Every method raises `Failed` with what to check.
    """

    def __init__(self, socket: Socket, sent: Callable[[Json], None]) -> None:
        self._socket = socket
        self._sent = sent
        self._responses = 0
        self.used = Tokens()

    async def begin(self, config: SessionConfig) -> None:
        """Make it the bot's session, with answers in text."""
        await self._event("session.created")
        await self.send(_encode({"type": "session.update", "session": text_session(config)}))
        await self._event("session.updated")

    async def send(self, frame: bytes) -> None:
        """Send one client event."""
        self._sent(json.loads(frame))
        try:
            await self._socket.send_str(frame.decode())
        except aiohttp.ClientError:
            raise Failed("the cloud has closed the connection") from None

    async def says(self, item_id: str, text: str) -> None:
        """The caller says something; nobody answers yet."""
        content = [{"type": "input_text", "text": text}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        await self.send(_encode({"type": "conversation.item.create", "item": item}))

    async def ordered(self, ref: str, order: str) -> Response:
        """Have the model say what offhook wants to be said, and take the order back."""
        number = self._responses
        await self.send(sends.order(number, order))
        response = await self.respond(ref, ordered=True)
        await self.send(sends.take_back(number))
        return response

    async def respond(self, ref: str = "", *, ordered: bool = False) -> Response:
        """Have the model go on, as it would after the caller's words or a tool's answer."""
        if self._responses == MOST_RESPONSES:
            raise Failed(f"stopped after {MOST_RESPONSES} responses, to limit the cost")
        self._responses += 1
        await self.send(sends.create_response(ref, self._responses, ordered=ordered))
        response: Json = (await self._event("response.done")).get("response") or {}
        self.used += told(response.get("usage")) or Tokens()
        _check(response)
        return _read(response)

    async def _event(self, kind: str) -> Json:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._next(kind)
        except TimeoutError:
            raise Failed(f"no {kind} within {ANSWER_S:g} s") from None
        except ValueError:
            raise Failed("what comes is not JSON: this is no Realtime endpoint") from None

    async def _next(self, kind: str) -> Json:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            event: Json = json.loads(message.data)
            if event.get("type") == kind:
                return event
            if event.get("type") == "error":
                error = event.get("error") or {}
                if not str(error.get("event_id") or "").startswith(_FORGIVEN):
                    raise complaint(error)
        raise Failed(f"the cloud closed the connection (code {self._socket.close_code})")


def text_session(config: SessionConfig) -> Json:
    """The bot's session without its voice: what the model reads is the same as on the phone."""
    body = config.accept_body()
    for key in ("model", "audio"):  # the connection names the model; nothing is heard or spoken
        del body[key]
    return {**body, "output_modalities": ["text"]}


def _check(response: Json) -> None:
    """Raise for a response that is no answer; one that was cut short by its length still is."""
    details = response.get("status_details") or {}
    match response.get("status"), details.get("reason"):
        case ("completed", _) | ("incomplete", "max_output_tokens"):
            return
        case "incomplete", reason:
            raise complaint({"code": reason or "incomplete"})
        case status, _:
            raise complaint(details.get("error") or {"code": str(status)})


def _read(response: Json) -> Response:
    output: list[dict[str, Any]] = response.get("output") or []
    said = ((str(item.get("id")), _text(item)) for item in output if item["type"] == "message")
    return Response(
        tuple((item_id, text) for item_id, text in said if text),
        tuple(
            Asked(item["call_id"], item["name"], item.get("arguments") or "")
            for item in output
            if item["type"] == "function_call"
        ),
    )


def _text(item: Json) -> str:
    parts = (part.get("text") or part.get("transcript") for part in item.get("content") or ())
    return " ".join(filter(None, parts)).strip()


def _encode(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()
