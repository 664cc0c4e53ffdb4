"""A million calls that could have been: two years of a few bots, their lines, callers and ends."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from offhook.core.end import FAULTS, EndReason

DAY_MS = 86_400_000
NOW = 1_795_000_000_000
DAYS = 730
SAID = 5  # utterances of a call
AT_A_TIME = 20_000

BOTS = {  # each has its lines, its model, its targets: most pairs of these never meet
    "shop": (["+4930231250" + n for n in ("01", "02", "03", "04")], "gpt-realtime"),
    "service": (["+4930231251" + n for n in ("01", "02")], "gpt-realtime-mini"),
    "booking": (["+1555010" + n for n in ("1", "2", "3")], "gpt-realtime"),
    "survey": (["+15550110"], "gpt-realtime-mini"),
    "pilot": (["+15550199"], "gpt-realtime-2"),
}
SHARE_OF_BOTS = (45, 30, 19, 5.9, 0.1)
SHARE_OF_REASONS = {
    EndReason.CALLER_HUNG_UP: 55,
    EndReason.BOT_HUNG_UP: 20,
    EndReason.TRANSFERRED: 15,
    EndReason.CALLER_LEFT_EARLY: 5,
    EndReason.CALLER_SILENT: 3,
    EndReason.MAX_LENGTH: 1,
    EndReason.MODEL_FAILED: 0.5,
    EndReason.SESSION_EXPIRED: 0.3,
    EndReason.ACCEPT_FAILED: 0.19,
    EndReason.BUG: 0.01,
}
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprstw" for b in ("a", "ei", "o", "u") for c in "lmnrst"]
SENTENCES = (
    "Hello, this is the assistant of ACME, how can I help?",
    "I am calling about my order ACME-{order}, the {word} {other}.",
    "One moment, I am looking it up.",
    "It is on its way, the {other} and the {word}. Anything else?",
    "No, thank you. {rare}",
)

Row: TypeAlias = dict[str, Any]


def make(file: str, count: int, tell: Callable[[str], None]) -> None:
    """Fill an SQLite file that has the tables. Indexes and triggers wait until the end."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    waiting = connection.execute(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type = 'trigger' AND name <> 'search_written' OR name LIKE 'ix_%'"
    ).fetchall()
    for kind, name, _ in waiting:
        connection.execute(f"DROP {kind} {name}")
    dice = random.Random(1)
    connection.execute("BEGIN")
    for start in range(0, count, AT_A_TIME):
        rows = [call(dice, n, count) for n in range(start, min(start + AT_A_TIME, count))]
        _add(connection, "calls", rows)
        said = [list(utterances(dice, row)) for row in rows]
        _add(connection, "utterances", [each for some in said for each in some])
        ids = [(row["call_id"],) for row in rows if row["ended_at"] is not None]
        connection.executemany("INSERT INTO search_due VALUES (?)", ids)
        tell(f"{start + len(rows):,} calls")
    connection.execute("COMMIT")
    for _, name, sql in waiting:
        tell(name)
        connection.execute(sql)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def call(dice: random.Random, n: int, count: int) -> Row:
    """One call: the n-th, in order of time. The last few are live."""
    rang_at = NOW - DAYS * DAY_MS + int((n + dice.random()) * DAYS * DAY_MS / count)
    bot = dice.choices(list(BOTS), SHARE_OF_BOTS)[0]
    lines, model = BOTS[bot]
    reason = dice.choices(list(SHARE_OF_REASONS), list(SHARE_OF_REASONS.values()))[0]
    early = reason in (EndReason.CALLER_LEFT_EARLY, EndReason.ACCEPT_FAILED)
    length = 2_000 if early else int(dice.lognormvariate(11.4, 0.8))
    live = n >= count - 40
    minute = 0.02 if model.endswith("mini") else 0.09
    return {
        "call_id": f"rtc_{dice.getrandbits(96):024x}",
        "rang_at": rang_at,
        "phase": "live" if live else "ended",
        "provider": "azure",
        "model": model,
        "bot": bot,
        "line": dice.choice(lines),
        "language": "en",
        "caller_hash": f"{1 if n % 200 == 0 else dice.randrange(10, 300_000):064x}",
        "caller_masked": f"+1555***{n % 100:02}",
        "accepted_at": None if early else rang_at + 300,
        "attached_at": None if early else rang_at + 500,
        "greeted_at": None if early else rang_at + 900,
        "ended_at": None if live else rang_at + 300 + length,
        "reason": None if live else reason.value,
        "fault": None if live else FAULTS[reason].value,
        "target": f"{bot}-team-{n % 3}" if reason is EndReason.TRANSFERRED else None,
        "utterances": SAID,
        "cost_usd": None if early or dice.random() < 0.02 else length / 60_000 * minute,
    }


def utterances(dice: random.Random, row: Row) -> Iterator[Row]:
    """What was said in it: some words in every call, some in one of thousands."""
    word, other = WORDS[int(dice.paretovariate(0.6)) % len(WORDS)], dice.choice(WORDS)
    rare = f"{word}{other}" if dice.random() < 0.05 else "Bye"
    order = f"{dice.randrange(100_000):05}"
    for place, sentence in enumerate(SENTENCES):
        yield {
            "call_id": row["call_id"],
            "item": f"item_{place}",
            "place": place,
            "who": ("bot", "caller")[place % 2],
            "at": row["rang_at"] + 1_000 + place * 5_000,
            "text": sentence.format(word=word, other=other, rare=rare, order=order),
        }


def _add(connection: sqlite3.Connection, table: str, rows: list[Row]) -> None:
    names = ", ".join(rows[0])
    marks = ", ".join("?" for _ in rows[0])
    values = (tuple(row.values()) for row in rows)
    connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", values)  # noqa: S608
