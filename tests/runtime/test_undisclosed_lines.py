"""That callers are not told of an AI is somebody's decision, and so in the audit log."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from offhook.bot import Bot
from offhook.config import load
from offhook.disclosure import PolicyName
from offhook.runtime.line import Line, make_line
from offhook.runtime.undisclosed import noted, undisclosed
from offhook.store.audit import Audit
from offhook.store.database import Database

REQUIRED = {"OPENAI_API_KEY": "sk-test", "OPENAI_WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0"}


def line(name: str, consent: PolicyName | None, **env: str) -> Line:
    return make_line(Bot("Be brief.", name=name, consent=consent), load(None, REQUIRED | env))


LINES = {"one": line("loud", "notice"), "two": line("silent", "none"), "three": line("plain", None)}


async def entries(database: Database) -> list[tuple[str, str, str | None, str | None]]:
    """What is in the audit log, once something is."""
    async with asyncio.timeout(5):
        while True:
            try:
                if found := await Audit(database).entries():
                    return [(e.actor, e.action, e.subject, e.detail) for e in found]
            except SQLAlchemyError:
                pass
            await asyncio.sleep(0.01)


def test_only_what_somebody_has_switched_off_counts() -> None:
    by_setting = line("loud", "notice", OFFHOOK_CONSENT="none")
    assert list(undisclosed(LINES | {"four": by_setting})) == ["two", "four"]


async def test_each_start_has_an_entry_with_the_line_and_its_bot(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/calls.sqlite3")
    await database.open()
    async with noted(Audit(database), LINES):
        assert await entries(database) == [("offhook", "disclosure.off", "two", "bot silent")]
    await database.close()


async def test_a_database_that_is_away_gets_it_when_it_is_back(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/calls.sqlite3")
    async with noted(Audit(database), LINES, again_s=0.01):
        await asyncio.sleep(0)
        await database.open()
        assert len(await entries(database)) == 1
    await database.close()
