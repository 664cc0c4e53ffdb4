"""What is kept of one person is found everywhere, handed out whole, and taken away whole."""

from __future__ import annotations

import csv
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from offhook.errors import UserError
from offhook.store import retention
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.facts import AnyFact, ToolFact, UtteranceFact
from offhook.store.holds import hold
from offhook.store.journals import file_name
from offhook.store.schema import (
    calls,
    consents,
    metadata,
    moments,
    outbox,
    tool_calls,
    transfers,
    usage,
    utterances,
)
from offhook.store.spool import Spool
from offhook.store.subject import erase, handout
from offhook.store.subject.erase import Erased
from offhook.store.subject.find import TEXTS, Findings, find
from offhook.store.upserts import Upserts
from offhook.store.vault import Vault, mask, new_key
from support.records import call_fact
from support.rows import DAY, NOW, add_call, column, count, files_with

ANN, BOB = "+493023125001", "+493023125002"
OLD = new_key()
VAULT = Vault(f"{new_key()},{OLD}")
MADE = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "PAUSE_S", 0.0)


async def add_call_of(
    database: Database,
    number: str,
    call_id: str,
    at: int = NOW,
    *,
    vault: Vault = VAULT,
    name: str = "Canary Ann",
    **values: object,
) -> None:
    caller = {"caller_hash": vault.hash(number), "caller_number": vault.seal(number)}
    caller |= {"caller_masked": mask(number), "caller_name": name, "detail": f"{number} is busy"}
    await add_call(database, call_id, at, text=f"My number is {number}.", **(caller | values))


async def found_of(database: Database, folder: Path, number: str = ANN) -> Findings:
    return await find(database, VAULT, number, folder, folder / "spool", now=NOW)


async def erased(database: Database, folder: Path, number: str = ANN) -> Erased:
    found = await found_of(database, folder, number)
    return await erase.erase(
        database, found, folder / "spool", now=NOW, actor="test", reason="by letter"
    )


async def everything(database: Database) -> str:
    """Every value of every table."""
    texts = []
    async with database.read() as connection:
        for table in metadata.tables.values():
            texts += [repr(tuple(row)) for row in await connection.execute(select(table))]
    return "\n".join(texts)


async def test_calls_are_found_whichever_key_hashed_them(
    database: Database, tmp_path: Path
) -> None:
    await add_call_of(database, ANN, "new")
    await add_call_of(database, ANN, "older", NOW - 1, vault=Vault(OLD))
    await add_call_of(database, ANN, "oldest", NOW - 2, vault=Vault(None))
    await add_call_of(database, BOB, "other")
    found = await found_of(database, tmp_path)
    assert [call.call_id for call in found.calls] == ["oldest", "older", "new"]
    assert found.mentions == ()


async def test_a_mention_in_any_text_of_any_table_is_found_and_taken_out(
    database: Database, tmp_path: Path
) -> None:
    await add_call(database, "other", text=f"Ann's is {ANN}, she says.", detail=ANN)
    async with database.write() as connection:
        await connection.execute(calls.update().values(caller_name=f"Ann {ANN}"))
        await connection.execute(outbox.update().values(error=ANN))
        await connection.execute(tool_calls.update().values(error=ANN, output=f'{{"to":"{ANN}"}}'))
    found = await found_of(database, tmp_path)
    assert {(m.table, *sorted(m.texts)) for m in found.mentions} == {
        (table, *sorted(columns)) for table, columns in TEXTS.items()
    }
    done = await erased(database, tmp_path)
    assert done.mentions == 7
    assert ANN not in await everything(database)
    assert await column(database, utterances, "text") == ["Ann's is [phone], she says."] * 2
    assert await column(database, tool_calls, "output") == ['{"to":"[phone]"}']
    assert await count(database, outbox) == 1


