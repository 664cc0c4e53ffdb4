"""Numbers of many calls are what counting by hand gives, on both databases."""

from __future__ import annotations

import math
import random

import pytest

from offhook.store.database import Database
from offhook.store.reading import Filter, costs, percentiles, stats
from offhook.store.reading.groups import By
from offhook.store.reading.latency import MEASURES
from offhook.store.schema import deliveries, transfers, turns
from support.made_calls import DAY, NOON, many, put, put_calls, row


def nearest_rank(values: list[float], percent: int) -> float:
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


async def test_stats_count_calls_by_hand(database: Database) -> None:
    await put_calls(
        database,
        [
            row("a"),
            row("b", NOON + DAY, reason="model_failed", fault="cloud", cost_usd=None),
            row("c", NOON + DAY, accepted_at=None, reason="caller_left_early"),
            row("d", NOON + DAY, ended_at=None, phase="live", reason=None, fault=None),
        ],
    )
    tried = [("a", 1, "refused"), ("a", 2, "transferred"), ("b", 1, None)]
    await put(
        database,
        transfers,
        [
            {"call_id": c, "n": n, "target": "desk", "began_at": NOON, "outcome": outcome}
            for c, n, outcome in tried
        ],
    )
    async with database.read() as connection:
        found = await stats(connection)
        later = await stats(connection, Filter(since=NOON + 1))
    assert (found.calls, found.live, found.answered, found.answered_share) == (4, 1, 3, 0.75)
    assert (found.transfers, found.transferred, found.transfer_success) == (2, 1, 0.5)
    assert found.cut_short == 1
    assert (found.average_length_ms, found.longest_ms) == (60_000, 60_000)
    assert found.cost_usd == pytest.approx(0.15)
    assert {each.value: each.calls for each in found.reasons} == {
        None: 1,
        "caller_hung_up": 1,
        "caller_left_early": 1,
        "model_failed": 1,
    }
    assert [(each.value, each.calls) for each in found.faults] == [
        ("caller", 2),
        (None, 1),
        ("cloud", 1),
    ]
    assert [(each.value, each.calls) for each in found.days] == [
        ("2026-11-23", 1),
        ("2026-11-24", 3),
    ]
    assert (later.calls, later.transfers, later.transfer_success) == (3, 0, None)


async def test_no_calls_are_no_division_by_zero(database: Database) -> None:
    async with database.read() as connection:
        found = await stats(connection)
        assert await percentiles(connection) == ()
        assert await costs(connection) == ()
        assert await costs(connection, by="day") == ()
    assert (found.calls, found.answered_share, found.average_length_ms) == (0, None, None)
    assert found.reasons == found.days == ()


@pytest.mark.parametrize("by", [None, "model", "line", "day"])
async def test_percentiles_are_those_of_plain_python(database: Database, by: By | None) -> None:
    dice = random.Random(7)
    rows = many(60)
    await put_calls(database, rows)
    made = [
        {"call_id": each["call_id"], "item": f"item_{n}", "n": n, "stopped_at": NOON}
        | {"latency_ms": dice.choice((None, dice.randrange(3000))), "own_ms": dice.randrange(9)}
        for each in rows
        for n in range(dice.randrange(4))
    ]
    await put(database, turns, made)
    rung = [
        {"at": NOON, "call_id": each["call_id"], "result": "started", "status": 200}
        | {"took_us": dice.randrange(100_000)}
        for each in rows
    ]
    await put(database, deliveries, rung)
    calls = {each["call_id"]: each for each in rows}

    def group(call_id: str) -> str | None:
        if by == "day":
            return "2026-11-" + str(23 + (calls[call_id]["rang_at"] - NOON + DAY // 2) // DAY)
        return calls[call_id][by] if by else None

    expected: dict[tuple[str, str | None], list[float]] = {}
    for turn in made:
        for measure in ("latency", "own"):
            if (value := turn[f"{measure}_ms"]) is not None:
                expected.setdefault((measure, group(turn["call_id"])), []).append(value)
    for each in rung:
        expected.setdefault(("ring_to_200", group(each["call_id"])), []).append(
            each["took_us"] / 1000
        )
    for each in rows:
        for measure, name in (
            ("accept", "accepted_at"),
            ("attach", "attached_at"),
            ("first_word", "greeted_at"),
        ):
            if each[name] is not None:
                value = each[name] - each["rang_at"]
                expected.setdefault((measure, group(each["call_id"])), []).append(value)

    async with database.read() as connection:
        found = await percentiles(connection, by=by)
    assert {(p.measure, p.group): (p.count, p.p50, p.p95, p.p99) for p in found} == {
        key: (len(values), *(nearest_rank(values, p) for p in (50, 95, 99)))
        for key, values in expected.items()
    }
    assert [p.measure for p in found] == sorted((p.measure for p in found), key=MEASURES.index)


async def test_only_the_measures_that_are_asked_for_are_given(database: Database) -> None:
    await put_calls(database, [row("a")])
    async with database.read() as connection:
        found = await percentiles(connection, measures=["accept"])
    assert [(p.measure, p.count, p.p50, p.p95, p.p99) for p in found] == [
        ("accept", 1, 200, 200, 200)
    ]


async def test_a_webhook_that_comes_again_is_no_ring(database: Database) -> None:
    await put_calls(database, [row("a")])
    first = {"at": NOON, "call_id": "a", "result": "started", "status": 200, "took_us": 3000}
    again = first | {"at": NOON + 1, "result": "duplicate", "took_us": 500_000}
    await put(database, deliveries, [first, again])
    async with database.read() as connection:
        (found,) = await percentiles(connection, measures=["ring_to_200"])
    assert (found.count, found.p99) == (1, 3)


async def test_costs_are_sums_and_what_has_no_price_is_told(database: Database) -> None:
    await put_calls(
        database,
        [
            row("a", cost_usd=0.25),
            row("b", cost_usd=None),
            row("c", NOON + DAY, model="gpt-realtime-mini", line=None, cost_usd=0.5),
        ],
    )
    async with database.read() as connection:
        (total,) = await costs(connection)
        by_model = await costs(connection, by="model")
        by_day = await costs(connection, by="day", wanted=Filter(model="gpt-realtime"))
        by_line = await costs(connection, by="line")
    assert (total.group, total.calls, total.unpriced, total.cost_usd) == (None, 3, 1, 0.75)
    assert [(c.group, c.calls, c.unpriced, c.cost_usd) for c in by_model] == [
        ("gpt-realtime", 2, 1, 0.25),
        ("gpt-realtime-mini", 1, 0, 0.5),
    ]
    assert [(c.group, c.cost_usd) for c in by_day] == [("2026-11-23", 0.25)]
    assert {c.group: c.calls for c in by_line} == {None: 1, "+493023125001": 2}
