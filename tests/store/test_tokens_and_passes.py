"""Tokens and passes: shown once, valid for a while, gone at once when they are to be."""

from __future__ import annotations

import asyncio

from sqlalchemy import select

from offhook.store.database import Database
from offhook.store.passes import Kind, Passes
from offhook.store.schema import metadata, passes, tokens
from offhook.store.tokens import Role, Tokens


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_each_role_may_what_those_before_it_may() -> None:
    assert [a.may(b) for a in Role for b in Role] == [
        *(True, False, False),
        *(True, True, False),
        *(True, True, True),
    ]


async def test_a_token_opens_until_it_expires(database: Database) -> None:
    clock = Clock()
    book = Tokens(database, clock)
    token, secret = await book.create("scraper", Role.VIEWER, by="console", lasts_s=60)
    assert secret.startswith("offhook_")
    assert len(secret) == len("offhook_") + 43
    assert await book.find(secret) == token
    clock.now += 59.9
    assert await book.find(secret) == token
    clock.now += 0.1
    assert await book.find(secret) is None
    assert [each.id for each in await book.all()] == [token.id]


async def test_a_token_without_an_end_goes_on(database: Database) -> None:
    clock = Clock()
    book = Tokens(database, clock)
    token, secret = await book.create("crm", Role.ADMIN, by="console", lasts_s=None)
    clock.now += 1e9
    assert await book.find(secret) == token


async def test_a_revoked_token_opens_nothing_from_that_moment(database: Database) -> None:
    book = Tokens(database)
    token, secret = await book.create("crm", Role.ADMIN, by="console", lasts_s=None)
    assert await book.revoke(token.id)
    assert await book.find(secret) is None
    assert not await book.revoke(token.id)
    assert not await book.revoke("tok_nobody")


async def test_no_secret_is_anywhere_in_the_database(database: Database) -> None:
    _, secret = await Tokens(database).create("crm", Role.ADMIN, by="x", lasts_s=None)
    link = await Passes(database).issue(Kind.LINK, who="console", role=Role.ADMIN, lasts_s=60)
    async with database.read() as connection:
        held = [str((await connection.execute(select(t))).all()) for t in metadata.sorted_tables]
    assert not any(s in text for s in (secret, secret[8:], link) for text in held)


async def test_the_use_of_a_token_is_noted_once_a_minute(database: Database) -> None:
    clock = Clock()
    book = Tokens(database, clock)
    _, secret = await book.create("crm", Role.VIEWER, by="console", lasts_s=None)
    noted = []
    for _ in range(5):
        found = await book.find(secret)
        assert found is not None
        await book.used(found)
        async with database.read() as connection:
            noted.append((await connection.execute(select(tokens.c.used_at))).scalar_one())
        clock.now += 30
    first = 1_800_000_000_000
    assert noted == [first, first, first + 60_000, first + 60_000, first + 120_000]


async def test_a_pass_is_valid_for_its_own_purpose_and_time(database: Database) -> None:
    clock = Clock()
    door = Passes(database, clock)
    secret = await door.issue(Kind.SESSION, who="ann", role=Role.VIEWER, lasts_s=10)
    found = await door.find(Kind.SESSION, secret)
    assert found is not None
    assert (found.who, found.role) == ("ann", Role.VIEWER)
    assert await door.find(Kind.LINK, secret) is None
    clock.now += 10
    assert await door.find(Kind.SESSION, secret) is None


async def test_of_two_who_redeem_a_link_at_once_one_gets_in(database: Database) -> None:
    door = Passes(database)
    secret = await door.issue(Kind.LINK, who="console", role=Role.ADMIN, lasts_s=60)
    got = await asyncio.gather(*(door.redeem(Kind.LINK, secret) for _ in range(4)))
    assert len([each for each in got if each is not None]) == 1
    assert await door.redeem(Kind.LINK, secret) is None


async def test_expired_passes_are_swept_out(database: Database) -> None:
    clock = Clock()
    door = Passes(database, clock)
    await door.issue(Kind.LOGIN, who="-", lasts_s=1)
    clock.now += 2
    await door.issue(Kind.LOGIN, who="-", lasts_s=1)
    async with database.read() as connection:
        assert len((await connection.execute(select(passes))).all()) == 1