async def test_a_mention_that_changed_meanwhile_is_left_for_the_next_run(
    database: Database, tmp_path: Path
) -> None:
    await add_call(database, "other", text=f"It is {ANN}.")
    found = await found_of(database, tmp_path)
    async with database.write() as connection:
        await connection.execute(utterances.update().values(text=f"No, it is {ANN}!"))
    done = await erase.erase(database, found, tmp_path / "spool", now=NOW, actor="test")
    assert done.mentions == len(found.mentions) - 2
    assert (await erased(database, tmp_path)).mentions == 2


async def test_a_tombstone_stays_without_any_personal_data(
    database: Database, tmp_path: Path
) -> None:
    await add_call_of(database, ANN, "hers")
    await add_call_of(database, BOB, "his", name="Canary Bob")
    done = await erased(database, tmp_path)
    assert done == Erased(calls=1, mentions=0, journals=0, waiting=0, held=(), live=())
    left = await everything(database)
    for gone in (ANN, "Canary Ann", VAULT.hash(ANN) + "', 'enc"):
        assert gone not in left
    assert "Canary Bob" in left
    async with database.read() as connection:
        row = (await connection.execute(select(calls).where(calls.c.call_id == "hers"))).one()
    assert (row.purged_at, row.reason, row.model) == (NOW, "caller_hung_up", "gpt-realtime")
    assert (row.caller_hash, row.caller_number, row.caller_masked, row.caller_name) == (None,) * 4
    assert await count(database, utterances, call_id="hers") == 0
    assert await column(database, tool_calls, "arguments", call_id="hers") == [None]
    assert await column(database, transfers, "reason", call_id="hers") == [None]
    assert await column(database, moments, "detail", call_id="hers") == [None]
    for table in (tool_calls, usage, consents):
        assert await count(database, table, call_id="hers") == 1, table.name


async def test_late_news_of_an_erased_call_brings_nothing_back(
    database: Database, tmp_path: Path
) -> None:
    await add_call_of(database, ANN, "hers")
    await erased(database, tmp_path)
    rev = 2**40
    await Upserts(database).write(
        [
            call_fact(rev, call_id="hers", caller_hash=VAULT.hash(ANN), caller_name="Canary Ann"),
            ToolFact(
                call_id="hers", rev=rev, ref="fc_1", name="n", asked_at=1, outcome="o", output=ANN
            ),
        ]
    )
    assert "Canary Ann" not in await everything(database)
    assert ANN not in await everything(database)


