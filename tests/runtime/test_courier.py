"""Webhooks to others arrive, signed, at least once, and nowhere they should not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy.exc import OperationalError
from standardwebhooks import Webhook

from offhook.runtime import courier as module
from offhook.runtime.courier import PAUSES_S, Courier, again_in
from offhook.runtime.reach import PrivateError, PublicResolver, check_literal, is_public
from offhook.store.database import Database
from offhook.store.facts import CallFact
from offhook.store.outbox import Outbox, State
from offhook.store.upserts import Upserts
from support.serving import logging_to

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """SQLite alone: what differs between databases is in the outbox, and tested there."""
    database = Database(f"sqlite:///{tmp_path / 'offhook.sqlite3'}")
    await database.open()
    yield database
    await database.close()


class Receiver:
    """A company's server. `answers` are the statuses to give, the last of which goes on."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.headers: dict[str, str] = {}
        self._news = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        self._news.set()
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers=self.headers)

    async def reached(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.got) < count:
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(*answers)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()


async def owed(database: Database, url: str, count: int = 1) -> Outbox:
    """A queue with letters to this address."""
    outbox = Outbox(database, (url,))
    about = {"rang_at": 1, "ended_at": 2, "phase": "ended", "provider": "openai", "model": "m"}
    facts = [
        CallFact(call_id=f"rtc_{n}", bot="b", language="en", **about)  # type: ignore[arg-type]
        for n in range(count)
    ]
    await Upserts(database, outbox.owe).write(facts)
    return outbox


async def delivered(database: Database, receiver: Receiver, *, private: bool = True) -> Outbox:
    """Try what is due, once."""
    outbox = await owed(database, receiver.url)
    async with Courier(outbox, SECRET, private=private) as courier:
        await courier.round()
    return outbox


async def test_a_letter_is_signed_as_standard_webhooks_says(database: Database) -> None:
    async with receiving(200) as receiver:
        outbox = await owed(database, receiver.url)
        async with Courier(outbox, SECRET, private=True) as courier:
            courier.start()
            await receiver.reached(1)
    headers, body = receiver.got[0]
    payload = Webhook(SECRET).verify(body, headers)
    assert payload["type"] == "call.ended"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == (await outbox.letters())[0].id


async def test_what_is_queued_later_is_sent_at_once(database: Database) -> None:
    news = asyncio.Event()
    async with receiving(200) as receiver:
        outbox = Outbox(database, (receiver.url,))
        async with Courier(outbox, SECRET, private=True, poll_s=60, news=news) as courier:
            assert await courier.round() == 0
            courier.start()
            await owed(database, receiver.url)
            news.set()
            await receiver.reached(1)


async def test_what_arrived_is_not_sent_again(database: Database) -> None:
    async with receiving(204) as receiver:
        outbox = await delivered(database, receiver)
        (letter,) = await outbox.letters()
        assert (letter.state, letter.tries, letter.error) == (State.SENT, 1, None)
        async with Courier(outbox, SECRET, private=True) as courier:
            assert await courier.round() == 0
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [300, 302, 307, 400, 404, 429, 500, 503])
async def test_what_is_not_taken_waits_for_the_next_attempt(
    database: Database, status: int
) -> None:
    async with receiving(status) as receiver:
        receiver.headers = {"Location": "/elsewhere"}
        outbox = await delivered(database, receiver)
    (letter,) = await outbox.letters()
    assert (letter.state, letter.error) == (State.WAITING, f"status {status}")
    assert len(receiver.got) == 1  # and no redirect was followed
    assert letter.next_at is not None
    assert 0 < letter.next_at - letter.made_at < 60_000


async def test_each_attempt_has_the_same_id_and_its_own_time(database: Database) -> None:
    clock = [1_800_000_000.0]
    async with receiving(500, 200) as receiver:
        outbox = Outbox(database, (receiver.url,), lambda: clock[0])
        await owed(database, receiver.url)
        clock[0] = 4_000_000_000.0
        async with Courier(outbox, SECRET, private=True, now=lambda: clock[0]) as sends:
            await sends.round()
            clock[0] += 3600
            await sends.round()
    (first, body), (second, again) = receiver.got
    assert body == again
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 3600
    assert [letter.state for letter in await outbox.letters()] == [State.SENT]


