"""A simulator that runs alone is told over HTTP to ring, and asked what happened.

POST /simulator/calls         {"target": "http://...", "secret": "whsec_...", ...}
GET  /simulator/calls         all calls, oldest first
GET  /simulator/calls/{id}    one call with its transcript and its trace
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType, field, structs

from offhook.simulator.calls import Call
from offhook.simulator.cloud import Simulator
from offhook.simulator.faults import Faults
from offhook.simulator.invite import Trunk
from offhook.simulator.must import untrue
from offhook.simulator.scenario import Scenario
from offhook.simulator.shelf import catalogue
from offhook.simulator.switches import switched
from offhook.simulator.webhooks import signature
from offhook.simulator.wire import Json, encode
from offhook.simulator.written import DEFAULT_CALLED

PATH = "/simulator/calls"


class Ring(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a call is to be. Only `target`, the bot's webhook, and its `secret` must be given.

    `headers` are SIP headers, a list where one repeats. `from` is null for a withheld number;
    without it the scenario's caller calls.
    `faults` are those of this call, by their names.
    """

    target: str
    secret: str
    scenario: str = "hello"
    caller: str | UnsetType | None = field(name="from", default=UNSET)
    called: str = field(name="to", default=DEFAULT_CALLED)
    headers: dict[str, str | list[str]] = {}
    trunk: Trunk = "plain"
    faults: dict[str, Any] = {}

    def problem(self) -> str | None:
        """What is wrong with the values, in words."""
        try:
            parts = urlsplit(self.target)
            reachable = parts.scheme in ("http", "https") and bool(parts.hostname)
            reachable = reachable and parts.port != 0
        except ValueError:
            reachable = False
        if not reachable:
            return "`target` must be the http or https address of the bot's webhook."
        try:
            signature(self.secret, "wh_x", 0, b"")
        except ValueError:
            return "`secret` must be base64 after `whsec_`, as the bot has it."
        if not self.secret.removeprefix("whsec_"):
            return "`secret` must be the signing secret that the bot has."
        return None

    def sip_headers(self) -> list[tuple[str, str]]:
        """The headers in order, each value on its own."""
        return [
            (name, value)
            for name, given in self.headers.items()
            for value in ([given] if isinstance(given, str) else given)
        ]


class Api:
    """Serves one simulator."""

    def __init__(self, cloud: Simulator) -> None:
        self._cloud = cloud
        self._scenarios: dict[str, Scenario] = {}

    def routes(self) -> list[web.RouteDef]:
        """Beside those of the cloud itself."""
        return [
            web.post(PATH, self._ring),
            web.get(PATH, self._list),
            web.get(PATH + "/{call_id}", self._show),
        ]

    async def _ring(self, request: web.Request) -> web.Response:
        raw = await request.read()
        try:
            ring = msgspec.json.decode(raw, type=Ring)
            scenario = catalogue().get(ring.scenario)
            faults = switched(self._faults(scenario, ring.secret), ring.faults)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(f"The body does not fit: {error}.")
        problem = ring.problem()
        if problem is not None:
            return _refused(problem)
        if scenario is None:
            message = f"There is no scenario {ring.scenario!r}."
            return _refused(message, status=404, scenarios=list(catalogue()))
        call = await self._cloud.ring(
            ring.target,
            scenario.script,
            caller=scenario.caller if ring.caller is UNSET else ring.caller,
            caller_name=scenario.caller_name,
            called=ring.called,
            headers=[*scenario.headers, *ring.sip_headers()],
            trunk=ring.trunk,
            faults=faults,
        )
        self._scenarios[call.call_id] = scenario
        return _answer(self._picture(call), status=201)

    def _faults(self, scenario: Scenario | None, secret: str) -> Faults:
        """Those of the scenario, if it has any, else the simulator's; signed with the secret."""
        own = Faults() if scenario is None else scenario.faults
        faults = self._cloud.faults if own == Faults() else own
        return structs.replace(faults, webhook_secret=own.webhook_secret or secret)

    def _picture(self, call: Call) -> Json:
        scenario = self._scenarios.get(call.call_id)
        wrong = untrue(scenario.must, call) if scenario is not None and call.over else []
        return {**picture(call), "untrue": wrong}

    async def _list(self, request: web.Request) -> web.Response:
        del request
        calls = [_summary(call) for call in self._cloud.calls.values()]
        return _answer({"calls": calls})

    async def _show(self, request: web.Request) -> web.Response:
        call = self._cloud.calls.get(request.match_info["call_id"])
        if call is None:
            return _refused("There is no call of that id.", status=404)
        return _answer(self._picture(call))


def _summary(call: Call) -> Json:
    return {"id": call.call_id, "scenario": call.script.name, "state": call.state}


def picture(call: Call) -> Json:
    """All that is known of a call: `webhook` are the statuses of its deliveries (0 for none),
    `ended` says why, `transcript` has a line for each thing said or done, `trace` all marks."""
    ended = call.marks("call_ended")
    return {
        **_summary(call),
        "webhook": call.webhook_statuses,
        "ended": ended[0].detail["reason"] if ended else None,
        "transcript": call.transcript().splitlines(),
        "trace": [
            {"at": round(mark.at, 3), "kind": mark.kind, "detail": mark.detail}
            for mark in call.trace
        ],
    }


def _answer(body: Json, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(body), content_type="application/json")


def _refused(message: str, status: int = 400, **more: Any) -> web.Response:
    return _answer({"error": {"message": message, **more}}, status)