def spooled(folder: Path, *facts: AnyFact, name: str = "1-1.spool") -> Path:
    """A segment that a process has left behind."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(msgspec.json.Encoder().encode_lines(facts) + b"torn {\n")
    return folder / name


def said(call_id: str, text: str = ANN) -> UtteranceFact:
    return UtteranceFact(call_id=call_id, item="i", place=0, who="caller", at=1, text=text)


async def test_records_that_still_wait_on_disk_go_too(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "hers")
    file = spooled(
        tmp_path / "spool",
        said("hers"),
        said("unknown"),
        said("other", "Hi."),
        call_fact(call_id="unknown", caller_hash=VAULT.hash(ANN)),
    )
    only = spooled(tmp_path / "spool", said("hers"), name="2-2.spool")
    only.write_bytes(only.read_bytes().replace(b"torn {\n", b""))
    found = await found_of(database, tmp_path)
    assert found.waiting == {"hers": 2, "unknown": 2}
    done = await erase.erase(database, found, tmp_path / "spool", now=NOW, actor="test")
    assert (done.calls, done.waiting) == (2, 4)
    assert not only.exists()
    assert file.read_bytes() == msgspec.json.encode(said("other", "Hi.")) + b"\ntorn {\n"
    assert (await found_of(database, tmp_path)).waiting == {}


async def test_what_a_running_process_writes_is_left_to_it(
    database: Database, tmp_path: Path
) -> None:
    await add_call_of(database, ANN, "hers", phase="live")
    spool = Spool(tmp_path / "spool")
    spool.open()
    spool.append([call_fact(call_id="new", caller_hash=VAULT.hash(ANN)), said("hers")])
    journal(tmp_path, "new")
    found = await found_of(database, tmp_path)
    assert found.waiting == {"new": 1, "hers": 1}
    done = await erase.erase(database, found, tmp_path / "spool", now=NOW, actor="test")
    assert (done.calls, done.waiting, done.journals, done.live) == (0, 0, 0, ("hers",))
    assert (await found_of(database, tmp_path)).waiting == {"new": 1, "hers": 1}
    spool.close()


async def test_held_and_live_calls_are_listed_and_left(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "held")
    await add_call_of(database, ANN, "live", phase="live", ended_at=None)
    await add_call_of(database, ANN, "lost", NOW - 2 * DAY, phase="live", ended_at=None)
    await add_call(database, "other", text=ANN)
    for call_id in ("held", "other"):
        await hold(database, call_id, on=True, actor="test")
    before = await found_of(database, tmp_path)
    assert before.free == ["lost"]
    done = await erased(database, tmp_path)
    assert done == Erased(
        calls=1, mentions=0, journals=0, waiting=0, held=("held", "other"), live=("live",)
    )
    assert await count(database, utterances, call_id="held") == 2
    assert await count(database, utterances, call_id="live") == 2
    assert await column(database, utterances, "text", call_id="other") == [ANN, ANN]


async def test_a_hold_that_comes_meanwhile_protects(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "hers")
    found = await found_of(database, tmp_path)
    await hold(database, "hers", on=True, actor="test")
    done = await erase.erase(database, found, tmp_path / "spool", now=NOW, actor="test")
    assert (done.calls, done.held) == (0, ("hers",))
    assert await count(database, utterances, call_id="hers") == 2


def journal(folder: Path, call_id: str, inside: str | None = None) -> Path:
    file = folder / file_name(call_id, MADE)
    ring = {"t": 0, "kind": "ring", "data": {"journal": 1, "call_id": inside or call_id}}
    file.write_bytes(msgspec.json.encode(ring) + b"\n")
    return file


async def test_journals_go_with_their_call_and_no_other(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "rtc_1/a")
    await add_call_of(database, ANN, "held", keep=True)
    hers = journal(tmp_path, "rtc_1/a")
    hers.rename(tmp_path / hers.name.replace("T12", "T11"))
    others = [journal(tmp_path, "rtc_1:a"), journal(tmp_path, "b"), journal(tmp_path, "held")]
    torn = tmp_path / file_name("rtc_1/a", datetime(2026, 11, 2, tzinfo=UTC))
    torn.write_text("not JSON")
    planned = erase.plan(await found_of(database, tmp_path))
    done = await erased(database, tmp_path)
    assert planned.journals == done.journals == 2
    assert sorted(tmp_path.glob("*.jsonl")) == sorted(others)  # noqa: ASYNC240


async def test_a_run_is_audited_without_the_number(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "hers")
    found = await found_of(database, tmp_path)
    await erase.note(database, found, "shell:ann", "by letter")
    await erase.erase(
        database, found, tmp_path / "spool", now=NOW, actor="shell:ann", reason="by letter"
    )
    await handout.note(database, found, "shell:ann", None)
    entries = await Audit(database).entries(action="privacy.")
    assert [e.action for e in entries] == ["privacy.export", "privacy.deleted", "privacy.delete"]
    for entry in entries:
        assert entry.subject == VAULT.hash(ANN)
        assert entry.detail is not None
        assert mask(ANN) in entry.detail
        assert ANN[3:] not in repr(entry)
    assert entries[-1].detail is not None
    counted = msgspec.json.decode(entries[-1].detail)
    assert counted == {"number": mask(ANN), "calls": 1, "mentions": 0, "journals": 0} | {
        "waiting": 0,
        "held": 0,
        "live": 0,
    }


async def test_nothing_of_the_person_is_left_in_the_files_of_sqlite(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    database = Database(f"sqlite:///{folder / 'records.sqlite3'}")
    await database.open()
    for n in range(30):
        await add_call_of(database, ANN, f"hers_{n}", name="Canary Ann", vault=Vault(None))
        await add_call_of(database, BOB, f"his_{n}", name="Canary Bob", vault=Vault(None))
    assert files_with(ANN, folder)
    await erased(database, folder)
    assert files_with(ANN, folder) == files_with("Canary Ann", folder) == []
    assert files_with("Canary Bob", folder)
    await database.close()


async def test_a_handout_has_all_rows_in_json_and_csv_with_their_hashes(
    database: Database, tmp_path: Path
) -> None:
    await add_call_of(database, ANN, "hers")
    await add_call(database, "other", text=f"Ann's is {ANN}.")
    hers = journal(tmp_path, "hers")
    found = await found_of(database, tmp_path)
    rows = await handout.collect(database, VAULT, found)
    folder = tmp_path / "out"
    files = handout.write(folder, rows, found.journals, MADE)
    written = msgspec.json.decode((folder / "records.json").read_bytes())
    (call,) = written["calls"]
    assert call["caller_number"] == ANN
    assert call["rang_at"] == "2026-09-21T14:13:20.000+00:00"
    assert not {"rev", "keep", "caller_hash"} & call.keys()
    assert [u["text"] for u in written["utterances"]] == [f"My number is {ANN}."] * 2
    assert written["mentions"][0]["call_id"] == "other"
    with (folder / "utterances.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [u["who"] for u in csv.DictReader(file)] == ["caller", "bot"]
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert {(folder / name) for name in listed} == set(files) - {folder / "manifest.json"}
    assert f"journals/{hers.name}" in listed
    for name, entry in listed.items():
        data = (folder / name).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert folder.stat().st_mode & 0o077 == 0


async def test_a_handout_of_nobody_has_no_rows(database: Database, tmp_path: Path) -> None:
    found = await found_of(database, tmp_path)
    rows = await handout.collect(database, VAULT, found)
    files = handout.write(tmp_path / "out", rows, found.journals, MADE)
    assert [file.name for file in files] == ["records.json", "manifest.json"]


def test_what_a_caller_said_is_no_formula(tmp_path: Path) -> None:
    handout.write(tmp_path / "out", {"utterances": [{"text": "=1+1", "n": -1}]}, [], MADE)
    assert "'=1+1,-1" in (tmp_path / "out" / "utterances.csv").read_text("utf-8-sig")


def test_a_folder_that_is_there_is_never_written_into(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is there already"):
        handout.write(tmp_path, {}, [], MADE)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Cannot make"):
        handout.write(tmp_path / "file" / "out", {}, [], MADE)


async def test_every_text_column_is_looked_through_or_is_nobodys(database: Database) -> None:
    """A new column of free text must be sorted into one of both."""
    free = {(t.name, c.name) for t in metadata.tables.values() for c in t.c if is_free_text(c)}
    looked_through = {(t.name, name) for t, names in TEXTS.items() for name in names}
    nobodys = {
        ("calls", "caller_number"),  # found by its hash
        ("consents", "text"),  # the company's own words
        ("audit", "reason"),
        ("audit", "detail"),
        ("outbox", "url"),
        ("checkpoints", "state"),  # sealed, and emptied when the call is over
        ("passes", "detail"),  # what a sign-in under way needs
    }
    assert free == looked_through | nobodys


def is_free_text(column: object) -> bool:
    return str(getattr(column, "type", "")) == "TEXT"


async def test_retention_takes_tombstones_like_any_call(database: Database, tmp_path: Path) -> None:
    await add_call_of(database, ANN, "hers", NOW - 401 * DAY)
    await erased(database, tmp_path)
    gone = await retention.retain(database, retention.Terms(), tmp_path, now=NOW, actor="test")
    assert gone.calls == 1
