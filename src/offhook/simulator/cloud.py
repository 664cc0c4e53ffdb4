"""The cloud in a box: rings with signed webhooks, serves REST and sidebands, plays both ends."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, TCPConnector, web

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.calls import Call
from offhook.simulator.clock import Clock
from offhook.simulator.direct import DirectSession, Door
from offhook.simulator.faults import Faults
from offhook.simulator.invite import Invite, Trunk
from offhook.simulator.network import SlowLine
from offhook.simulator.profile import PROFILES, ProfileName, Timings
from offhook.simulator.rest import Rest
from offhook.simulator.script import Script
from offhook.simulator.understudy import Understudy
from offhook.simulator.webhooks import Courier, Delivery, incoming_call, live_twin, new_delivery
from offhook.simulator.wire import Json, new_call_id

DEFAULT_SECRET = "whsec_c2ltdWxhdG9yLXNlY3JldC1mb3ItbG9jYWwtdGVzdHM="  # noqa: S105 - signs nothing real


class Simulator:
    """An OpenAI or Azure cloud on this machine; an async context manager.

    Entering it raises `OSError`, which names the port, where it cannot listen there.

    `speed` simulated seconds pass in a real one; `float("inf")` waits for nothing. Latencies of
    the network (`network_delay_s`, one way) are real seconds at any speed. `deployments` are
    Azure's: names of models, or a map from names to the models that stand behind them. `routes`
    are served beside the cloud's own. `direct` scripts the model of sessions without a call; else
    the understudy plays it.
    """

    def __init__(
        self,
        profile: ProfileName = "openai",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str = "sim-key",
        webhook_secret: str = DEFAULT_SECRET,
        deployments: Iterable[str] | Mapping[str, str] = ("gpt-realtime",),
        speed: float = 1.0,
        faults: Faults = Faults(),  # noqa: B008 - frozen
        beliefs: Beliefs = Beliefs(),  # noqa: B008 - frozen
        timings: Timings = Timings(),  # noqa: B008 - frozen
        ssl_context: ssl.SSLContext | None = None,
        routes: Callable[[Simulator], Iterable[web.RouteDef]] = lambda _: (),
        network_delay_s: float = 0.0,
        direct: Script = Script(improviser=Understudy),  # noqa: B008 - frozen
    ) -> None:
        self.profile = PROFILES[profile]
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        named = deployments if isinstance(deployments, Mapping) else {n: n for n in deployments}
        self.deployments = tuple(named)
        """Their names."""
        self._models = dict(named)
        self.faults = faults
        self.beliefs = beliefs
        self.calls: dict[str, Call] = {}
        self.base_url = ""
        """Scheme, host and port, without a path."""
        self._host, self._port = host, port
        self._speed = speed
        self._timings = timings
        self._ssl = ssl_context
        self._routes = routes
        self._delay_s = network_delay_s
        self._direct = direct
        self._tasks: set[asyncio.Task[Any]] = set()
        self._clock: Clock
        self._courier: Courier
        self._door: Door
        self._http: ClientSession
        self._runner: web.AppRunner
        self._line: SlowLine | None = None

    async def __aenter__(self) -> Self:
        self._clock = Clock(self._speed)
        self._http = self._client()
        self._courier = Courier(self._http, self.webhook_secret, self._delay_s)
        self._door = Door(
            self._direct,
            clock=self._clock,
            profile=self.profile,
            timings=self._timings,
            faults=self.faults,
            beliefs=self.beliefs,
            deployments=self._models,
        )
        rest = Rest(
            clock=self._clock,
            profile=self.profile,
            timings=self._timings,
            api_key=self.api_key,
            deployments=self._models,
            beliefs=self.beliefs,
            calls=self.calls,
            door=self._door,
        )
        app = web.Application(middlewares=[rest.lost])
        app.add_routes([*rest.routes(), *self._routes(self)])
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2
        )
        await self._runner.setup()
        try:
            port = await self._listen()
        except OSError as error:
            await self._http.close()
            await self._runner.cleanup()
            self._clock.stop()
            why = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(
                error.errno, f"Cannot listen on {self._host}:{self._port}: {why}."
            ) from None
        scheme = "https" if self._ssl is not None else "http"
        self.base_url = f"{scheme}://{self._host}:{port}"
        return self

    @property
    def sessions(self) -> list[DirectSession]:
        """The sessions without a call, oldest first."""
        return self._door.opened

    def _client(self) -> ClientSession:
        return ClientSession(connector=TCPConnector(ssl=False, limit=0))

    async def _listen(self) -> int:
        slow = self._delay_s > 0
        site = web.TCPSite(
            self._runner,
            "127.0.0.1" if slow else self._host,
            0 if slow else self._port,
            ssl_context=self._ssl,
            backlog=1024,
        )
        await site.start()
        port = int(self._runner.addresses[0][1])
        if not slow:
            return port
        self._line = SlowLine(self._delay_s)
        return await self._line.open(self._host, self._port, "127.0.0.1", port)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for call in self.calls.values():
            call.end("simulator_stopped")
        self._door.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.close()
        await self._runner.cleanup()
        if self._line is not None:
            await self._line.close()
        self._clock.stop()

    async def ring(
        self,
        target_url: str,
        script: Script | None = None,
        *,
        caller: str | None = "+493023125001",
        caller_name: str | None = "Ann",
        called: str = "+493023125100",
        headers: Sequence[tuple[str, str]] = (),
        trunk: Trunk = "plain",
        media_security: str | None = "srtp",
        faults: Faults | None = None,
    ) -> Call:
        """Let a call come in: post its webhook to `target_url`.

        Returns when the delivery (and each of its duplicates) was answered, or was not; retries
        go on behind the scenes. `faults` replaces the simulator's for this call. For `trunk` and
        `media_security` see `Invite`.
        """
        call = self.place(script or Script(), faults)
        await self.announce(
            call,
            target_url,
            caller=caller,
            caller_name=caller_name,
            called=called,
            headers=headers,
            trunk=trunk,
            media_security=media_security,
        )
        return call

    def place(self, script: Script, faults: Faults | None = None) -> Call:
        """A call that begins to ring, before anybody is told; `announce` tells."""
        call = Call(
            script,
            clock=self._clock,
            profile=self.profile,
            timings=self._timings,
            faults=faults or self.faults,
            beliefs=self.beliefs,
        )
        self.calls[call.call_id] = call
        call.ring()
        return call

    async def announce(
        self,
        call: Call,
        target_url: str,
        *,
        caller: str | None,
        caller_name: str | None,
        called: str,
        headers: Sequence[tuple[str, str]] = (),
        trunk: Trunk = "plain",
        media_security: str | None = "srtp",
    ) -> None:
        """Post the webhook of a call; the second half of `ring`."""
        invite = Invite(caller, caller_name, called, trunk, media_security, tuple(headers))
        event = incoming_call(call.call_id, invite, novelties=call.faults.novelties)
        delivery = new_delivery(target_url, event)
        attempts = [
            self._attempt(call, delivery, number)
            for number in range(1 + call.faults.duplicate_webhooks)
        ]
        if call.faults.live_twin:
            await self.deliver(target_url, live_twin(event), call.faults)
        statuses = await asyncio.gather(*attempts)
        call.webhook_status = statuses[0]
        if not any(map(_delivered, statuses)):
            self._in_background(self._retry(call, delivery))

    async def deliver(self, target_url: str, event: Json, faults: Faults | None = None) -> int:
        """Post any webhook event once, signed; returns the HTTP status, 0 for none."""
        return await self._courier.attempt(new_delivery(target_url, event), faults or self.faults)

    async def send_test_event(self, target_url: str) -> int:
        """Post a call that does not exist, as the dashboard's test button does."""
        event = incoming_call(new_call_id(), Invite("+15550100", None, "+15550199"))
        return await self.deliver(target_url, event)

    async def _attempt(self, call: Call, delivery: Delivery, number: int) -> int:
        if number <= call.faults.duplicate_webhooks:
            await self._clock.sleep(number * call.faults.duplicate_webhook_after_s)
        status = await self._courier.attempt(delivery, call.faults, number)
        call.webhook_statuses.append(status)
        call.mark("webhook_answered", status=status)
        return status

    async def _retry(self, call: Call, delivery: Delivery) -> None:
        pause = call.faults.webhook_retry_s
        first = 1 + call.faults.duplicate_webhooks
        for number in range(first, first + call.faults.webhook_retries):
            await self._clock.sleep(pause)
            if call.over or _delivered(await self._attempt(call, delivery, number)):
                return
            pause *= 2

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _delivered(status: int) -> bool:
    return 200 <= status < 300
