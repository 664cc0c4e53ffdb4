"""What is old goes, class by class; what is held, young or kept for ever stays."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text, update

from offhook.observe.logs import configure
from offhook.store import nightly, retention
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.holds import hold
from offhook.store.journals import file_name
from offhook.store.nightly import BEGAN, claimed, due, look
from offhook.store.retention import OF_A_CALL, Gone, Terms, retain
from offhook.store.schema import (
    calls,
    deliveries,
    metadata,
    outbox,
    tool_calls,
    transfers,
    utterances,
)
from offhook.store.scrubbing import scrub
from support.rows import DAY, NOW, add, add_call, column, count, files_with

HOUR = 3_600_000
NOTHING = Gone()


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)


async def run(
    database: Database, folder: Path, terms: Terms | None = None, *, dry_run: bool = False
) -> Gone:
    gone = await retain(database, terms or Terms(), folder, now=NOW, actor="test", dry_run=dry_run)
    return msgspec.structs.replace(gone, head="")


async def test_nothing_young_goes(database: Database, tmp_path: Path) -> None:
    await add_call(database, "young", NOW - 29 * DAY)
    assert await run(database, tmp_path) == NOTHING
    assert await count(database, utterances) == 2


async def test_texts_go_before_their_call(database: Database, tmp_path: Path) -> None:
    await add_call(database, "old", NOW - 31 * DAY)
    gone = await run(database, tmp_path)
    assert gone == Gone(utterances=2, tool_calls=1, transfers=1, webhooks=1)
    assert await count(database, calls) == 1
    assert await count(database, utterances) == await count(database, outbox) == 0
    assert await column(database, tool_calls, "arguments") == [None]
    assert await column(database, tool_calls, "output") == [None]
    assert await column(database, tool_calls, "outcome") == ["answered"]
    assert await column(database, transfers, "reason") == [None]
    assert await run(database, tmp_path) == NOTHING


async def test_why_a_call_ended_goes_with_its_texts_where_it_is_in_words(
    database: Database, tmp_path: Path
) -> None:
    for call_id, reason in (("told", "bot_hung_up"), ("technical", "accept_failed")):
        await add_call(database, call_id, NOW - 31 * DAY)
        change = update(calls).where(calls.c.call_id == call_id)
        async with database.write() as connection:
            await connection.execute(change.values(reason=reason, detail="as she said"))
    assert (await run(database, tmp_path)).reasons == 1
    assert await column(database, calls, "detail", call_id="told") == [None]
    assert await column(database, calls, "detail", call_id="technical") == ["as she said"]


async def test_a_call_goes_from_all_tables(database: Database, tmp_path: Path) -> None:
    await add_call(database, "ancient", NOW - 401 * DAY)
    await add_call(database, "young", NOW)
    gone = await run(database, tmp_path)
    assert (gone.calls, gone.deliveries) == (1, 1)
    for table in (calls, *OF_A_CALL):
        assert await count(database, table, call_id="ancient") == 0, table.name
        assert await count(database, table, call_id="young") > 0, table.name


def test_no_table_of_calls_is_forgotten() -> None:
    of_calls = {table for table in metadata.tables.values() if "call_id" in table.c}
    assert of_calls == {calls, *OF_A_CALL}


async def test_a_held_call_keeps_everything_until_the_hold_is_lifted(
    database: Database, tmp_path: Path
) -> None:
    await add_call(database, "held", NOW - 500 * DAY)
    journal = tmp_path / file_name("held", datetime(2020, 1, 1, tzinfo=UTC))
    journal.write_text("")
    assert await hold(database, "held", on=True, actor="test", reason="a lawsuit")
    assert await run(database, tmp_path) == NOTHING
    assert await count(database, utterances) == 2
    assert journal.exists()
    assert await hold(database, "held", on=False, actor="test")
    gone = await run(database, tmp_path)
    assert (gone.calls, gone.journals) == (1, 1)
    assert not journal.exists()
    noted = [(e.action, e.subject, e.reason) for e in await Audit(database).entries(action="hold")]
    assert noted == [("hold.lifted", "held", None), ("hold.set", "held", "a lawsuit")]


async def test_a_call_that_is_not_there_cannot_be_held(database: Database) -> None:
    assert not await hold(database, "nowhere", on=True, actor="test")
    assert await Audit(database).entries() == []


async def test_zero_days_are_for_ever(database: Database, tmp_path: Path) -> None:
    await add_call(database, "ancient", NOW - 4000 * DAY)
    (tmp_path / file_name("ancient", datetime(2001, 1, 1, tzinfo=UTC))).write_text("")
    assert await run(database, tmp_path, Terms(0, 0, 0, 0)) == NOTHING


async def test_a_dry_run_counts_the_same_and_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    await add_call(database, "old", NOW - 31 * DAY)
    await add_call(database, "held", NOW - 401 * DAY, keep=True)
    (tmp_path / file_name("old", datetime(2020, 1, 1, tzinfo=UTC))).write_text("")
    planned = await run(database, tmp_path, dry_run=True)
    assert planned.utterances == 2
    assert planned.journals == 1
    assert await run(database, tmp_path, dry_run=True) == planned
    assert await run(database, tmp_path) == planned


async def test_many_rows_go_in_batches(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for n in range(10):
        await add_call(database, f"old_{n}", NOW - 31 * DAY)
        await add(database, deliveries, at=NOW - 401 * DAY, result="refused", status=401, took_us=1)
    for n in range(7):
        await add_call(database, f"ancient_{n}", NOW - 401 * DAY)
    gone = await run(database, tmp_path)
    assert (gone.utterances, gone.tool_calls, gone.calls, gone.deliveries) == (34, 17, 7, 17)


async def test_texts_without_a_call_go_too(database: Database, tmp_path: Path) -> None:
    row = {"item": "i", "place": 0, "who": "caller", "at": NOW - 31 * DAY, "text": "x"}
    await add(database, utterances, call_id="lost", **row)
    assert (await run(database, tmp_path)).utterances == 1


async def test_a_run_is_noted_with_its_counts(database: Database, tmp_path: Path) -> None:
    await add_call(database, "old", NOW - 31 * DAY)
    gone = await retain(database, Terms(), tmp_path, now=NOW, actor="shell:ann", dry_run=True)
    (entry,) = await Audit(database).entries(action=retention.RAN)
    assert entry.actor == "shell:ann"
    assert entry.hash == gone.head
    assert entry.detail is not None
    noted = msgspec.json.decode(entry.detail)
    assert noted == {"dry_run": True, "utterances": 2, "tool_calls": 1, "transfers": 1} | {
        "webhooks": 1,
        "reasons": 0,
        "deliveries": 0,
        "calls": 0,
        "journals": 0,
        "audit": 0,
    }


async def test_old_audit_entries_go_and_the_rest_still_proves(
    database: Database, tmp_path: Path
) -> None:
    log = Audit(database)
    await log.note("a", "b")
    later = int(time.time() * 1000) + 401 * DAY
    gone = await retain(database, Terms(), tmp_path, now=later, actor="test")
    assert gone.audit == 1
    assert (await log.verify()).holds


async def test_two_runs_at_once_do_not_mind_each_other(database_url: str, tmp_path: Path) -> None:
    replicas = [Database(database_url) for _ in range(2)]
    for each in replicas:
        await each.open()
    for n in range(20):
        await add_call(replicas[0], f"ancient_{n}", NOW - 401 * DAY)
    both = await asyncio.gather(*(run(each, tmp_path) for each in replicas))
    assert sum(gone.calls for gone in both) == 20
    assert await count(replicas[0], utterances) == 0
    for each in replicas:
        await each.close()


async def test_what_has_gone_is_nowhere_in_the_files_of_sqlite(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    await database.open()
    for n in range(50):
        await add_call(database, f"old_{n}", NOW - 31 * DAY, text=f"canary-{n} " * 200)
    async with database.write() as connection:
        await connection.execute(text("UPDATE moments SET detail = NULL"))
    assert files_with("canary", tmp_path)
    await run(database, tmp_path)
    assert files_with("canary", tmp_path) == []
    await database.close()


@pytest.mark.parametrize(
    ("hours_ago", "hour", "is_due"),
    [
        (None, 15, True),
        (19, 3, False),
        (20, 3, True),
        (24, 1, False),
        (24, 5, False),
        (35, 15, False),
        (36, 15, True),
    ],
)
def test_it_is_time_once_a_day_at_a_quiet_hour(
    hours_ago: int | None, hour: int, is_due: bool
) -> None:
    last = None if hours_ago is None else NOW - hours_ago * HOUR
    assert due(NOW, hour, last) is is_due


async def test_one_replica_takes_the_day(database_url: str) -> None:
    replicas = [Database(database_url) for _ in range(4)]
    for each in replicas:
        await each.open()
    now = int(time.time() * 1000)
    takes = await asyncio.gather(*(claimed(each, now, 15) for each in replicas))
    assert sorted(takes) == [False, False, False, True]
    for each in replicas:
        await each.close()


async def test_a_look_lets_go_of_what_is_old_once_a_day(database: Database, tmp_path: Path) -> None:
    await add_call(database, "old", 0)
    await look(database, Terms(), tmp_path)
    assert await count(database, calls) == 0
    await add_call(database, "old", 0)
    await look(database, Terms(), tmp_path)
    assert await count(database, calls) == 1
    assert [e.action for e in await Audit(database).entries()] == [retention.RAN, BEGAN]


async def test_a_database_that_is_away_is_told_and_looked_for_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json")  # written at once, whatever was configured before
    away = Database("postgresql://offhook@127.0.0.1:1/none")
    await look(away, Terms(), tmp_path)
    assert "old records could not be let go" in capsys.readouterr().err
    await away.close()


async def test_without_a_database_journals_go_all_the_same(tmp_path: Path) -> None:
    old = tmp_path / file_name("rtc_1", datetime(2020, 1, 1, tzinfo=UTC))
    fresh = tmp_path / file_name("rtc_2", datetime.now(UTC))
    other = tmp_path / "notes.jsonl"
    for file in (old, fresh, other):
        file.write_text("")
    await look(None, Terms(), tmp_path)
    assert [file.exists() for file in (old, fresh, other)] == [False, True, True]


async def test_replicas_look_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: asyncio.Queue[Path] = asyncio.Queue()

    async def note(database: Database | None, terms: Terms, folder: Path) -> None:
        looks.put_nowait(folder)

    monkeypatch.setattr(nightly, "look", note)
    async with nightly.nightly(None, Terms(), tmp_path, look_s=0):
        assert [await looks.get() for _ in range(3)] == [tmp_path] * 3


async def test_what_has_gone_is_in_no_index_of_words(tmp_path: Path) -> None:
    """SQLite's full-text index keeps words of deleted rows until its parts are merged."""
    database = Database(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    await database.open()
    async with database.write() as connection:
        await connection.execute(text("CREATE VIRTUAL TABLE words_of_calls USING fts5(words)"))
    for n in range(100):
        async with database.write() as connection:
            insert = text("INSERT INTO words_of_calls(rowid, words) VALUES (:n, :words)")
            await connection.execute(insert, {"n": n, "words": f"canary{n} kept{n}"})
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE words_of_calls SET words = replace(words, 'canary', 'x')")
        )
    assert files_with("canary", tmp_path)
    await scrub(database)
    assert files_with("canary", tmp_path) == []
    assert files_with("kept", tmp_path)
    await database.close()
