"""From the record to the call: what another process has written down, as a value on our clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import Row, select

from offhook.core.call import Call, Phase
from offhook.core.rules import Rules
from offhook.core.transcript import Transcript, Utterance, Who
from offhook.core.usage import Tokens, Usage
from offhook.runtime.checkpoint import Upto, moved, unseal
from offhook.store.database import Database
from offhook.store.ownership import Lease
from offhook.store.schema import checkpoints, usage, utterances
from offhook.store.vault import Vault

RulesOf: TypeAlias = Callable[[str], Rules]  # what the calls of a line have in common, by its name


class Revived(Struct, frozen=True, kw_only=True):
    """A call that another process has begun, as a value on our clock.

    `by` is that process, `None` where nothing was written down yet; `seen` is how far
    it has got; `places` are those of the utterances in the record.
    """

    lease: Lease
    call: Call
    by: str | None = None
    written_at: int | None = None
    seen: Upto | None = None
    places: tuple[int, ...] = ()


class Revival:
    """Reads calls back. Their times come out on the clock of the event loop."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def read(self, leases: Iterable[Lease], rules: RulesOf) -> list[Revived]:
        """All these calls, in three queries. Raises what the database raises."""
        leases = list(leases)
        ids = [lease.call_id for lease in leases]
        states = select(checkpoints.c.call_id, checkpoints.c.state)
        said = select(utterances).order_by(utterances.c.call_id, utterances.c.place)
        async with self._database.read() as connection:
            found = await connection.execute(states.where(checkpoints.c.call_id.in_(ids)))
            sealed = {row.call_id: row.state for row in found}
            rows = (await connection.execute(said.where(utterances.c.call_id.in_(ids)))).all()
            used = (await connection.execute(select(usage).where(usage.c.call_id.in_(ids)))).all()
        spoken = {call_id: list(part) for call_id, part in groupby(rows, lambda r: r.call_id)}
        sums = {call_id: _sum(row for row in used if row.call_id == call_id) for call_id in ids}
        now = asyncio.get_running_loop().time()
        epoch = time.time() - now
        return [
            self._revived(
                lease, sealed, spoken.get(lease.call_id, []), sums[lease.call_id], rules, epoch, now
            )
            for lease in leases
        ]

    def _revived(
        self,
        lease: Lease,
        sealed: dict[str, str | None],
        said: list[Row[Any]],
        sums: Usage,
        rules: RulesOf,
        epoch: float,
        now: float,
    ) -> Revived:
        state = sealed.get(lease.call_id)
        last = None if state is None else unseal(state, self._vault)
        if last is None:
            known, over = lease.call_id in sealed, lease.call_id in sealed and state is None
            return Revived(lease=lease, call=_unread(lease.call_id, rules(""), now, known, over))
        call = moved(last.call, last.epoch - epoch, now)
        script = Transcript(tuple(_utterance(row, epoch, now) for row in said))
        return Revived(
            lease=lease,
            call=call.with_(rules=rules(call.line), transcript=script, usage=sums),
            by=last.replica,
            written_at=last.at,
            seen=last.seen,
            places=tuple(row.place for row in said),
        )


def _unread(call_id: str, rules: Rules, now: float, known: bool, over: bool) -> Call:
    """A call of which there is no checkpoint, or none that we can read."""
    call = Call(id=call_id, rules=rules, rang_at=now)
    if over:
        return call.enter(Phase.ENDED)
    if not known:  # it rang, and no more was done: the cloud says whether it is accepted
        return call
    return call.enter(Phase.LIVE, greeted=True, accepted_at=now, attached_at=now)


def _sum(parts: Iterable[Row[Any]]) -> Usage:
    """What a call has used, from the parts on record."""
    total = Usage()
    for part in parts:
        tokens = Tokens(**{name: getattr(part, name) for name in Tokens.__struct_fields__})
        match part.kind:
            case "response":
                total = total.responded(part.ref, tokens if part.known else None)
            case _:
                counted = tokens if part.known and part.seconds is None else None
                total = total.transcribed(part.ref, counted, part.seconds)
    return total


def _utterance(row: Row[Any], epoch: float, now: float) -> Utterance:
    return Utterance(
        item=row.item,
        who=Who(row.who),
        at=min(row.at / 1000 - epoch, now),
        text=row.text,
        spoken_ms=row.spoken_ms,
        heard_ms=row.heard_ms,
    )
