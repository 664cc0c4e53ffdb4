"""What tests of the store share."""

from __future__ import annotations

import pytest

from offhook.store.facts import (
    AnyFact,
    ConsentFact,
    DeliveryFact,
    MomentFact,
    ToolFact,
    TransferFact,
    TurnFact,
    UsageFact,
    UtteranceFact,
)
from support.records import CALL, call_fact


@pytest.fixture
def one_of_each() -> list[AnyFact]:
    """A fact of each kind."""
    consent = {
        "policy": "notice",
        "language": "en",
        "version": "1",
        "text": "A bot.",
        "answer": "-",
    }
    return [
        call_fact(),
        UtteranceFact(call_id=CALL, rev=2, item="i1", place=0, who="bot", at=1, text="Grüezi 👋"),
        ToolFact(call_id=CALL, rev=3, ref="c1", name="stock", asked_at=1, outcome="running"),
        TransferFact(call_id=CALL, rev=4, n=0, target="sales", began_at=1),
        TurnFact(call_id=CALL, rev=5, item="i2", n=0, stopped_at=1),
        UsageFact(call_id=CALL, rev=6, ref="r1", at=1, model="m", kind="response", seconds=1.5),
        MomentFact(call_id=CALL, rev=7, n=0, at=1, kind="rang"),
        ConsentFact(call_id=CALL, rev=8, n=0, at=1, **consent),
        DeliveryFact(id=1, at=1, result="started", status=200, took_us=900),
    ]
