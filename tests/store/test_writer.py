"""The writer: in batches, behind the calls' backs, through every absence of the database."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offhook.store import schema, writer
from offhook.store.database import Database
from offhook.store.facts import AnyFact, MomentFact, UtteranceFact
from offhook.store.outbox import Outbox
from offhook.store.spool import Spool
from offhook.store.upserts import Upserts
from offhook.store.writer import Writer
from support.records import CALL, Absence, Row, call_fact, everything, rows, the_call, watched_syncs
from support.serving import Log, logging_to

Open = Callable[[], AbstractAsyncContextManager[Writer]]


@pytest.fixture
def log() -> Iterator[Log]:
    with logging_to() as log:
        yield log


@pytest.fixture
def open_writer(database_url: str, tmp_path: Path) -> Open:
    """Opens a writer on the database, as often as one likes; all share a folder."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Writer]:
        async with Writer(Database(database_url), Spool(tmp_path / "spool")) as writer:
            yield writer

    return opened


def spooled(tmp_path: Path) -> list[str]:
    """The lines in all files of the spool."""
    return [line for file in (tmp_path / "spool").iterdir() for line in file.read_text().split()]


async def caught_up(writer: Writer) -> None:
    """Wait until nothing waits."""
    async with asyncio.timeout(20):
        await writer._reached(writer._spool.taken)


async def test_facts_of_every_kind_become_rows(
    open_writer: Open, database: Database, one_of_each: Sequence[AnyFact], tmp_path: Path
) -> None:
    async with open_writer() as writer:
        writer.take(one_of_each)
    kept = await everything(database)
    for fact in one_of_each:
        (row,) = kept[str(fact.__struct_config__.tag)]
        assert all(row[name] == getattr(fact, name) for name in fact.__struct_fields__)
    assert list((tmp_path / "spool").iterdir()) == []


async def test_what_is_settled_is_in_the_database(open_writer: Open, database: Database) -> None:
    async with open_writer() as writer:
        writer.take([call_fact()])
        assert await writer.settled()
        assert (await the_call(database, CALL))["phase"] == "live"


