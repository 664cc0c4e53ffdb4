"""The REST side of the cloud: accept, reject, refer, hang up, and the door to the sideband."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import msgspec
from aiohttp import web
from msgspec import structs

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.calls import DEFAULT_MODEL, Call, State
from offhook.simulator.clock import Clock
from offhook.simulator.direct import NO_DEPLOYMENT, Door
from offhook.simulator.profile import Profile, Timings
from offhook.simulator.schema import session_problem
from offhook.simulator.sideband import Sideband
from offhook.simulator.wire import (
    Json,
    Problem,
    decode,
    encode,
    invalid_type,
    invalid_value,
    missing_parameter,
    new_hex_id,
    unknown_parameter,
)

Verb: TypeAlias = Callable[[Call, web.Request], Awaitable[web.Response]]

_NOT_FOUND = Problem(
    "No session found for the provided call_id", "call_id_not_found", "call_id", status=404
)
_UNAVAILABLE: dict[int, Problem] = {
    429: Problem("Rate limit reached.", "rate_limit_exceeded", type="requests", status=429),
}
_FOREVER_S = 3600.0


class Rest:
    """Answers requests about the calls that it is shown."""

    def __init__(
        self,
        *,
        clock: Clock,
        profile: Profile,
        timings: Timings,
        api_key: str,
        deployments: Mapping[str, str],
        beliefs: Beliefs,
        calls: dict[str, Call],
        door: Door,
    ) -> None:
        self._clock = clock
        self._profile = profile
        self._timings = timings
        self._api_key = api_key
        self._deployments = deployments
        self._not_found = structs.replace(_NOT_FOUND, status=beliefs.not_found_status)
        self._calls = calls
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """Everything that the cloud serves."""
        base = f"{self._profile.prefix}/realtime"
        verbs: dict[str, Verb] = {
            "accept": self._accept,
            "reject": self._reject,
            "refer": self._refer,
            "hangup": self._hangup,
        }
        posts = [
            web.post(f"{base}/calls/{{call_id}}/{name}", self._about_a_call(verb))
            for name, verb in verbs.items()
        ]
        return [*posts, web.get(base, self._attach)]

    @web.middleware
    async def lost(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        """Answer with JSON where there is nothing at an address, or a body is too large."""
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            return _refuse(self._profile.lost(request.method, request.path))
        except web.HTTPRequestEntityTooLarge as error:
            return _refuse(Problem(error.reason, None, status=error.status))

    def _about_a_call(self, verb: Verb) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            if not self._profile.admits(request.headers, self._api_key):
                return _refuse(self._profile.refusal())
            call = self._calls.get(request.match_info["call_id"])
            if call is None or call.over:
                return _refuse(self._not_found)
            response = await verb(call, request)
            if call.faults.omits_request_id:
                response.headers.popall("x-request-id", None)
            return response

        return answer

    async def _accept(self, call: Call, request: web.Request) -> web.Response:
        faults = call.faults
        attempt = call.accepts
        call.accepts += 1
        if attempt < faults.accept_hangs:
            call.mark("accept", status=None, body=None)
            await asyncio.sleep(_FOREVER_S)
        attempt -= faults.accept_hangs
        if 0 <= attempt < len(faults.accept_status):
            status = faults.accept_status[attempt]
            call.mark("accept", status=status, body=None)
            return _refuse(_failure(status))
        try:
            body = await _json(request)
        except ValueError:
            return _refuse(_unparsable())
        problem = self._judge(call, body) or self._take(call, body)
        call.mark("accept", status=problem.status if problem else 200, body=body)
        if problem is not None:
            return _refuse(problem)
        if attempt < len(faults.accept_status) + faults.accept_answer_lost:
            assert request.transport is not None  # noqa: S101 - the request has just been read
            request.transport.abort()
        return _done()

    def _judge(self, call: Call, body: Any) -> Problem | None:
        if call.state is not State.RINGING:
            return Problem(
                "The call was already accepted.",
                "call_already_accepted",
                status=call.faults.second_accept,
            )
        if self._profile.knows_deployments and _model(body) not in self._deployments:
            return NO_DEPLOYMENT
        return None if self._lax(call) else session_problem(body, call.faults, "accept")

    def _lax(self, call: Call) -> bool:
        careless = self._profile.knows_deployments and not call.beliefs.azure_checks_session
        return careless or call.faults.lax_accept

    def _take(self, call: Call, body: Any) -> Problem | None:
        """Accept; a lax cloud accepts anything and then forgets the call."""
        if session_problem(body, call.faults, "accept") is None:
            model = body.get("model") or DEFAULT_MODEL
            behaves_as = self._deployments.get(model, model)
            problem = call.accept(body, behaves_as=behaves_as)
            if problem is None or not self._lax(call):
                return problem
        call.unfindable = True
        return call.accept({}, behaves_as=DEFAULT_MODEL)

    async def _reject(self, call: Call, request: web.Request) -> web.Response:
        try:
            body = await _json(request)
        except ValueError:
            return _refuse(_unparsable())
        body = {} if body is None else body
        if not isinstance(body, dict):
            return _refuse(invalid_type("body", "an object"))
        code = body.get("status_code", 603)
        problem = _extra(body, {"status_code"})
        if problem is None and (isinstance(code, bool) or not isinstance(code, int)):
            problem = invalid_type("status_code", "an integer")
        if problem is None and not 300 <= code <= 699:
            problem = invalid_value("status_code", code)
        if problem is not None:
            return _refuse(problem)
        call.mark("reject", status_code=code)
        if call.beliefs.rejects_work:
            call.end("rejected")
        return _done()

    async def _refer(self, call: Call, request: web.Request) -> web.Response:
        try:
            body = await _json(request)
        except ValueError:
            return _refuse(_unparsable())
        problem = _refer_problem(body)
        if problem is not None:
            call.mark("refer", target_uri=None, status=problem.status, body=body)
            return _refuse(problem)
        mode = call.faults.refer_mode(call.refers)
        if self._profile.knows_deployments and not call.beliefs.azure_refers:
            mode = 500
        call.refers += 1
        target = body["target_uri"]
        if mode == "slow":
            await self._clock.sleep(call.faults.refer_slow_s)
            if call.over:
                return _refuse(self._not_found)
        status = mode if isinstance(mode, int) else 200
        call.mark("refer", target_uri=target, status=status)
        match mode:
            case "silent":
                answer = _done()
                del answer.headers["x-request-id"]
                return answer
            case "ok" | "slow":
                call.transfer_soon(call.faults.refer_takes_s)
                return _done()
        return web.Response(status=mode, text="Internal Server Error")

    async def _hangup(self, call: Call, request: web.Request) -> web.Response:
        del request
        attempt = call.hangups
        call.hangups += 1
        if attempt < len(call.faults.hangup_status):
            return _refuse(_failure(call.faults.hangup_status[attempt]))
        call.mark("hangup")
        call.end("hangup")
        return _done()

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        if not self._profile.admits(request.headers, self._api_key):
            return _refuse(self._profile.refusal())
        if "OpenAI-Beta" in request.headers:
            await self._clock.sleep(self._timings.beta_refusal)
            return _refuse(_NOT_FOUND)
        if "model" in request.query and "call_id" not in request.query:
            return await self._open_session(request, request.query["model"])
        call = self._calls.get(request.query.get("call_id", ""))
        if call is None:
            return _refuse(_NOT_FOUND)
        attempt = call.attaches
        call.attaches += 1
        if attempt < len(call.faults.attach_status):
            return _refuse(_failure(call.faults.attach_status[attempt]))
        joinable = self._clock.now() >= call.attachable_at and _connected(call)
        await self._clock.sleep(self._timings.connect)
        if not joinable or call.unfindable or call.state not in (State.ACCEPTED, State.LIVE):
            return _refuse(_NOT_FOUND)
        socket = web.WebSocketResponse(compress=False, timeout=2.0, max_msg_size=0)
        await socket.prepare(request)
        assert request.transport is not None  # noqa: S101 - the upgrade has just been answered
        await Sideband(socket, request.transport).attend(call)
        return socket

    async def _open_session(self, request: web.Request, model: str) -> web.StreamResponse:
        problem = self._door.problem(model)
        return await self._door.open(request, model) if problem is None else _refuse(problem)


def _connected(call: Call) -> bool:
    answered = any(200 <= status < 300 for status in call.webhook_statuses)
    return answered or call.beliefs.joins_unanswered


def _model(body: Any) -> Any:
    model = body.get("model") if isinstance(body, dict) else None
    return model if isinstance(model, str) else None


def _refer_problem(body: Any) -> Problem | None:
    if not isinstance(body, dict) or "target_uri" not in body:
        return missing_parameter("target_uri")
    target = body["target_uri"]
    if not isinstance(target, str):
        return invalid_type("target_uri", "a string")
    if not target.startswith(("tel:", "sip:", "sips:")):
        return invalid_value("target_uri", target)
    return _extra(body, {"target_uri"})


def _extra(body: Json, known: set[str]) -> Problem | None:
    extra = set(body) - known
    return unknown_parameter(min(extra)) if extra else None


async def _json(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        return None
    try:
        return decode(raw)
    except msgspec.DecodeError:
        raise ValueError from None


def _unparsable() -> Problem:
    return Problem("We could not parse the JSON body of your request.", None)


def _failure(status: int) -> Problem:
    known = _UNAVAILABLE.get(status)
    if known is not None:
        return known
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return Problem("The server could not process the request.", None, type=kind, status=status)


def _done() -> web.Response:
    return web.Response(status=200, headers={"x-request-id": new_hex_id("req")})


def _refuse(problem: Problem) -> web.Response:
    return web.Response(
        status=problem.status,
        body=encode(problem.body()),
        content_type="application/json",
        headers={"x-request-id": new_hex_id("req")},
    )
