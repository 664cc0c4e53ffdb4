"""The shop's data: always the same, created once, whoever comes first."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from offhook.shop.database import Database

TABLES = ("products", "stores", "departments", "hours", "stock", "orders", "order_lines")


def today() -> dt.datetime:
    return dt.datetime(2026, 3, 27, 10, tzinfo=dt.UTC)


def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    with database.reading() as connection:
        return {
            table: [tuple(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
            for table in TABLES
        }


def test_a_new_shop_is_worth_calling(tmp_path: Path) -> None:
    rows = content(Database(tmp_path / "a", today))
    assert (len(rows["orders"]), len(rows["products"]), len(rows["stores"])) == (60, 40, 6)
    assert len(rows["stock"]) == 240
    assert {row[1] for row in rows["orders"]} == {
        "processing",
        "packed",
        "shipped",
        "out_for_delivery",
        "delivered",
        "ready_for_collection",
        "cancelled",
        "returned",
    }
    assert "ACME-12345" in {row[0] for row in rows["orders"]}
    assert any(row[2] == 0 for row in rows["stock"])


def test_two_shops_of_one_day_are_the_same(tmp_path: Path) -> None:
    assert content(Database(tmp_path / "a", today)) == content(Database(tmp_path / "b", today))


def test_orders_are_as_old_as_their_status_says(tmp_path: Path) -> None:
    for row in content(Database(tmp_path / "a", today))["orders"]:
        _, status, placed, expected, delivered, *_ = row
        assert str(placed) <= "2026-03-27"
        if delivered is not None:
            assert str(placed) < str(delivered) <= "2026-03-27", row
        if status in ("processing", "packed", "shipped", "out_for_delivery"):
            assert str(expected) >= "2026-03-27", row


def test_nothing_is_created_before_it_is_needed(tmp_path: Path) -> None:
    database = Database(tmp_path / "a", today)
    assert not database.path.exists()
    content(database)
    assert database.path.exists()


def test_many_threads_create_one_shop(tmp_path: Path) -> None:
    database = Database(tmp_path / "a", today)
    with ThreadPoolExecutor(8) as pool:
        contents = list(pool.map(lambda _: content(database), range(8)))
    assert all(each == contents[0] for each in contents)
    assert len(contents[0]["orders"]) == 60


def test_who_comes_second_finds_the_shop_as_it_is(tmp_path: Path) -> None:
    database = Database(tmp_path / "a", today)
    with database.writing() as connection:
        connection.execute("DELETE FROM order_lines")
    with database.reading() as connection:
        database._create(connection)  # as when another has created it since the first look
    assert content(database)["order_lines"] == []


def test_two_processes_create_one_shop(tmp_path: Path) -> None:
    program = (
        "import datetime as dt, pathlib, sys; from offhook.shop.database import Database\n"
        "database = Database(pathlib.Path(sys.argv[1]), lambda: dt.datetime.now(dt.UTC))\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with database.reading() as c:\n"
        "    print(c.execute('SELECT count(*) FROM orders').fetchone()[0])\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "a")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=30)[0] for process in processes] == ["60\n", "60\n"]


def test_a_failure_takes_everything_back(tmp_path: Path) -> None:
    database = Database(tmp_path / "a", today)

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute("DELETE FROM order_lines")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert content(database)["order_lines"]


def test_a_file_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    with Database(path, today).writing() as connection:
        connection.execute("INSERT INTO callbacks VALUES (1, 'c', 'p', 'a', 't', 'b', NULL)")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP INDEX callbacks_key")
        connection.execute("ALTER TABLE callbacks DROP COLUMN key")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with Database(path, today).reading() as connection:
        (row,) = connection.execute("SELECT call, key FROM callbacks").fetchall()
    assert (row["call"], row["key"]) == ("c", None)


def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        content(Database(path, today))
