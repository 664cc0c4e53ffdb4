"""Calls as a file for other programs: CSV, JSON Lines or Parquet, row by row.

JSON Lines have the fields of the API. CSV and Parquet have times as times, in UTC.
"""

from __future__ import annotations

import csv
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from enum import StrEnum
from io import TextIOWrapper
from typing import Any, BinaryIO

import msgspec

from offhook.errors import UserError
from offhook.reports import times
from offhook.store.reading import CallSummary

NUMBER = "caller_number"  # the one column that only --reveal adds
NO_PARQUET = "Parquet needs pyarrow: pip install 'offhook[parquet]'. CSV and jsonl need nothing."

# A spreadsheet takes a cell that begins so for a formula; an apostrophe makes it text
# (https://owasp.org/www-community/attacks/CSV_Injection). A number, masked or not, may stay.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_PHONE = re.compile(r"\+[\d *]+")


class Format(StrEnum):
    """What a file can be."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class Sheet(ABC):
    """A file under way. `close` must be called, or it has no end."""

    def __init__(self, out: BinaryIO, *, numbers: bool) -> None:
        self.columns = (*CallSummary.__struct_fields__, *((NUMBER,) if numbers else ()))

    def add(self, calls: Iterable[CallSummary], numbers: Mapping[str, str]) -> None:
        """Write some calls; `numbers` are the revealed ones by call."""
        self.write([self._row(call, numbers.get(call.call_id)) for call in calls])

    def _row(self, call: CallSummary, number: str | None) -> dict[str, Any]:
        row = msgspec.structs.asdict(call)
        return row | {NUMBER: number} if NUMBER in self.columns else row

    @abstractmethod
    def write(self, rows: list[dict[str, Any]]) -> None:
        """Write rows, each with all columns."""

    @abstractmethod
    def close(self) -> None:
        """Write what comes last."""


def sheet(form: Format, out: BinaryIO, *, numbers: bool = False) -> Sheet:
    """A new file of this form. Raises `UserError` where what it needs is not installed."""
    match form:
        case Format.CSV:
            return _Csv(out, numbers=numbers)
        case Format.JSONL:
            return _JsonLines(out, numbers=numbers)
        case Format.PARQUET:
            return _Parquet(out, numbers=numbers)


class _Csv(Sheet):
    """As RFC 4180 has it, in UTF-8."""

    def __init__(self, out: BinaryIO, *, numbers: bool) -> None:
        super().__init__(out, numbers=numbers)
        self._text = TextIOWrapper(out, "utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(self.columns)

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._writer.writerows([_cell(name, row[name]) for name in self.columns] for row in rows)

    def close(self) -> None:
        self._text.detach()


def _cell(name: str, value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() if name.endswith("_at"):
            return times.iso(value)
        case str():
            return safe(value)
        case _:
            return value


def safe(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _FORMULA.match(text) and not _PHONE.fullmatch(text) else text


class _JsonLines(Sheet):
    """One JSON object a line (https://jsonlines.org)."""

    def __init__(self, out: BinaryIO, *, numbers: bool) -> None:
        super().__init__(out, numbers=numbers)
        self._out = out

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._out.write(msgspec.json.Encoder().encode_lines(rows))

    def close(self) -> None:
        """Nothing comes last."""


class _Parquet(Sheet):
    """A row group for each batch, columns typed from the fields of `CallSummary`."""

    def __init__(self, out: BinaryIO, *, numbers: bool) -> None:
        super().__init__(out, numbers=numbers)
        try:
            import pyarrow as pa  # type: ignore[import-untyped]
            from pyarrow import parquet
        except ImportError:
            raise UserError(NO_PARQUET) from None
        hints = msgspec.structs.fields(CallSummary)
        types = {each.name: _arrow(pa, each) for each in hints} | {NUMBER: pa.string()}
        self._schema = pa.schema([(name, types[name]) for name in self.columns])
        self._table = pa.Table
        self._writer = parquet.ParquetWriter(out, self._schema)

    def write(self, rows: list[dict[str, Any]]) -> None:
        self._writer.write_table(self._table.from_pylist(rows, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


def _arrow(pa: Any, field: msgspec.structs.FieldInfo) -> Any:
    if field.name.endswith("_at"):
        return pa.timestamp("ms", tz="UTC")
    kinds = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
    kinds[float] = pa.float64()
    return next(kinds[kind] for kind in kinds if _holds(field.type, kind))


def _holds(hint: Any, kind: type) -> bool:
    return hint is kind or kind in getattr(hint, "__args__", ())