async def test_nobody_waits_for_a_batch_that_is_not_hurried(
    open_writer: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH_S", 3600.0)
    async with open_writer() as open_one:
        open_one.take([call_fact()])
        async with asyncio.timeout(5):
            assert await open_one.settled()


async def test_what_is_announced_is_asked_for_soon_and_together(
    open_writer: Open, database: Database, tmp_path: Path
) -> None:
    asked = asyncio.Event()

    def last() -> list[AnyFact]:
        asked.set()
        return many(2)[1:]

    async with open_writer() as writer:
        writer.later(lambda: many(1))
        writer.later(list)  # nothing after all
        writer.later(last)
        assert spooled(tmp_path) == []
        async with asyncio.timeout(5):
            await asked.wait()
        assert writer.waiting == 2
    assert [row["n"] for row in await rows(database, schema.moments)] == [0, 1]


async def test_who_waits_for_the_record_waits_for_what_is_announced_too(
    open_writer: Open, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GATHER_S", 3600.0)
    async with open_writer() as open_one:
        open_one.later(lambda: [call_fact()])
        assert await open_one.settled()
        assert (await the_call(database, CALL))["rev"] == 1
        open_one.later(lambda: [call_fact(2)])
        assert await open_one.stored(5.0)
        assert (await the_call(database, CALL))["rev"] == 2
        open_one.later(lambda: [call_fact(3, phase="live")])
        open_one.take([call_fact(3, phase="ended")])
        open_one.later(lambda: [call_fact(4, phase="ended", tools=7)])
    row = await the_call(database, CALL)
    assert (row["phase"], row["tools"]) == ("ended", 7)


async def test_fields_that_belong_to_others_are_left_alone(
    open_writer: Open, database: Database
) -> None:
    async with open_writer() as writer:
        writer.take([call_fact()])
        await writer.settled()
        async with database.write() as connection:
            await connection.execute(schema.calls.update().values(keep=True, purged_at=5))
        writer.take([call_fact(rev=2, phase="ended")])
        await writer.settled()
    row = await the_call(database, CALL)
    assert (row["phase"], row["keep"], row["purged_at"]) == ("ended", True, 5)


async def test_a_value_that_fits_nowhere_does_not_keep_back_the_others(
    open_writer: Open, database: Database, log: Log
) -> None:
    impossible = MomentFact(call_id=CALL, rev=2, n=1, at=1 << 70, kind="rang")
    async with open_writer() as writer:
        writer.take([call_fact(), impossible, MomentFact(call_id=CALL, n=2, at=1, kind="ended")])
    assert [row["n"] for row in await rows(database, schema.moments)] == [2]
    (line,) = log.of("a record could not be written")
    assert line["table"] == "moments"
    assert log.of("the database is away; calls go on, and records wait") == []


async def test_a_text_that_is_too_long_or_no_text_is_made_to_fit(
    open_writer: Open, database: Database
) -> None:
    strange = call_fact(model="m" * 500, detail="a\0b \ud800 c")
    async with open_writer() as writer:
        writer.take([strange])
    row = await the_call(database, CALL)
    assert row["model"] == "m" * 128
    assert row["detail"] == "ab ? c"


# In any order, as often as one likes


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[AnyFact], list[list[AnyFact]]]:
    """The facts of a call in their order, and the batches in which they arrive: any, and again."""
    facts: list[AnyFact] = []
    for rev in range(1, draw(st.integers(1, 12)) + 1):
        item = draw(st.integers(0, 2))
        match draw(st.sampled_from(["call", "utterance", "moment"])):
            case "call":
                facts.append(call_fact(rev, phase=f"p{rev}"))
            case "utterance":
                said: dict[str, Any] = {"item": f"i{item}", "place": rev, "who": "bot", "at": rev}
                facts.append(UtteranceFact(call_id=CALL, rev=rev, text=f"t{rev}", **said))
            case _:
                facts.append(MomentFact(call_id=CALL, rev=rev, n=item, at=rev, kind="keys"))
    arriving = draw(st.permutations(facts)) + draw(st.lists(st.sampled_from(facts), max_size=6))
    size = draw(st.integers(1, len(arriving)))
    return facts, [arriving[n : n + size] for n in range(0, len(arriving), size)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories())
def test_out_of_order_and_repeated_batches_change_nothing(
    history: tuple[list[AnyFact], list[list[AnyFact]]], kept_database: Kept
) -> None:
    facts, batches = history
    assert kept_database.after(batches) == kept_database.after([facts])


class Kept:
    """What a database holds after some batches."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._database = Database(url)
        self._runner.run(self._database.open())

    def after(self, batches: list[list[AnyFact]]) -> dict[str, list[Row]]:
        """Written into an empty database, one after the other."""
        return self._runner.run(self._after(batches))

    async def _after(self, batches: list[list[AnyFact]]) -> dict[str, list[Row]]:
        async with self._database.write() as connection:
            for table in (schema.calls, schema.utterances, schema.moments):
                await connection.execute(table.delete())
        for batch in batches:
            await Upserts(self._database).write(batch)
        return await everything(self._database)

    def close(self) -> None:
        """Let go of it."""
        self._runner.run(self._database.close())
        self._runner.close()


@pytest.fixture
def kept_database(database_url: str) -> Iterator[Kept]:
    kept = Kept(database_url)
    yield kept
    kept.close()


# While the database is away

AWAY = "the database is away; calls go on, and records wait"
BACK = "the database is back"


def many(count: int) -> list[AnyFact]:
    return [MomentFact(call_id=CALL, rev=n, n=n, at=n, kind="keys") for n in range(count)]


async def test_facts_wait_on_disk_and_are_written_when_it_is_back(
    open_writer: Open, database: Database, absence: Absence, log: Log, tmp_path: Path
) -> None:
    async with open_writer() as writer:
        async with absence():
            for fact in many(1000):
                writer.take([fact])
            await log.reached(AWAY)
            assert len(spooled(tmp_path)) == writer.waiting == 1000
            writer.take([call_fact()])
        await log.reached(BACK)
        await caught_up(writer)
        assert spooled(tmp_path) == []
    assert len(await rows(database, schema.moments)) == 1000
    assert (await the_call(database, CALL))["phase"] == "live"
    assert len(log.of(AWAY)) == len(log.of(BACK)) == 1


async def test_what_must_be_on_record_is_on_disk_for_good_and_nobody_waits_long(
    open_writer: Open, absence: Absence, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = watched_syncs(monkeypatch)
    loop = asyncio.get_running_loop()
    async with open_writer() as writer, absence():
        for again in range(3):
            writer.take([call_fact(rev=again)])
            began = loop.time()
            assert await writer.settled(1.0)
            assert loop.time() - began < 1.0
            assert synced
            synced.clear()


async def test_a_wait_ends_in_time_even_if_the_disk_hangs(
    open_writer: Open, absence: Absence, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: Spool) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Spool, "sync", never)
    async with open_writer() as writer, absence():
        writer.take([call_fact()])
        assert not await writer.settled(0.2)


async def test_memory_stays_small_however_much_waits(
    open_writer: Open, absence: Absence, database: Database, log: Log
) -> None:
    async with open_writer() as writer:
        async with absence():
            writer.take(many(1))
            await log.reached(AWAY)
            tracemalloc.start()
            try:
                before, _ = tracemalloc.get_traced_memory()
                for n in range(5_000):
                    writer.take([MomentFact(call_id=CALL, rev=n, n=n, at=n, kind="keys")])
                after, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert after - before < 100_000
        await caught_up(writer)
    assert len(await rows(database, schema.moments)) == 5_000


async def test_what_a_process_could_not_write_the_next_one_writes(
    open_writer: Open, database: Database, absence: Absence, log: Log, tmp_path: Path
) -> None:
    async with absence():
        async with open_writer() as writer:
            writer.take([call_fact(), *many(10)])
        assert len(spooled(tmp_path)) == 11
        assert log.of("records wait for the next start")[0]["records"] == 11
    async with open_writer():
        line = await log.reached("records of a process that has ended are written")
        assert line["records"] == 11
    assert len(await rows(database, schema.moments)) == 10
    assert spooled(tmp_path) == []


async def test_half_a_line_of_a_killed_process_is_dropped_with_a_word(
    open_writer: Open, database: Database, log: Log, tmp_path: Path
) -> None:
    spool = Spool(tmp_path / "spool")
    spool.open()
    spool.append([call_fact(), *many(2)])
    (file,) = spool.folder.iterdir()
    spool.close()
    os.truncate(file, file.stat().st_size - 5)
    async with open_writer():
        await log.reached("a record was half written when its process was killed; dropped")
    assert len(await rows(database, schema.moments)) == 1
    assert list(spool.folder.iterdir()) == []


async def test_a_database_that_is_away_at_the_start_is_waited_for(
    open_writer: Open, database_url: str, absence: Absence, log: Log
) -> None:
    probe = Database(database_url)
    async with absence():
        starting = asyncio.create_task(enter(open_writer))
        await log.reached(AWAY)
    leave = await starting
    await log.reached(BACK)
    await leave()
    assert (await the_call(probe, CALL))["phase"] == "live"
    await probe.close()


async def enter(open_writer: Open) -> Callable[[], Any]:
    """Open one, have a fact taken, and give the way out."""
    manager = open_writer()
    writer = await manager.__aenter__()
    writer.take([call_fact()])

    async def leave() -> None:
        await caught_up(writer)
        await manager.__aexit__(None, None, None)

    return leave


async def test_a_full_disk_is_told_once_and_so_is_its_end(
    open_writer: Open, database: Database, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offhook.store.spool.AGAIN_S", 0.0)
    full = True
    write = os.write

    def sometimes(fd: int, data: bytes) -> int:
        if full and data.startswith(b'{"is":'):
            raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(os, "write", sometimes)
    async with open_writer() as writer:
        for n in range(3):
            writer.take(many(3)[n : n + 1])
        assert await writer.settled()
        full = False
        writer.take([call_fact()])
    assert len(await rows(database, schema.moments)) == 3
    assert len([line for line in log.lines if "spool cannot be written" in line["event"]]) == 1
    assert len(log.of("the spool can be written again", lost=0)) == 1


async def test_it_tells_when_what_it_wrote_has_queued_a_webhook(
    database_url: str, tmp_path: Path
) -> None:
    database = Database(database_url)
    outbox = Outbox(database, ("https://crm.example.com/offhook",))
    async with Writer(database, Spool(tmp_path), outbox.owe) as writer:
        writer.take([call_fact(1)])
        assert await writer.settled(within=10)
        assert not writer.queued.is_set()
        writer.take([call_fact(2, phase="ended", ended_at=9)])
        assert await writer.settled(within=10)
        assert writer.queued.is_set()
