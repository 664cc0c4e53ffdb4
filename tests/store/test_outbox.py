"""What we owe to others is queued with the record, once, and taken by one sender at a time."""

from __future__ import annotations

import asyncio
from typing import Any

from msgspec import json

from offhook.store.database import Database
from offhook.store.facts import AnyFact, CallFact, MomentFact, TransferFact
from offhook.store.outbox import CLAIMED_MS, Letter, Outbox, State
from offhook.store.upserts import Upserts

AT = 1_800_000_000_000
URLS = ("https://crm.example.com/a?key=secret", "https://b.example.com")


class Clock:
    def __init__(self) -> None:
        self.now = AT / 1000

    def __call__(self) -> float:
        return self.now


def ended(call_id: str = "rtc_1", **more: Any) -> CallFact:
    given: dict[str, Any] = {
        "phase": "ended",
        "ended_at": AT + 5000,
        "reason": "caller_hung_up",
        "fault": "caller",
    }
    return CallFact(
        call_id=call_id,
        rang_at=AT,
        provider="openai",
        model="gpt-realtime",
        bot="shop",
        language="en",
        caller_hash="h" * 64,
        caller_number="+15550142",
        caller_masked="+1 *****42",
        caller_name="Ann Smith",
        detail="she said her name is Ann",
        **(given | more),
    )


def transfer(outcome: str | None, n: int = 1) -> TransferFact:
    return TransferFact(
        call_id="rtc_1",
        n=n,
        target="workshop",
        began_at=AT,
        reason="Ann wants a person",
        ended_at=None if outcome is None else AT + 1,
        outcome=outcome,
        detail="sip:+15550142@pbx.example.com",
    )


async def owe(outbox: Outbox, database: Database, *facts: AnyFact) -> None:
    await Upserts(database, outbox.owe).write(facts)


def told(letters: list[Letter]) -> list[tuple[str, str]]:
    return sorted((letter.kind, letter.url) for letter in letters)


async def test_the_end_of_a_call_is_owed_to_every_address_once(database: Database) -> None:
    outbox = Outbox(database, URLS)
    await owe(outbox, database, ended(ended_at=None, phase="live"))
    assert await outbox.letters() == []
    for _ in range(2):  # facts are written again after a crash
        await owe(outbox, database, ended(), ended(rev=9))
    letters = await outbox.letters()
    assert told(letters) == [("call.ended", url) for url in sorted(URLS)]
    assert len({letter.id for letter in letters}) == 2


async def test_a_transfer_is_owed_if_it_has_failed(database: Database) -> None:
    outbox = Outbox(database, URLS[:1])
    going_well = [transfer(outcome) for outcome in (None, "transferred", "abandoned")]
    await owe(outbox, database, *going_well, MomentFact(call_id="rtc_1", n=1, at=1, kind="x"))
    assert await outbox.letters() == []
    await owe(outbox, database, transfer("refused", 2), transfer("still_here", 3))
    assert told(await outbox.letters()) == [("transfer.failed", URLS[0])] * 2


async def test_a_letter_says_what_happened_and_nothing_personal(database: Database) -> None:
    outbox = Outbox(database, URLS[:1])
    await owe(outbox, database, ended(), transfer("refused"))
    bodies = {letter.kind: letter.body for letter in await outbox.letters()}
    whole = json.decode(bodies["call.ended"])
    assert (whole["type"], whole["timestamp"]) == ("call.ended", "2027-01-15T08:00:05.000Z")
    assert whole["data"] == {
        "call_id": "rtc_1",
        "rang_at": "2027-01-15T08:00:00.000Z",
        "ended_at": "2027-01-15T08:00:05.000Z",
        "length_ms": None,
        "reason": "caller_hung_up",
        "fault": "caller",
        "target": None,
        "caller": "+1 *****42",
        "line": None,
        "called": None,
        "bot": "shop",
        "model": "gpt-realtime",
        "language": "en",
        "utterances": 0,
        "tools": 0,
    }
    assert not any(word in body for body in bodies.values() for word in ("Ann", "55501", "hhhh"))


async def test_without_addresses_nothing_is_owed(database: Database) -> None:
    outbox = Outbox(database)
    await owe(outbox, database, ended())
    assert await outbox.letters() == []


async def test_of_two_senders_one_gets_a_letter(database: Database) -> None:
    outbox = Outbox(database, URLS)
    await owe(outbox, database, *(ended(f"rtc_{n}") for n in range(5)))
    taken = await asyncio.gather(*(outbox.claim(most=3) for _ in range(5)))
    ids = [letter.id for letters in taken for letter in letters]
    assert len(ids) == len(set(ids)) == 10


async def test_a_letter_whose_sender_died_comes_back(database: Database) -> None:
    clock = Clock()
    outbox = Outbox(database, URLS[:1], clock)
    await owe(outbox, database, ended())
    (first,) = await outbox.claim()
    assert await outbox.claim() == []
    clock.now += CLAIMED_MS / 1000
    (again,) = await outbox.claim()
    assert (again.id, again.tries) == (first.id, first.tries + 1)


async def test_a_dead_letter_is_tried_again_when_somebody_says_so(database: Database) -> None:
    outbox = Outbox(database, URLS[:1])
    await owe(outbox, database, ended())
    (letter,) = await outbox.claim()
    await outbox.failed(letter, "status 500", None)
    (dead,) = await outbox.letters(State.DEAD)
    assert (dead.error, dead.next_at) == ("status 500", None)
    assert await outbox.claim() == []
    assert await outbox.retry(letter.id)
    assert not await outbox.retry(letter.id)
    (again,) = await outbox.claim()
    assert (again.id, again.tries, again.body) == (letter.id, 0, letter.body)


async def test_letters_that_arrived_are_forgotten_after_a_while(database: Database) -> None:
    clock = Clock()
    outbox = Outbox(database, URLS, clock)
    await owe(outbox, database, ended())
    first, second = await outbox.claim()
    await outbox.sent(first)
    await outbox.failed(second, "x", None)
    clock.now += 10
    assert await outbox.forget(11) == 0
    assert await outbox.forget(9) == 1
    assert [letter.state for letter in await outbox.letters()] == [State.DEAD]
    assert await outbox.counts() == {State.DEAD: 1}


async def test_letters_are_listed_page_by_page(database: Database) -> None:
    outbox = Outbox(database, URLS[:1])
    await owe(outbox, database, *(ended(f"rtc_{n}") for n in range(5)))
    everything = await outbox.letters()
    first = await outbox.letters(most=2)
    rest = await outbox.letters(before=(first[-1].made_at, first[-1].id))
    assert first + rest == everything
