"""The cloud in a box: a simulator of the OpenAI and Azure Realtime-over-SIP clouds.

    async with Simulator("openai", speed=20) as cloud:
        call = await cloud.ring(webhook_url, Script(steps=(Hears(), Says("Hello"), HangsUp())))
        await call.finished()
        print(call.transcript())

It shares no code with the product, so that a mistake cannot hide by being made twice.
"""

from __future__ import annotations

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.calls import Call, State
from offhook.simulator.cloud import DEFAULT_SECRET, Simulator
from offhook.simulator.faults import Faults
from offhook.simulator.invite import Invite, Trunk
from offhook.simulator.profile import PROFILES, Profile, Timings
from offhook.simulator.script import (
    CallsTools,
    FailsWith,
    HangsUp,
    Hears,
    Improviser,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Script,
    Silent,
    StopsShort,
    Waits,
    WaitsFor,
    WaitsForTool,
)
from offhook.simulator.trace import Mark
from offhook.simulator.webhooks import signature

__all__ = [
    "DEFAULT_SECRET",
    "PROFILES",
    "Beliefs",
    "Call",
    "CallsTools",
    "FailsWith",
    "Faults",
    "HangsUp",
    "Hears",
    "Improviser",
    "Invite",
    "LosesSideband",
    "Mark",
    "Presses",
    "Profile",
    "Replies",
    "Says",
    "Script",
    "Silent",
    "Simulator",
    "State",
    "StopsShort",
    "Timings",
    "Trunk",
    "Waits",
    "WaitsFor",
    "WaitsForTool",
    "signature",
]
