"""The records of this machine's settings, opened for a command; callers' numbers, revealed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from offhook.config import Settings, load
from offhook.errors import UserError
from offhook.store.audit import Audit, shell_actor
from offhook.store.database import Database
from offhook.store.reading import numbers
from offhook.store.vault import Vault

REVEALED = "number.revealed"


class Records(Struct, frozen=True):
    """An open database and the keys to it."""

    settings: Settings
    database: Database
    vault: Vault

    async def reveal(
        self, call_ids: Iterable[str], *, subject: str | None = None, detail: str | None = None
    ) -> dict[str, str]:
        """The callers' numbers by call, noted in the audit log before anyone sees them.

        Raises `UserError` if there are numbers that our keys do not open.
        """
        async with self.database.read() as connection:
            stored = await numbers(connection, call_ids)
        if stored:
            await self.note(subject=subject, detail=detail)
        return self.unsealed(stored)

    async def note(self, *, subject: str | None = None, detail: str | None = None) -> None:
        """Write into the audit log that whoever runs this sees numbers."""
        await Audit(self.database).note(shell_actor(), REVEALED, subject=subject, detail=detail)

    def unsealed(self, stored: dict[str, str]) -> dict[str, str]:
        """The numbers in the clear. Raises `UserError` if our keys do not open one."""
        opened = {call_id: self.vault.unseal(number) for call_id, number in stored.items()}
        if None in opened.values():
            raise UserError(
                "--reveal needs the key that the numbers were sealed with: OFFHOOK_RECORDS_KEY."
            )
        return {call_id: number for call_id, number in opened.items() if number is not None}


@asynccontextmanager
async def opened(env_file: Path, *, make: bool = False) -> AsyncIterator[Records]:
    """The records that the settings name. Raises `UserError` if there are none to open.

    With `make` an SQLite file that does not exist is made, as `offhook serve` does.
    """
    settings = load(env_file, serving=False)
    if settings.records.database_url is None:
        raise UserError("OFFHOOK_DATABASE_URL is off: no records are kept.")
    key = settings.privacy.records_key
    database = Database(settings.records.database_url.get_secret_value())
    file = database.url.database
    missing = database.dialect == "sqlite" and file and not Path(file).exists()  # noqa: ASYNC240
    if missing and not make:
        raise UserError(
            f"There are no records yet: {file} does not exist (OFFHOOK_DATABASE_URL)."
            " `offhook serve` makes it."
        )
    try:
        await database.open()
        yield Records(settings, database, Vault(key.get_secret_value() if key else None))
    except (DBAPIError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        why = str(cause).strip().rstrip(".") or type(cause).__name__
        raise UserError(f"The database cannot be used: {why}. See OFFHOOK_DATABASE_URL.") from None
    finally:
        await database.close()
