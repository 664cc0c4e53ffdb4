"""Who answers calls is known to the others: before the first call, if the database is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

import pytest

from offhook.config import Replicas
from offhook.core.rules import Rules
from offhook.lines import ENGLISH
from offhook.runtime import tenure as tenures
from offhook.runtime.claims import Claims
from offhook.runtime.cloud import Cloud
from offhook.runtime.pulse import Pulse
from offhook.runtime.revival import Revival
from offhook.runtime.succession import Board, Succession
from offhook.runtime.tenure import Tenure
from offhook.store.database import Database
from offhook.store.ownership import Ownership
from offhook.store.vault import Vault
from offhook.store.writer import Writer


class NoCalls:
    """A board on which nothing happens."""

    def __len__(self) -> int:
        return 0

    def rules_of(self, line: str) -> Rules:
        return Rules(lines=ENGLISH)

    def remember(self, call_ids: Iterable[str]) -> None: ...


class Answering(Ownership):
    """The ownership of a process whose database answers when the test lets it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "new")
        self.may, self.asked = asyncio.Event(), asyncio.Event()
        self.gone = False

    async def announce(self, *, capacity: int, version: str, host: str, now_ms: int) -> None:
        self.asked.set()
        if self.gone:
            raise ConnectionRefusedError
        await self.may.wait()
        await super().announce(capacity=capacity, version=version, host=host, now_ms=now_ms)


def tenure_of(own: Ownership, database: Database) -> Tenure:
    settings, pulse = Replicas(), Pulse(2.0)
    claims = Claims(own, pulse, first=True)
    revival = Revival(database, Vault(None))
    none = cast("Cloud", None), cast("Writer", None)
    tenure = Tenure(
        own, pulse, claims, Succession(own, pulse, claims, revival, *none, settings), settings
    )
    tenure.serve(cast("Board", NoCalls()))
    return tenure


async def test_nothing_rings_before_the_others_know_of_us(database: Database) -> None:
    own = Answering(database)
    tenure = tenure_of(own, database)
    entering = asyncio.create_task(tenure.__aenter__())
    await own.asked.wait()
    assert not entering.done()
    own.may.set()
    await entering
    assert tenure.claims.open
    await tenure.__aexit__()


async def test_a_database_that_is_away_is_not_waited_for(database: Database) -> None:
    own = Answering(database)
    own.gone = True
    async with asyncio.timeout(tenures.JOIN_S / 2), tenure_of(own, database) as tenure:
        assert not tenure.claims.open


async def test_one_that_never_answers_is_waited_for_no_longer_than_that(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenures, "JOIN_S", 0.05)
    own = Answering(database)
    async with tenure_of(own, database) as tenure:
        assert not tenure.claims.open
