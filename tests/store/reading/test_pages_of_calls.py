"""A list of calls holds each call that fits once, newest first, however SQLite goes about it."""

from __future__ import annotations

import asyncio
from itertools import combinations, islice

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offhook.store.database import Database
from offhook.store.reading import (
    EVERYTHING,
    CursorError,
    Filter,
    batches,
    deliveries,
    numbers,
    page,
    plans,
)
from offhook.store.reading.cursors import Position, decode, encode
from offhook.store.schema import deliveries as delivery_table
from support.made_calls import (
    DAY,
    HASHES,
    NOON,
    empty,
    fits,
    many,
    newest_first,
    put,
    put_calls,
    row,
)

SINGLE = (
    Filter(since=NOON + DAY),
    Filter(until=NOON + DAY),
    Filter(number_hashes=HASHES[:2]),
    Filter(reason="transferred"),
    Filter(reason="nothing"),
    Filter(fault="cloud"),
    Filter(line="+493023125002"),
    Filter(model="gpt-realtime-mini"),
    Filter(bot="survey"),
    Filter(target="desk"),
    Filter(live=True),
    Filter(live=False),
    Filter(min_length_ms=60_000),
    Filter(min_cost_usd=0.1),
    Filter(text="hello"),
    Filter(text="kettl"),
    Filter(text="grüße"),
)


def both(one: Filter, two: Filter) -> Filter:
    changes = {n: v for n, v in msgspec.structs.asdict(two).items() if v not in (None, ())}
    return msgspec.structs.replace(one, **changes)


async def everything(database: Database, wanted: Filter, size: int) -> list[str]:
    found: list[str] = []
    cursor = None
    async with database.read() as connection:
        while True:
            one = await page(connection, wanted, cursor=cursor, limit=size)
            assert len(one.items) <= size
            found += [each.call_id for each in one.items]
            if (cursor := one.next) is None:
                return found


# As things are, as if nothing were rare, and as if all were.
@pytest.mark.parametrize("few", [None, -1, 1000])
async def test_every_filter_every_pair_and_some_triples_give_the_calls_that_fit(
    database: Database, few: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if few is not None:
        if database.dialect == "postgresql":
            pytest.skip("PostgreSQL plans for itself")
        monkeypatch.setattr(plans, "FEW_OF_A_RANGE", few)
    rows = many(120)
    await put_calls(database, rows)
    pairs = (both(*pair) for pair in combinations(SINGLE, 2))
    triples = (both(a, both(b, c)) for a, b, c in islice(combinations(SINGLE, 3), 0, None, 9))
    for wanted in (EVERYTHING, *SINGLE, *pairs, *triples):
        expected = newest_first(each for each in rows if fits(each, wanted))
        assert await everything(database, wanted, 23) == expected, wanted


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    times=st.lists(st.integers(0, 5), max_size=30),
    size=st.integers(1, 12),
    later=st.lists(st.integers(0, 8), max_size=10),
    text=st.sampled_from([None, "hello"]),
)
def test_every_call_is_in_one_page_whatever_its_size_and_whatever_comes_in(
    database_url: str, times: list[int], size: int, later: list[int], text: str | None
) -> None:
    async def scenario() -> None:
        database = Database(database_url)
        await database.open()
        await empty(database)
        rows = [row(f"call_{n:02}", NOON + at) | {"text": "Hello"} for n, at in enumerate(times)]
        await put_calls(database, rows)
        found: list[str] = []
        cursor, waiting = None, list(enumerate(later))
        wanted = Filter(text=text)
        while True:
            async with database.read() as connection:
                one = await page(connection, wanted, cursor=cursor, limit=size)
            found += [each.call_id for each in one.items]
            if (cursor := one.next) is None:
                break
            if waiting:
                n, at = waiting.pop()
                await put_calls(database, [row(f"new_{n:02}", NOON + at) | {"text": "Hello"}])
        assert len(found) == len(set(found))
        assert [each for each in found if each.startswith("call")] == newest_first(rows)
        await database.close()

    asyncio.run(scenario())


async def test_batches_are_all_calls_and_never_more_than_asked_for(database: Database) -> None:
    rows = many(25)
    await put_calls(database, rows)
    async with database.read() as connection:
        found = [some async for some in batches(connection, size=10)]
    assert [len(some) for some in found] == [10, 10, 5]
    assert [each.call_id for some in found for each in some] == newest_first(rows)


async def test_the_last_page_has_no_cursor(database: Database) -> None:
    await put_calls(database, many(4))
    async with database.read() as connection:
        assert (await page(connection, limit=4)).next is None
        assert (await page(connection, limit=3)).next is not None


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "bm9uc2Vuc2U", "WzFd", "ü", "W10", encode(Position(1, 2)), encode(Position(-1, "a"))],
)
async def test_a_broken_cursor_is_an_error_that_says_what_to_do(
    database: Database, cursor: str
) -> None:
    async with database.read() as connection:
        with pytest.raises(CursorError, match="Pass `next` of the page before"):
            await page(connection, cursor=cursor)


@given(st.integers(0, 2**53 - 1), st.text())
def test_a_cursor_is_read_as_it_was_written(at: int, key: str) -> None:
    position = Position(at, key)
    try:
        cursor = encode(position)
    except UnicodeEncodeError:  # half a surrogate pair, which no database holds
        return
    assert decode(cursor, str) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_whatever_comes_as_a_cursor_is_a_position_or_a_cursor_error(text: str) -> None:
    try:
        decode(text, str)
    except CursorError:
        return
    assert text


async def test_a_call_is_as_long_as_it_was_answered(database: Database) -> None:
    await put_calls(
        database,
        [
            row("a", accepted_at=NOON + 200, ended_at=NOON + 5_200),
            row("b", accepted_at=None, ended_at=NOON + 5_000),
            row("c", ended_at=None),
        ],
    )
    async with database.read() as connection:
        found = await page(connection)
    assert {each.call_id: each.length_ms for each in found.items} == {
        "a": 5000,
        "b": None,
        "c": None,
    }


async def test_numbers_are_given_as_they_are_stored(database: Database) -> None:
    await put_calls(database, [row("a"), row("b", caller_number=None)])
    async with database.read() as connection:
        assert await numbers(connection, ["a", "b", "c"]) == {"a": "+493023125077"}


async def test_deliveries_are_paged_like_calls(database: Database) -> None:
    made = [
        {"at": NOON + n // 2, "result": "taken" if n % 3 else "repeated", "status": 200}
        | {"took_us": 900, "call_id": f"call_{n % 2}"}
        for n in range(11)
    ]
    await put(database, delivery_table, made)
    found = []
    cursor = None
    async with database.read() as connection:
        while True:
            one = await deliveries(connection, cursor=cursor, limit=3)
            found += list(one.items)
            if (cursor := one.next) is None:
                break
        some = await deliveries(connection, since=NOON + 1, until=NOON + 3, call_id="call_1")
        repeated = await deliveries(connection, result="repeated")
        with pytest.raises(CursorError):
            await deliveries(connection, cursor=encode(Position(1, "call_1")))
    assert [each.at for each in found] == sorted((each["at"] for each in made), reverse=True)
    assert len({each.id for each in found}) == 11
    assert [each.at - NOON for each in some.items] == [2, 1]
    assert len(repeated.items) == 4
