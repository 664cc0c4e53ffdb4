"""Calls made by hand for tests of reading: rows with every column, and what a filter means."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, delete

from offhook.core.end import FAULTS, EndReason
from offhook.store.database import Database
from offhook.store.reading import Filter
from offhook.store.schema import SAME, calls, metadata, utterances

NOON = 1_795_435_200_000  # 2026-11-23 12:00 UTC
DAY = 86_400_000
HASHES = tuple(f"{n:064x}" for n in range(3))
SAYINGS = (
    "Hello, where is my order ACME-12345?",
    "Hello, is the Kettle Glass in stock?",
    "Grüße! Wo ist meine Bestellung?",
    '100 % sure: it\'s "fine" -- NOT broken_at_all',
    None,
)

Row = dict[str, Any]


def row(call_id: str, rang_at: int = NOON, **values: Any) -> Row:
    """One call that was answered and has ended, unless `values` say otherwise."""
    made: Row = {
        "call_id": call_id,
        "rang_at": rang_at,
        "phase": "ended",
        "provider": "openai",
        "model": "gpt-realtime",
        "bot": "shop",
        "line": "+493023125001",
        "called": "+493023125001",
        "language": "en",
        "caller_hash": HASHES[0],
        "caller_number": "+493023125077",
        "caller_masked": "+49 30 *****077",
        "caller_name": None,
        "accepted_at": rang_at + 200,
        "attached_at": rang_at + 350,
        "greeted_at": rang_at + 900,
        "greeted": True,
        "ended_at": rang_at + 60_200,
        "reason": "caller_hung_up",
        "fault": "caller",
        "detail": None,
        "target": None,
        "utterances": 1,
        "tools": 0,
        "cost_usd": 0.05,
    }
    return made | values


def many(count: int, seed: int = 1) -> list[Row]:
    """Calls of all kinds, some in the same millisecond, with `text` for what was said."""
    dice = random.Random(seed)
    return [_any(dice, f"rtc_{n:04}_{dice.getrandbits(32):08x}") for n in range(count)]


def _any(dice: random.Random, call_id: str) -> Row:
    rang_at = NOON + dice.randrange(60) * 3_600_000
    reason = dice.choice(list(EndReason))
    live = dice.random() < 0.1
    made = row(
        call_id,
        rang_at,
        phase="live" if live else "ended",
        model=dice.choice(("gpt-realtime", "gpt-realtime-mini")),
        bot=dice.choice(("shop", "survey")),
        line=dice.choice(("+493023125001", "+493023125002", None)),
        caller_hash=dice.choice((*HASHES, None)),
        accepted_at=dice.choice((None, rang_at + 100)),
        ended_at=None if live else rang_at + dice.randrange(200_000),
        reason=None if live else reason.value,
        fault=None if live else FAULTS[reason].value,
        target="desk" if reason is EndReason.TRANSFERRED else None,
        cost_usd=dice.choice((None, 0.01, 0.2)),
    )
    return made | {"text": dice.choice(SAYINGS)}


async def put(database: Database, table: Table, rows: Iterable[Row]) -> None:
    """Add rows."""
    some = list(rows)
    async with database.write() as connection:
        if some:
            await connection.execute(table.insert(), some)


async def put_calls(database: Database, rows: Iterable[Row]) -> None:
    """Add calls, each with its `text`, if it has one, as the one thing said."""
    some = list(rows)
    facts = [{name: value for name, value in each.items() if name != "text"} for each in some]
    await put(database, calls, facts)
    told = [each for each in some if "text" in each]
    words = [said(each["call_id"], 0, each["text"], at=each["rang_at"]) for each in told]
    await put(database, utterances, words)


def said(call_id: str, place: int, text: str | None, **values: Any) -> Row:
    """One utterance."""
    made = {"call_id": call_id, "item": f"item_{place}", "place": place, "who": "caller"}
    made |= {"at": NOON + 1000 * place, "text": text, "spoken_ms": None, "heard_ms": None}
    return made | values


async def empty(database: Database) -> None:
    """Take everything out again."""
    async with database.write() as connection:
        for table in metadata.sorted_tables:
            if table.name != "audit":
                await connection.execute(delete(table))


def fits(made: Row, wanted: Filter) -> bool:
    """What a filter means, said once more in plain Python; `text` by its one word."""
    length = (
        None
        if made["ended_at"] is None or made["accepted_at"] is None
        else made["ended_at"] - made["accepted_at"]
    )
    return all(
        (
            wanted.since is None or made["rang_at"] >= wanted.since,
            wanted.until is None or made["rang_at"] < wanted.until,
            not wanted.number_hashes or made["caller_hash"] in wanted.number_hashes,
            wanted.live is None or (made["ended_at"] is None) is wanted.live,
            *(getattr(wanted, name) in (None, made[name]) for name in SAME),
            wanted.min_length_ms is None or (length is not None and length >= wanted.min_length_ms),
            wanted.min_cost_usd is None or (made["cost_usd"] or -1) >= wanted.min_cost_usd,
            wanted.text is None or wanted.text in (made.get("text") or "").lower(),
        )
    )


def newest_first(rows: Iterable[Row]) -> list[str]:
    """The ids in the order of a list."""
    ordered = sorted(rows, key=lambda each: (each["rang_at"], each["call_id"]), reverse=True)
    return [each["call_id"] for each in ordered]