async def test_a_receiver_that_is_gone_for_good_is_left_alone(database: Database) -> None:
    async with receiving(410) as receiver:
        with logging_to() as log:
            outbox = await delivered(database, receiver)
    (letter,) = await outbox.letters(State.DEAD)
    assert letter.error == "status 410"
    (line,) = [line for line in log.lines if line["level"] == "error"]
    assert "offhook webhooks dead" in line["event"]
    assert "/hook" not in str(line)


async def test_a_receiver_may_ask_for_a_longer_wait(database: Database) -> None:
    async with receiving(503) as receiver:
        receiver.headers = {"Retry-After": "1800"}
        outbox = await delivered(database, receiver)
    (letter,) = await outbox.letters()
    assert letter.next_at is not None
    assert letter.next_at - letter.made_at > 1_000_000


async def test_one_who_is_not_there_is_tried_again_and_others_are_not_kept(
    database: Database,
) -> None:
    async with receiving(200) as receiver:
        outbox = Outbox(database, ("http://127.0.0.1:9/nobody", receiver.url))
        await owed(database, "http://127.0.0.1:9/nobody")
        await owed(database, receiver.url)
        async with Courier(outbox, SECRET, private=True) as courier:
            await courier.round()
    states = {letter.url: (letter.state, letter.error) for letter in await outbox.letters()}
    assert states[receiver.url] == (State.SENT, None)
    state, error = states["http://127.0.0.1:9/nobody"]
    assert state is State.WAITING
    assert error is not None
    assert error.startswith("ClientConnectorError")


async def test_a_private_address_is_not_knocked_at_unless_it_is_allowed(
    database: Database,
) -> None:
    async with receiving(200) as receiver:
        outbox = await delivered(database, receiver, private=False)
        by_name = receiver.url.replace("127.0.0.1", "localhost")
        await owed(database, by_name)
        async with Courier(outbox, SECRET) as courier:
            await courier.round()
    assert receiver.got == []
    for letter in await outbox.letters():
        assert letter.state is State.WAITING
        assert "private network" in (letter.error or "")


async def test_a_database_that_is_away_is_told_once_and_waited_for(database: Database) -> None:
    class Away(Outbox):
        asked = 0
        enough = asyncio.Event()

        async def claim(self, most: int = 20) -> list[object]:  # type: ignore[override]
            self.asked += 1
            if self.asked == 5:
                self.enough.set()
            raise OperationalError("select", {}, OSError("gone"))

    away = Away(database)
    with logging_to() as log:
        async with Courier(away, SECRET, poll_s=0) as courier:
            courier.start()
            async with asyncio.timeout(5):
                await away.enough.wait()
    assert len([line for line in log.lines if line["level"] == "warning"]) == 1


def test_the_waits_grow_and_come_to_an_end_within_two_days() -> None:
    waits = [again_in(n) for n in range(len(PAUSES_S))]
    assert all(
        wait is not None and 0.8 * p <= wait <= 1.2 * p
        for wait, p in zip(waits, PAUSES_S, strict=True)
    )
    assert again_in(len(PAUSES_S)) is None
    assert 24 * 3600 < sum(PAUSES_S) < 48 * 3600
    assert sum(PAUSES_S) < module.KEEP_SENT_S


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "168.63.129.16",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(PrivateError):
        check_literal(address.partition("%")[0])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)
    check_literal(address)


async def test_names_that_lead_inside_are_refused_however_they_are_written() -> None:
    resolver = PublicResolver()
    for name in ("localhost", "2130706433", "127.1"):
        with pytest.raises((PrivateError, OSError)):
            await resolver.resolve(name, 80)
    check_literal("crm.example.com")
    await resolver.close()
