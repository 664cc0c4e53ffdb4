"""`offhook token` and `offhook webhooks`, as one types them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from offhook.cli import app
from offhook.cli.tokens import length_s
from offhook.errors import UserError
from offhook.store.audit import Audit
from offhook.store.database import Database
from offhook.store.outbox import Outbox
from offhook.store.tokens import Role, Token, Tokens
from offhook.store.upserts import Upserts
from support.made_facts import call_fact
from support.process import offhook

T = TypeVar("T")


class Shell:
    """A folder with settings, in which commands are typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'offhook.sqlite3'}"
        self.env = {"OFFHOOK_DATABASE_URL": self.url}

    def type(self, *words: str) -> Result:
        """Run a command."""
        none = self.folder / "none.env"
        none.touch()
        return CliRunner().invoke(app, [*words, "--env-file", str(none)], env=self.env)

    def ask(self, what: Callable[[Database], Awaitable[T]]) -> T:
        """Look into the database."""

        async def work() -> T:
            database = Database(self.url)
            await database.open()
            try:
                return await what(database)
            finally:
                await database.close()

        return asyncio.run(work())


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def create(shell: Shell, *more: str) -> Result:
    return shell.type("token", "create", "--role", "supervisor", "--name", "crm", *more)


def test_a_token_is_made_printed_once_and_audited(shell: Shell) -> None:
    made = create(shell, "--expires", "12h")
    secret = made.stdout.strip()
    assert made.exit_code == 0
    assert secret.startswith("offhook_")
    assert "not shown again" in made.stderr

    async def find(database: Database) -> Token | None:
        (entry,) = await Audit(database).entries(action="token.created")
        assert entry.actor.startswith("shell")
        assert secret not in str(entry)
        return await Tokens(database).find(secret)

    found = shell.ask(find)
    assert found is not None
    assert (found.name, found.role) == ("crm", Role.SUPERVISOR)
    assert found.expires_at == found.made_at + 12 * 3600 * 1000


def test_tokens_are_listed_without_secrets_and_revoked(shell: Shell) -> None:
    made = json.loads(create(shell, "--json").stdout)
    listed = shell.type("token", "list")
    (shown,) = json.loads(shell.type("token", "list", "--json").stdout)
    assert made["secret"] not in listed.stdout + str(shown)
    assert shown["id"] == made["id"]
    assert "crm" in listed.stdout
    assert shell.type("token", "revoke", made["id"]).exit_code == 0
    again = shell.type("token", "revoke", made["id"])
    assert isinstance(again.exception, UserError)
    assert "offhook token list" in str(again.exception)


@pytest.mark.parametrize("text", ["", "0d", "90", "d", "-1d", "90 d", "1y", "1e3d", "9999999d"])
def test_a_length_of_time_that_is_none_is_refused(shell: Shell, text: str) -> None:
    assert isinstance(create(shell, "--expires", text).exception, UserError)


def test_lengths_of_time_are_read() -> None:
    assert [length_s(text) for text in ("90d", "12h", "30m", "never")] == [
        90 * 86_400,
        12 * 3600,
        1800,
        None,
    ]


def test_without_records_there_are_no_tokens(shell: Shell) -> None:
    shell.env = {"OFFHOOK_DATABASE_URL": "off"}
    assert "OFFHOOK_DATABASE_URL is off" in str(shell.type("token", "list").exception)


def test_a_database_that_is_not_there_is_said_in_words(shell: Shell) -> None:
    shell.env = {"OFFHOOK_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    error = shell.type("token", "list").exception
    assert isinstance(error, UserError)
    assert "OFFHOOK_DATABASE_URL" in str(error)


def test_dead_webhooks_are_listed_and_tried_again(shell: Shell) -> None:
    async def die(database: Database) -> str:
        outbox = Outbox(database, ("https://crm.example.com/x?key=s3cret",))
        await Upserts(database, outbox.owe).write([call_fact("rtc_1"), call_fact("rtc_2")])
        first, _ = await outbox.claim()
        await outbox.failed(first, "status 500", None)
        return first.id

    dead = shell.ask(die)
    lines = shell.type("webhooks", "dead").stdout.splitlines()
    assert lines[0].endswith("Z  dead, 1 try")
    assert lines[1:] == [f"  {dead}", "  call.ended of rtc_1 to crm.example.com", "  status 500"]
    assert all(len(line) <= 80 for line in shell.type("webhooks", "list").stdout.splitlines())
    shown = shell.type("webhooks", "dead", "--json")
    assert [each["id"] for each in json.loads(shown.stdout)] == [dead]
    assert "s3cret" not in shown.stdout
    assert len(json.loads(shell.type("webhooks", "list", "--json").stdout)) == 2
    assert shell.type("webhooks", "retry", dead).exit_code == 0
    assert isinstance(shell.type("webhooks", "retry", dead).exception, UserError)
    assert "None." in shell.type("webhooks", "dead").stdout


async def test_a_server_on_loopback_prints_a_link_that_opens_it(tmp_path: Path) -> None:
    env = {"OPENAI_API_KEY": "key", "TEST_MODE": "1", "PORT": "0"}
    async with offhook("serve", env=env, cwd=tmp_path) as process, aiohttp.ClientSession() as http:
        await process.listens()
        line = await process.said("To look in, open ")
        link = line.removeprefix("To look in, open ").partition(" ")[0]
        async with http.get(link) as answer:
            assert answer.status == 200
        async with http.get(link) as answer:
            assert answer.status == 401
        assert not any(link.partition("=")[2] in str(entry) for entry in process.lines)
