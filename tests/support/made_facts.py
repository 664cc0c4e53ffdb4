"""Facts of a call that never was: rang, said, looked up, transferred, ended."""

from __future__ import annotations

from typing import Any

from offhook.store.facts import (
    AnyFact,
    CallFact,
    DeliveryFact,
    MomentFact,
    ToolFact,
    TransferFact,
    TurnFact,
    UsageFact,
    UtteranceFact,
)
from offhook.store.vault import Vault, mask

RANG = 1_800_000_000_000
CALLER = "+15550142"
WORDS = "My kettle is leaking."


def call_fact(call_id: str, at: int = RANG, **more: Any) -> CallFact:
    """A call that has ended."""
    given: dict[str, Any] = {
        "phase": "ended",
        "provider": "openai",
        "model": "gpt-realtime",
        "bot": "shop",
        "language": "en",
        "line": "+493023125001",
        "called": "+493023125001",
        "caller_hash": Vault(None).hash(CALLER),
        "caller_number": CALLER,
        "caller_masked": mask(CALLER),
        "caller_name": "Ann Smith",
        "accepted_at": at + 100,
        "ended_at": at + 60_000,
        "reason": "transferred",
        "fault": "bot",
        "target": "workshop",
        "utterances": 2,
        "tools": 1,
    }
    return CallFact(call_id=call_id, rang_at=at, **(given | more))


def made_call(call_id: str = "rtc_1", at: int = RANG, **more: Any) -> list[AnyFact]:
    """All facts of one call."""
    said: dict[str, Any] = {"call_id": call_id, "rev": 1}
    return [
        call_fact(call_id, at, **more),
        UtteranceFact(item="item_1", place=0, who="bot", at=at + 1000, text="Hello.", **said),
        UtteranceFact(item="item_2", place=1, who="caller", at=at + 3000, text=WORDS, **said),
        ToolFact(
            ref="call_1",
            name="lookup",
            asked_at=at + 4000,
            ended_at=at + 4100,
            outcome="answered",
            arguments='{"about":"kettle"}',
            output="in stock",
            **said,
        ),
        TransferFact(
            n=1,
            target="workshop",
            reason="the kettle of Ann leaks",
            began_at=at + 50_000,
            ended_at=at + 60_000,
            outcome="transferred",
            **said,
        ),
        TurnFact(item="item_2", n=1, stopped_at=at + 3500, latency_ms=800, tool_ms=100, **said),
        UsageFact(ref="resp_1", at=at + 5000, model="gpt-realtime", kind="response", **said),
        MomentFact(n=1, at=at + 100, kind="accepted", detail="kettle", **said),
        DeliveryFact(
            id=sum(call_id.encode()),
            at=at,
            delivery_id=f"wh_{call_id}",
            event_type="realtime.call.incoming",
            call_id=call_id,
            result="started",
            status=200,
            took_us=900,
        ),
    ]
