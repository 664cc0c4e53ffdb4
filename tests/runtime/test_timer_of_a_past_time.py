"""Deadlines that have gone by already, on the event loop that `offhook serve` runs on."""

from __future__ import annotations

import asyncio

import pytest

from offhook.bot import Bot
from offhook.config import load
from offhook.core import events as on
from offhook.core.events import Refusal
from offhook.core.step import ring
from offhook.observe.metrics import Metrics
from offhook.runtime.cloud import Cloud
from offhook.runtime.line import make_line
from offhook.runtime.narrator import Narrator
from offhook.runtime.session import Session

uvloop = pytest.importorskip("uvloop", reason="uvloop is not made for this system")


async def late_call() -> Session:
    """A call whose ring budget was over before it was looked at, and which is refused."""
    settings = load(None, {"OPENAI_API_KEY": "k", "TEST_MODE": "1"})
    line = make_line(Bot("Be brief."), settings)
    cloud = Cloud(settings.endpoint, {}, warm=0)
    session = Session(line, cloud, Narrator("rtc_1", Metrics(), words=False), lambda _: None)
    now = asyncio.get_running_loop().time()
    call, _ = ring("rtc_1", line.rules, now - line.rules.limits.ring - 1)
    session.begin(call, [])
    session.post(on.AcceptRefused(Refusal.BUSY, "http 503"))
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    return session


def test_a_deadline_gone_by_is_no_bug() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        session = runner.run(late_call())
    assert session.call.leaving is not None
    assert session.call.leaving.reason == "accept_failed"
