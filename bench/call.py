"""One live call as its cloud sees it: when what happened, and what is said next."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Generator, Iterator
from time import perf_counter
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from bench import frames
from bench.frames import Burst, Response

TOOL_SHARE = 0.25  # of the caller's turns; every fourth question needs a look into a system
PIECES = (30, 50)  # word pieces of one answer: ten to fifteen seconds of speech
TOOL = "lookup_order"
ARGUMENTS = '{"order_number":"ACME-10005"}'

_decode = msgspec.json.Decoder().decode


class Call:
    """A call. Times are of `perf_counter`, 0.0 for what has not happened."""

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.rang_at = 0.0
        self.answered_at = 0.0  # the webhook, with a 200
        self.accepted_at = 0.0
        self.greeted_at = 0.0  # the client asked for its first response
        self.greeted = asyncio.Event()
        self.over = False
        self.tool_answers: list[float] = []  # seconds from the request to the output
        self.goes_on: list[float] = []  # seconds from the request to the next response
        self.sent = 0
        self.odd: list[str] = []  # what a client of a real cloud must not do
        self._socket: web.WebSocketResponse | None = None
        self._dice = random.Random(call_id)
        self._begun: deque[Response] = deque()
        self._active: Response | None = None
        self._tool: str | None = None
        self._tool_at = 0.0
        self._steps = self._talk()

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Be the sideband until one side closes it."""
        self._socket = socket
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._send(self._hear(_decode(message.data)))

    async def step(self) -> int:
        """Send what comes next. Returns the number of frames, 0 while the client has the word."""
        if self.over:
            return 0
        burst = next(self._steps)
        await self._send(burst)
        return len(burst)

    async def hang_up(self) -> None:
        """The caller is gone."""
        self.over = True
        if self._socket is not None:
            await self._socket.close()

    async def _send(self, burst: Burst) -> None:
        if self._socket is None or self._socket.closed:
            return
        for frame in burst:
            await self._socket.send_frame(frame, WSMsgType.TEXT)
        self.sent += len(burst)

    def _hear(self, event: dict[str, Any]) -> Burst:
        """Take a client event. Returns what the cloud says to it at once."""
        now = perf_counter()
        match event:
            case {"type": "response.create"}:
                return self._begin(event.get("response") or {}, now)
            case {"type": "conversation.item.create", "item": item}:
                if item.get("type") == "function_call_output":
                    self._answered(item, now)
                return frames.taken(item)
            case {"type": "conversation.item.delete", "item_id": item_id}:
                return [frames.frame("conversation.item.deleted", item_id=item_id)]
            case {"type": "session.update", "session": session}:
                return [frames.frame("session.updated", session=session)]
            case {"type": kind}:
                self.odd.append(kind)
        return []

    def _begin(self, asked: dict[str, Any], now: float) -> Burst:
        if self._active is not None:
            self.odd.append("response.create during a response")
            code = "conversation_already_has_active_response"
            error = {"type": "invalid_request_error", "code": code, "message": code}
            return [frames.frame("error", error=error)]
        if not self.greeted_at:
            self.greeted_at = now
            self.greeted.set()
        elif self._tool_at and self._tool is None:  # else it is an excuse for a slow tool
            self.goes_on.append(now - self._tool_at)
            self._tool_at = 0.0
        response = Response(frames.new_id("resp"), asked.get("metadata"))
        self._active = response
        self._begun.append(response)
        return [frames.begun(response)]

    def _answered(self, item: dict[str, Any], now: float) -> None:
        if item.get("call_id") != self._tool:
            self.odd.append("an output that nobody waits for")
            return
        self._tool = None
        self.tool_answers.append(now - self._tool_at)

    def _talk(self) -> Iterator[Burst]:
        """The conversation, for ever: an answer that the client began, then the caller's turns."""
        while True:
            while not self._begun:
                yield []
            yield from self._say(self._begun.popleft())
            if self._tool is not None:  # that was an excuse: the output is still to come
                continue
            while self._dice.random() >= TOOL_SHARE:
                response = yield from self._ask()
                yield from self._say(response)
            response = yield from self._ask()
            yield from self._want_tool(response)

    def _ask(self) -> Generator[Burst, None, Response]:
        """The caller's turn, up to the response that the cloud begins by itself."""
        *speech, transcript = frames.caller_turn(None)
        yield from speech
        response = self._active = Response(frames.new_id("resp"))
        yield [frames.begun(response)]
        yield transcript
        return response

    def _say(self, response: Response) -> Iterator[Burst]:
        *spoken, done, quiet = frames.answer(response, self._dice.randint(*PIECES))
        yield from spoken
        self._active = None
        yield done
        yield quiet

    def _want_tool(self, response: Response) -> Iterator[Burst]:
        self._tool = f"call_{self._dice.randbytes(8).hex()}"
        *asking, asked = frames.function_call(response, self._tool, TOOL, ARGUMENTS)
        yield from asking
        self._active = None
        self._tool_at = perf_counter()
        yield asked
