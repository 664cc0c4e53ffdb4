"""A call that is over is freed at once: nothing of it waits for the collector of cycles.

That comes seldom on a busy line, and late to what has lived for minutes; so what only it can
free grows for hours.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from offhook import tool
from offhook.runtime.session import Session
from offhook.simulator import (
    Call,
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Script,
    WaitsFor,
)
from offhook.telephony.targets import Target
from support.serving import CALLER, PATIENCE_S, Service, plain_bot, serving

TALK = Script(
    steps=(Hears(), Says("How many lamps?"), Hears(), Says("Buy one."), Hears(), HangsUp()),
    model=(
        CallsTools(("stock", {"product": "lamp"})),
        Replies("There are three."),
        CallsTools(("buys", {"product": "lamp"})),
        Replies("It is yours."),
    ),
)
BYE = Script(steps=(Hears(), Says("Bye.")), model=(CallsTools(("end_call", {"reason": "done"})),))
TO_SALES = CallsTools(("handoff_human", {"target": "sales", "reason": "asked for"}))
TRANSFERRED = Script(steps=(Hears(), Says("A human please.")), model=(TO_SALES,))
LOST = Script(steps=(Hears(), LosesSideband(), WaitsFor("attach", 2), HangsUp()))
LEFT = Script(
    steps=(Hears(), Says("Wait."), WaitsFor("tool_asked"), HangsUp()),
    model=(CallsTools(("waits", {})),),
)
KEYS = Script(steps=(Hears(), Presses("12#"), HangsUp()))
AT_ONCE = 4  # calls
OURS = tuple(f"offhook.{part}." for part in ("core", "realtime", "runtime", "store", "observe"))
TARGETS = {"sales": Target("sales", "tel:+14155550133", "our sales team")}


@tool
async def stock(product: str) -> dict[str, Any]:
    """Look up the stock of a product."""
    return {"product": product, "left": 3}


@tool(effects=True)
async def buys(product: str) -> str:
    """Buy a product."""
    return f"{product} bought"


@tool
async def waits() -> str:
    """Take for ever."""
    await asyncio.Event().wait()
    return "never"


class Wards:
    """The sessions of the calls so far, as far as they are still there."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._alive: set[weakref.ref[Session]] = set()
        self._freed = asyncio.Event()

    async def ring(self, script: Script) -> Call:
        """Let a call come in, and keep an eye on its session."""
        call = await self._service.ring(script)
        while self._service.sessions:
            _, session = self._service.sessions.popitem()
            self._alive.add(weakref.ref(session, self._gone))
        return call

    def _gone(self, session: weakref.ref[Session]) -> None:
        self._alive.discard(session)
        self._freed.set()

    async def freed(self) -> None:
        """Return when there is none left. Fails if that does not come."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._alive:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise AssertionError(f"{len(self._alive)} sessions are still there") from None


@contextmanager
def no_collector() -> Iterator[None]:
    """Without the collector of cycles."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@asynccontextmanager
async def busy(folder: Path, **options: Any) -> AsyncIterator[Service]:
    """A service that writes down all that it can."""
    env = {
        "OFFHOOK_DATABASE_URL": f"sqlite:///{folder / 'offhook.sqlite3'}",
        "OFFHOOK_SPOOL_DIR": str(folder / "spool"),
        "OFFHOOK_JOURNAL_DIR": str(folder / "journals"),
    }
    bot = plain_bot(tools=[stock, buys, waits], targets=TARGETS)
    async with serving(bot, **{**env, **options}) as service:
        yield service


@pytest.mark.parametrize(
    ("script", "options"),
    [
        pytest.param(TALK, {}, id="the caller hangs up"),
        pytest.param(TALK, {"OFFHOOK_JOURNAL": "1"}, id="with a journal"),
        pytest.param(TALK, {"OFFHOOK_DATABASE_URL": "off"}, id="without records"),
        pytest.param(BYE, {}, id="the bot hangs up"),
        pytest.param(BYE, {"faults": Faults(hangup_status=(503,))}, id="a hang-up fails once"),
        pytest.param(TRANSFERRED, {}, id="transferred"),
        pytest.param(LOST, {}, id="the sideband was lost"),
        pytest.param(LEFT, {}, id="a tool was running"),
        pytest.param(KEYS, {}, id="keys were pressed"),
        pytest.param(TALK, {"faults": Faults(accept_status=(403,))}, id="the accept is refused"),
        pytest.param(TALK, {"OFFHOOK_BLOCKED": CALLER}, id="turned away"),
    ],
)
async def test_the_session_of_a_call_is_freed_when_it_is_over(
    script: Script, options: dict[str, Any], tmp_path: Path
) -> None:
    async with busy(tmp_path, **options) as service:
        wards = Wards(service)
        with no_collector():
            for _ in range(2):
                await service.ended(await wards.ring(script))
            await wards.freed()


async def test_nothing_grows_with_calls_that_are_over(tmp_path: Path) -> None:
    async with busy(tmp_path) as service:
        wards = Wards(service)
        await many(service, wards, 2 * AT_ONCE)
        with no_collector():
            before = objects()
            await many(service, wards, 24)
            grown = objects() - before
    assert {kind: n for kind, n in grown.items() if n > AT_ONCE} == {}  # some may be under way


async def many(service: Service, wards: Wards, count: int) -> None:
    """So many calls, some at once, until nothing is left of them."""
    desk = service.switchboard._desk
    assert desk is not None
    for _ in range(count // AT_ONCE):
        for call in [await wards.ring(TALK) for _ in range(AT_ONCE)]:
            await service.ended(call)
        await wards.freed()
        assert await desk.writer.stored(PATIENCE_S)
        service.cloud.calls.clear()


def objects() -> Counter[str]:
    """How many objects of ours there are, by type."""
    names = (f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.get_objects())
    return Counter(name for name in names if name.startswith(OURS))
