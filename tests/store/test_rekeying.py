"""After rekeying, only the first key is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from offhook.store import rekeying
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.rekeying import Rekeyed, rekey
from offhook.store.schema import calls
from offhook.store.subject.find import find
from offhook.store.vault import Vault, new_key
from support.rows import NOW, add_call, column

ANN = "+493023125001"
OLD, NEW = new_key(), new_key()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rekeying, "PAUSE_S", 0.0)
    monkeypatch.setattr(rekeying, "_PAGE", 2)


async def add_call_under(
    database: Database, call_id: str, key: str | None, *, sealed: bool = True
) -> None:
    vault = Vault(key)
    number = vault.seal(ANN) if sealed else None
    await add_call(database, call_id, caller_hash=vault.hash(ANN), caller_number=number)


async def test_all_that_can_be_read_is_sealed_and_hashed_anew(
    database: Database, tmp_path: Path
) -> None:
    for call_id, key in (("a", OLD), ("b", None), ("c", NEW), ("d", OLD), ("e", OLD)):
        await add_call_under(database, call_id, key)
    await add_call(database, "anonymous")
    both = Vault(f"{NEW},{OLD}")
    assert await rekey(database, both, "test") == Rekeyed(sealed=4)
    found = await find(database, Vault(NEW), ANN, tmp_path, now=NOW)
    assert [call.call_id for call in found.calls] == ["a", "b", "c", "d", "e"]
    stored = [n for n in await column(database, calls, "caller_number") if n]
    assert {Vault(NEW).unseal(number) for number in stored} == {ANN}
    assert await rekey(database, both, "test") == Rekeyed()
    assert [e.detail for e in await Audit(database).entries()] == ['{"sealed":0}', '{"sealed":4}']


async def test_what_cannot_be_sealed_anew_is_counted_and_left(database: Database) -> None:
    await add_call_under(database, "lost", new_key())
    await add_call_under(database, "hash", OLD, sealed=False)
    assert await rekey(database, Vault(f"{NEW},{OLD}"), "test") == Rekeyed(unreadable=1, hashed=1)
    assert await column(database, calls, "caller_hash", call_id="hash") == [Vault(OLD).hash(ANN)]
