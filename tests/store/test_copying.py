"""All records move from one database to the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from offhook.store.copying import copy, main
from offhook.store.database import Database
from offhook.store.facts import AnyFact
from offhook.store.upserts import Upserts
from support.records import call_fact, everything


async def test_every_row_arrives_and_twice_does_no_harm(
    database: Database, one_of_each: Sequence[AnyFact], tmp_path: Path
) -> None:
    source = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    await source.open()
    many = [call_fact(call_id=f"rtc_{n}") for n in range(2500)]
    await Upserts(source).write([*one_of_each, *many])
    assert (await copy(source, database))["calls"] == 2500
    await copy(source, database)
    assert await everything(database) == await everything(source)
    await source.close()


async def test_what_is_newer_in_the_target_stays(database: Database, tmp_path: Path) -> None:
    source = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    await source.open()
    await Upserts(source).write([call_fact(phase="live")])
    await Upserts(database).write([call_fact(rev=2, phase="ended")])
    await copy(source, database)
    (row,) = (await everything(database))["calls"]
    assert row["phase"] == "ended"
    await source.close()


def test_on_the_command_line_it_counts_and_says_what_it_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert "FROM TO" in capsys.readouterr().err
    urls = [f"sqlite:///{tmp_path / name}" for name in ("a.sqlite3", "b.sqlite3")]
    assert main(urls) == 0
    assert "0  calls" in capsys.readouterr().out
    assert main([urls[0], "mysql://h/calls"]) == 1
    assert "could not be copied" in capsys.readouterr().err
