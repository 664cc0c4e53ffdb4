"""A person's data as files to hand out: JSON with everything, CSV by table, journals, a manifest.

Made for the person to read and for an auditor to check: times are ISO 8601 in UTC, and the
manifest has the SHA-256 of every file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Table, select

from offhook._version import __version__
from offhook.errors import UserError
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.schema import (
    OF_A_RECORD,
    calls,
)
from offhook.store.subject.find import Findings, Mention
from offhook.store.vault import Vault

EXPORTED = "privacy.export"

Values = dict[str, Any]

TABLES: tuple[Table, ...] = (calls, *OF_A_RECORD)
_OURS = ("rev", "caller_hash", "keep")  # of no meaning to anybody else
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def collect(database: Database, vault: Vault, found: Findings) -> dict[str, list[Values]]:
    """Every row of their calls by table, numbers revealed; then the mentions in other calls."""
    ids = [call.call_id for call in found.calls]
    rows: dict[str, list[Values]] = {}
    async with database.read() as connection:
        for table in TABLES:
            query = select(table).where(table.c.call_id.in_(ids)).order_by(*table.primary_key)
            result = await connection.execute(query)
            rows[str(table.name)] = [_readable(dict(row._mapping), vault) for row in result]
    rows["mentions"] = [_shown(mention) for mention in found.mentions]
    return rows


async def note(database: Database, found: Findings, actor: str, reason: str | None) -> None:
    """Note in the audit log that it was handed out."""
    counts = {"calls": len(found.calls), "mentions": len(found.mentions)}
    files = {"journals": len(found.journals)}
    detail = msgspec.json.encode({"number": found.masked, **counts, **files}).decode()
    await Audit(database).note(actor, EXPORTED, subject=found.hash, reason=reason, detail=detail)


def _readable(row: Values, vault: Vault) -> Values:
    values: Values = {
        str(name): _time(name, value) for name, value in row.items() if name not in _OURS
    }
    if stored := values.get("caller_number"):
        values["caller_number"] = vault.unseal(stored)
    return values


def _time(name: str, value: object) -> object:
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return datetime.fromtimestamp(value / 1000, UTC).isoformat(timespec="milliseconds")
    return value


def _shown(mention: Mention) -> Values:
    return {"table": str(mention.table.name), "call_id": mention.call_id} | mention.texts


def write(
    folder: Path, rows: Mapping[str, list[Values]], journals: Iterable[Path], made: datetime
) -> list[Path]:
    """Write all files into a new folder that only its owner can read; returns them.

    Raises `UserError` if the folder cannot be made or is there already.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise UserError(f"{folder} is there already; name a folder that is not.") from None
    except OSError as error:
        raise UserError(f"Cannot make {folder}: {error.strerror}.") from None
    everything = msgspec.json.format(msgspec.json.encode(rows), indent=2)
    files = [_file(folder / "records.json", everything)]
    for name, values in rows.items():
        if values:
            files.append(_file(folder / f"{name}.csv", _csv(values)))
    files += [_copy(path, folder) for path in journals]
    return [*files, _file(folder / "manifest.json", _manifest(files, folder, made))]


def _csv(rows: list[Values]) -> bytes:
    """With a byte order mark, or spreadsheets read it in an encoding of their own."""
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def _cell(value: object) -> object:
    """What a caller said must not be run as a formula: an apostrophe makes it a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _copy(path: Path, folder: Path) -> Path:
    (folder / "journals").mkdir(mode=0o700, exist_ok=True)
    return Path(shutil.copyfile(path, folder / "journals" / path.name))


def _file(path: Path, data: bytes) -> Path:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    return path


def _manifest(files: list[Path], folder: Path, made: datetime) -> bytes:
    listed = [
        {
            "name": path.relative_to(folder).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in files
    ]
    about = {"made_at": made.isoformat(timespec="seconds"), "offhook": __version__}
    return msgspec.json.format(msgspec.json.encode(about | {"files": listed}), indent=2)
