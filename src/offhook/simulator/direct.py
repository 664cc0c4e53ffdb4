"""Sessions without a call: a WebSocket that is opened with a model, for conversations in text.

`wss://.../v1/realtime?model=` is greeted with `session.created`, as recorded, and then takes the
same client events as a sideband. Nobody is on a line: what the user says comes as text, nothing is
played, and a spoken answer brings its audio along.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any

from aiohttp import web
from msgspec import structs

from offhook.simulator.answers import Answers
from offhook.simulator.beliefs import Beliefs
from offhook.simulator.calls import EXPIRED
from offhook.simulator.clock import Clock
from offhook.simulator.commands import Commands
from offhook.simulator.faults import Faults
from offhook.simulator.model import Model
from offhook.simulator.models import family
from offhook.simulator.playback import Playback
from offhook.simulator.profile import Profile, Timings
from offhook.simulator.script import Script
from offhook.simulator.session import Session
from offhook.simulator.sideband import ABNORMAL, Sideband
from offhook.simulator.stage import Stage
from offhook.simulator.trace import Mark
from offhook.simulator.wire import Json, Problem, new_session_id

NO_DEPLOYMENT = Problem(
    "The API deployment for this resource does not exist.", "DeploymentNotFound", status=404
)


class _Unplayed(Playback):
    """Audio that goes to the client, not to a caller's ear."""

    def feed(self, response_id: str, item_id: str, text: str) -> None:
        """It counts as spoken, but nobody hears it."""
        del response_id, item_id, text
        self._stage.items.assistant_spoke = True


class DirectSession:
    """One session without a call, for tests to look into."""

    def __init__(self, script: Script, stage: Stage, model: str, behaves_as: str) -> None:
        late = stage.beliefs.late_first_defaults
        self._stage = stage
        stage.session = Session(
            model,
            int(time() + stage.clock.real(stage.faults.session_max_s)),
            session_id=new_session_id(sharded=False),
            family=family(behaves_as, late_first_defaults=late),
        )
        playback = _Unplayed(stage)
        improviser = script.improviser() if script.improviser is not None else None
        self._answers = Answers(stage, playback, Model(script.model, improviser))
        self._commands = Commands(stage, self._answers, playback)
        self._sideband: Sideband | None = None
        self._expiry = stage.clock.guard(stage.faults.session_max_s, self._expire)
        self.over = False

    @property
    def trace(self) -> list[Mark]:
        """What happened so far."""
        return self._stage.trace.marks

    def marks(self, kind: str) -> list[Mark]:
        """All marks of a kind."""
        return self._stage.trace.of(kind)

    @property
    def session(self) -> Json:
        """The session object as it is now."""
        return self._stage.session.config

    @property
    def items(self) -> list[Json]:
        """The conversation's items, oldest first."""
        return self._stage.items.items

    def attach(self, sideband: Sideband) -> None:
        """The connection is open: tell what the session begins with."""
        self._sideband = sideband
        self._stage.outlets.append(sideband)
        self._stage.emit("session.created", session=self.session)

    def receive(self, body: Json) -> None:
        """A client event has come in."""
        if not self.over:
            self._commands.receive(body)

    def complain(self, problem: Problem) -> None:
        """Answer something that is no client event at all."""
        self._stage.error(problem, None)

    def detach(self, sideband: Sideband, code: int | None) -> None:
        """The client has left, and with it everything that was under way."""
        del sideband, code
        self._sideband = None
        self.end(ABNORMAL)

    def end(self, code: int, reason: str = "") -> None:
        """Stop, and close the connection."""
        if self.over:
            return
        self.over = True
        self._expiry.cancel()
        self._commands.end()
        self._answers.end()
        self._stage.outlets.clear()
        if self._sideband is not None:
            self._sideband.finish(code, reason)

    def _expire(self) -> None:
        if self._stage.beliefs.expiry_is_announced:
            self._stage.error(Problem(EXPIRED, "session_expired"), None)
        self.end(1001, EXPIRED)


class Door:
    """Opens sessions without a call; `opened` are all of them, oldest first."""

    def __init__(
        self,
        script: Script,
        *,
        clock: Clock,
        profile: Profile,
        timings: Timings,
        faults: Faults,
        beliefs: Beliefs,
        deployments: Mapping[str, str],
    ) -> None:
        self._script = script
        self._surroundings: dict[str, Any] = {
            "clock": clock,
            "profile": profile,
            "timings": timings,
            "faults": structs.replace(faults, audio_deltas=True),  # here they do come
            "beliefs": beliefs,
        }
        self._clock, self._connect_s = clock, timings.connect
        self._refusals = list(faults.session_status)
        self._deployments = deployments if profile.knows_deployments else None
        self._behaves_as = dict(deployments)
        self.opened: list[DirectSession] = []

    def problem(self, model: str) -> Problem | None:
        """Why no session with this model is opened; an HTTP answer in place of the upgrade."""
        if self._refusals:
            status = self._refusals.pop(0)
            return Problem("The session cannot be opened.", None, status=status)
        if self._deployments is not None and model not in self._deployments:
            return NO_DEPLOYMENT
        return None

    async def open(self, request: web.Request, model: str) -> web.StreamResponse:
        """Serve one session until it is over."""
        await self._clock.sleep(self._connect_s)
        socket = web.WebSocketResponse(compress=False, timeout=2.0, max_msg_size=0)
        await socket.prepare(request)
        assert request.transport is not None  # noqa: S101 - the upgrade has just been answered
        stage = Stage(**self._surroundings)
        session = DirectSession(self._script, stage, model, self._behaves_as.get(model, model))
        self.opened.append(session)
        await Sideband(socket, request.transport).attend(session)
        return socket

    def close(self) -> None:
        """The cloud stops."""
        for session in self.opened:
            session.end(ABNORMAL)
