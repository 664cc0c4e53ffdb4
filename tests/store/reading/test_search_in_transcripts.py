"""What a person types is words, and the index has the words that are in the transcripts now."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from offhook.store.database import Database
from offhook.store.reading import Filter, page, stats
from offhook.store.reading.search import MOST_WORDS, tsquery, words
from offhook.store.schema import calls, utterances
from support.made_calls import NOON, put, put_calls, row, said

HOSTILE = (
    '"',
    "'",
    "a OR b",
    "NOT hello",
    "hello NEAR kettle",
    "words: hello",
    "hello*",
    "^hello",
    "(hello",
    "-- ; DROP TABLE calls",
    "he%lo_",
    "hello & !kettle <-> x:*",
    "\\",
    "\x00hello",
    "",
    "   ",
    "ﬀ",
    "İ",
)


async def found(database: Database, typed: str | None, **wanted: Any) -> list[str]:
    async with database.read() as connection:
        one = await page(connection, Filter(text=typed, **wanted))
    return sorted(each.call_id for each in one.items)


async def talk(database: Database, call_id: str, *sayings: str, **values: Any) -> None:
    await put_calls(database, [row(call_id, **values)])
    await put(database, utterances, [said(call_id, n, each) for n, each in enumerate(sayings)])


async def test_all_words_in_one_call_by_whomever_and_in_any_order(database: Database) -> None:
    await talk(database, "a", "Hello, this is ACME.", "Where is my kettle?")
    await talk(database, "b", "Hello!", "Nothing.")
    assert await found(database, "kettle hello") == ["a"]
    assert await found(database, "HELLO") == ["a", "b"]
    assert await found(database, "kettle nothing") == []


async def test_the_last_word_may_be_a_beginning_and_the_others_not(database: Database) -> None:
    await talk(database, "a", "The information desk at the kettle shop.")
    for typed in ("in", "inf", "inform", "informatio", "information", "the kettl"):
        assert await found(database, typed) == ["a"], typed
    assert await found(database, "kettl the") == []
    assert await found(database, "informations") == []


async def test_one_letter_is_a_word_and_no_beginning(database: Database) -> None:
    await talk(database, "a", "Plan B")
    await talk(database, "b", "Bees")
    assert await found(database, "b") == ["a"]


async def test_a_beginning_with_very_many_endings_finds_them_all(database: Database) -> None:
    for n in range(4):
        await talk(database, f"{n}", " ".join(f"number{n}{m}" for m in range(20)))
    assert await found(database, "number") == ["0", "1", "2", "3"]


async def test_numbers_with_hyphens_are_found_by_each_part(database: Database) -> None:
    await talk(database, "a", "It is ACME-12345, for 3.50 a piece, ann@example.com.")
    for typed in ("12345", "acme", "acme-12345", "-12345", "50", "example", "3.50"):
        assert await found(database, typed) == ["a"], typed


async def test_accents_count(database: Database) -> None:
    await talk(database, "a", "schöne Grüße")
    assert await found(database, "grüße schön") == ["a"]
    assert await found(database, "grusse") == []


@pytest.mark.parametrize("typed", HOSTILE)
async def test_operators_and_wildcards_are_only_text(database: Database, typed: str) -> None:
    await talk(database, "a", "Hello, the kettle.")
    await talk(database, "b", "Lo.")
    expected = {"hello*": ["a"], "^hello": ["a"], "(hello": ["a"], "\x00hello": ["a"]}
    assert await found(database, typed) == expected.get(typed, [])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.text(), min_size=1, max_size=8))
@example(["\u0e01\u0e33", "a\u0301b", "x\U0001e900y", "a\ue000b", "१२३", "Ⅷ", "ß", "ΟΣ", "\ud800"])
def test_no_text_at_all_is_an_error(database_url: str, typed: list[str]) -> None:
    async def scenario() -> None:
        database = Database(database_url)
        await database.open()
        for each in typed:
            await found(database, each)
        await database.close()

    asyncio.run(scenario())


def test_only_so_many_words_are_looked_for() -> None:
    assert len(words("x " * 100)) == MOST_WORDS


@given(st.text())
def test_a_word_has_only_letters_and_digits(typed: str) -> None:
    assert all(word.isalnum() for word in words(typed))


def test_a_query_of_postgresql_quotes_each_word() -> None:
    assert tsquery(["or", "not"]) == "'or' & 'not':*"


async def test_the_index_follows_what_is_written_changed_and_deleted(database: Database) -> None:
    await talk(database, "a", "apples")
    assert await found(database, "apples") == ["a"]
    async with database.write() as connection:
        await connection.execute(update(utterances).values(text="oranges"))
    assert await found(database, "apples") == []
    assert await found(database, "oranges") == ["a"]
    async with database.write() as connection:
        await connection.execute(update(utterances).values(text=None))
    assert await found(database, "oranges") == []
    await put(database, utterances, [said("a", 1, "plums")])
    async with database.write() as connection:
        await connection.execute(delete(utterances))
    assert await found(database, "plums") == []


@pytest.mark.parametrize("first", [calls, utterances], ids=lambda table: str(table.name))
async def test_nothing_is_left_in_the_index_of_a_call_that_is_gone(
    database: Database, first: object
) -> None:
    await talk(database, "a", "apples")
    second = utterances if first is calls else calls
    async with database.write() as connection:
        for table in (first, second):
            await connection.execute(delete(table))  # type: ignore[arg-type]
        left = await connection.execute(text("SELECT count(*) FROM search"))
        assert left.scalar_one() == 0


async def test_words_that_come_before_their_call_are_found(database: Database) -> None:
    await put(database, utterances, [said("a", 0, "apples")])
    await put_calls(database, [row("a")])
    assert await found(database, "apples") == ["a"]


async def test_calls_of_one_millisecond_do_not_get_in_each_others_way(database: Database) -> None:
    for n in range(5):
        await put_calls(database, [row(f"{n}", NOON) | {"text": "apples"}])
    assert await found(database, "apples") == ["0", "1", "2", "3", "4"]


async def documents(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(text("SELECT count(*) FROM search"))).scalar_one())


LIVE: dict[str, Any] = {"ended_at": None, "reason": None, "fault": None}


async def test_a_live_call_is_found_and_costs_the_index_nothing(database: Database) -> None:
    await talk(database, "a", "Where is my kettle?", "Schöne GRÜSSE", **LIVE)
    for typed in ("kettle", "is where", "kett", "schöne grüsse", "is grü"):
        assert await found(database, typed) == ["a"], typed
    for typed in ("ettle", "kettle lid", "grusse", "s", "e w"):
        assert await found(database, typed) == [], typed
    assert await documents(database) == 0


async def test_a_call_that_has_ended_is_found_by_the_same_words(database: Database) -> None:
    await talk(database, "a", "Where is my kettle?", **LIVE)
    async with database.write() as connection:
        await connection.execute(update(calls).values(ended_at=NOON, reason="bug"))
    assert await found(database, "kettle") == ["a"]
    assert await found(database, "kettle", live=False, reason="bug") == ["a"]
    assert await found(database, "kettle", live=True) == []
    assert await documents(database) == 1
    await put(database, utterances, [said("a", 1, "late words")])
    assert await found(database, "kettle late") == ["a"]


async def test_figures_count_words_of_live_calls_too(database: Database) -> None:
    await talk(database, "a", "apples", **LIVE)
    await talk(database, "b", "apples")
    async with database.read() as connection:
        assert (await stats(connection, Filter(text="apples"))).calls == 2
        assert (await stats(connection, Filter(text="apples", live=True))).calls == 1


async def test_what_is_found_out_after_the_end_is_in_the_index(database: Database) -> None:
    await talk(database, "a", "apples", reason="bug", cost_usd=None, accepted_at=NOON)
    late = {"reason": "transferred", "cost_usd": 3.0, "ended_at": NOON + 700_000}
    async with database.write() as connection:
        await connection.execute(update(calls).values(**late))
    for wanted in ({"reason": "transferred"}, {"min_cost_usd": 2.5}, {"min_length_ms": 650_000}):
        assert await found(database, "apples", **wanted) == ["a"]
    for wanted in ({"reason": "bug"}, {"min_cost_usd": 3.5}, {"min_length_ms": 750_000}):
        assert await found(database, "apples", **wanted) == []


async def test_facts_that_share_a_letter_are_told_apart(database: Database) -> None:
    if database.dialect == "postgresql":
        pytest.skip("letters are of SQLite's index")
    await talk(database, "a", "apples", line="one")
    async with database.write() as connection:
        shared = "SELECT id + 6400, name, 'two' FROM search_facts WHERE value = 'one'"
        await connection.execute(text(f"INSERT INTO search_facts {shared}"))
    await talk(database, "b", "apples", line="two")
    assert await found(database, "apples", line="one") == ["a"]
    assert await found(database, "apples", line="two") == ["b"]


async def test_letters_of_facts_in_words_that_were_said_find_nothing(database: Database) -> None:
    letters = " ".join(map(chr, range(0xE000, 0xE040)))
    await talk(database, "a", f"apples {letters}", reason="bug")
    await talk(database, "b", "apples", reason="transferred")
    assert await found(database, "apples", reason="transferred") == ["b"]


async def test_figures_may_be_narrowed_by_words(database: Database) -> None:
    await talk(database, "a", "apples")
    await talk(database, "b", "oranges")
    async with database.read() as connection:
        assert (await stats(connection, Filter(text="apples"))).calls == 1
        assert (await stats(connection, Filter(text="-"))).calls == 0
