"""Seal all numbers anew with the first key, so that the keys after it can be thrown away."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from sqlalchemy import select, update

from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.retention import PAUSE_S
from offhook.store.schema import calls
from offhook.store.vault import Vault

_PAGE = 500


class Rekeyed(Struct, frozen=True):
    """How many numbers were sealed anew, how many no key opens, and how many are but a hash."""

    sealed: int = 0
    unreadable: int = 0
    hashed: int = 0


async def rekey(database: Database, vault: Vault, actor: str) -> Rekeyed:
    """Seal and hash every stored number with the first key, and note it in the audit log.

    A number of which only the hash was kept cannot be hashed anew: it is found as long as its key
    is in the list.
    """
    sealed = unreadable = hashed = 0
    last = ""
    while True:
        page = select(calls.c.call_id, calls.c.caller_number, calls.c.caller_hash)
        page = page.where(calls.c.call_id > last, calls.c.caller_hash.is_not(None))
        async with database.read() as connection:
            rows = (await connection.execute(page.order_by(calls.c.call_id).limit(_PAGE))).all()
        if not rows:
            break
        new: dict[str, str] = {}
        for row in rows:
            if row.caller_number is None:
                hashed += 1
            elif (number := vault.unseal(row.caller_number)) is None:
                unreadable += 1
            elif vault.hash(number) != row.caller_hash or vault.stale(row.caller_number):
                new[row.call_id] = number
        async with database.write() as connection:
            for call_id, number in new.items():
                values = {"caller_number": vault.seal(number), "caller_hash": vault.hash(number)}
                row_of = update(calls).where(calls.c.call_id == call_id)
                there = calls.c.caller_number.is_not(None)  # not erased meanwhile
                await connection.execute(row_of.where(there).values(**values))
        sealed, last = sealed + len(new), rows[-1].call_id
        await asyncio.sleep(PAUSE_S)
    await Audit(database).note(actor, "privacy.rekeyed", detail=f'{{"sealed":{sealed}}}')
    return Rekeyed(sealed, unreadable, hashed)
