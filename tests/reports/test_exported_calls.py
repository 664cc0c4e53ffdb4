"""Exports are read back by other programs, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import UserError
from offhook.reports.exports import Format, safe, sheet
from offhook.store.reading import CallSummary
from support.made_calls import NOON, row


def summary(call_id: str, **values: Any) -> CallSummary:
    made = row(call_id) | {"length_ms": 60_000, "prices": None, "consent": None, "keep": False}
    made |= {"purged_at": None, "replica": None} | values
    return CallSummary(**{name: made[name] for name in CallSummary.__struct_fields__})


CALLS = (
    summary("a", detail='said "hello", then\nleft', target="=cmd|' /C calc'!A0"),
    summary("b", accepted_at=None, line=None, cost_usd=None),
)


def exported(form: Format, *batches: tuple[CallSummary, ...], numbers: bool = False) -> bytes:
    out = io.BytesIO()
    file = sheet(form, out, numbers=numbers)
    for batch in batches:
        file.add(batch, {"a": "+493023125077"} if numbers else {})
    file.close()
    return out.getvalue()


def test_csv_is_read_back_row_by_row() -> None:
    text = exported(Format.CSV, CALLS[:1], CALLS[1:]).decode()
    first, second = csv.DictReader(io.StringIO(text, newline=""))
    assert first["call_id"] == "a"
    assert first["rang_at"] == "2026-11-23T12:00:00.000Z"
    assert first["detail"] == 'said "hello", then\nleft'
    assert first["greeted"] == "true"
    assert first["caller_masked"] == "+49 30 *****077"
    assert second["accepted_at"] == second["line"] == second["cost_usd"] == ""
    assert list(first) == list(CallSummary.__struct_fields__)


def test_a_formula_is_text_in_a_spreadsheet() -> None:
    text = exported(Format.CSV, CALLS).decode()
    (first, _) = csv.DictReader(io.StringIO(text, newline=""))
    assert first["target"] == "'=cmd|' /C calc'!A0"


@pytest.mark.parametrize("typed", ["=1+1", "+A1", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "+1;A1"])
def test_what_a_spreadsheet_takes_for_a_formula_is_quoted(typed: str) -> None:
    assert safe(typed) == f"'{typed}"


@pytest.mark.parametrize("typed", ["+493023125001", "+49 30 *****001", "shop", "5-3", "", "'=1"])
def test_what_is_no_formula_is_left_alone(typed: str) -> None:
    assert safe(typed) == typed


@given(st.text())
def test_no_cell_begins_like_a_formula(typed: str) -> None:
    assert not safe(typed).startswith(("=", "@", "-", "\t", "\r"))


def test_json_lines_have_the_fields_of_the_api() -> None:
    lines = exported(Format.JSONL, CALLS).splitlines()
    assert [msgspec.json.decode(line, type=CallSummary) for line in lines] == list(CALLS)


@pytest.mark.parametrize("form", list(Format))
def test_numbers_are_a_column_only_if_they_are_revealed(form: Format) -> None:
    assert b"caller_number" not in exported(form, CALLS)
    revealed = exported(form, CALLS, numbers=True)
    assert b"caller_number" in revealed
    assert b"+493023125077" in revealed


@pytest.mark.parametrize("form", list(Format))
def test_without_calls_there_is_a_complete_file(form: Format) -> None:
    lines = exported(form).splitlines()
    assert len(lines) == {Format.CSV: 1, Format.JSONL: 0}.get(form, len(lines))


def test_parquet_has_typed_columns_and_times() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(io.BytesIO(exported(Format.PARQUET, CALLS[:1], CALLS[1:])))
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds["rang_at"] == kinds["purged_at"] == "timestamp[ms, tz=UTC]"
    assert kinds["cost_usd"] == "double"
    assert kinds["greeted"] == "bool"
    assert kinds["length_ms"] == "int64"
    assert table.column("call_id").to_pylist() == ["a", "b"]
    assert table.column("rang_at").to_pylist()[0] == datetime.fromtimestamp(NOON // 1000, UTC)
    assert table.column("accepted_at").to_pylist()[1] is None


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"pip install 'offhook\[parquet\]'"):
        sheet(Format.PARQUET, io.BytesIO())
