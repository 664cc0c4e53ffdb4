"""`offhook privacy` and `offhook audit` as people run them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from offhook.cli import app
from offhook.errors import UserError
from offhook.store.database import Database
from offhook.store.schema import calls, utterances
from offhook.store.vault import Vault, mask, new_key
from support.rows import DAY, NOW, add_call, column, count

ANN = "+493023125001"
OLD, NEW = new_key(), new_key()
VAULT = Vault(OLD)


class Shell:
    """A folder with a `.env`, and the commands run in it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *arguments: str, code: int = 0) -> Result:
        """Run a command that ends with this code."""
        result = CliRunner().invoke(app, arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    def wrong(self, *arguments: str) -> str:
        """What is said of a mistake that the user can mend."""
        with pytest.raises(UserError) as told:
            self.run(*arguments)
        return str(told.value)

    def do(self, work: Callable[[Database], Awaitable[object]]) -> object:
        """Do something with the database."""

        async def opened() -> object:
            database = Database(self.url)
            await database.open()
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(opened())


@pytest.fixture
def shell(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    settings = {"DATABASE_URL": database_url, "RECORDS_KEY": OLD, "DEFAULT_REGION": "DE"}
    env = "".join(f"OFFHOOK_{name}={value}\n" for name, value in settings.items())
    (tmp_path / ".env").write_text(env)
    shell = Shell(database_url)

    async def fill(database: Database) -> None:
        caller = {"caller_hash": VAULT.hash(ANN), "caller_number": VAULT.seal(ANN)}
        await add_call(database, "hers", NOW, text="Hello.", **caller)
        await add_call(database, "other", NOW, text="Hi.")

    shell.do(fill)
    return shell


def test_a_printed_key_can_be_used(tmp_path: Path) -> None:
    key = CliRunner().invoke(app, ["privacy", "key"]).output.strip()
    assert Vault(key).locked


def test_deletion_is_shown_first_and_done_when_told(shell: Shell) -> None:
    shown = shell.run("privacy", "delete", "--phone", "030 23125 001", "--reason", "by letter")
    assert "Would be deleted" in shown.output
    assert "--yes does it" in shown.output
    assert mask(ANN) in shown.output
    assert shell.do(lambda d: count(d, utterances, call_id="hers")) == 2
    done = shell.run("privacy", "delete", "--phone", ANN, "--yes")
    assert "Deleted" in done.output
    assert shell.do(lambda d: count(d, utterances, call_id="hers")) == 0
    assert shell.do(lambda d: count(d, utterances, call_id="other")) == 2
    lines = shell.run("audit", "list", "--json").output.splitlines()
    noted = [json.loads(line) for line in lines]
    assert [e["action"] for e in noted] == ["privacy.deleted", "privacy.delete", "privacy.delete"]
    assert noted[-1]["reason"] == "by letter"
    assert noted[-1]["actor"].startswith("shell")
    assert ANN not in "".join(lines)


def test_a_held_call_is_named_and_stays(shell: Shell) -> None:
    assert "under a legal hold" in shell.run("privacy", "hold", "hers", "--reason", "x").output
    assert (
        "hers is under a legal hold"
        in shell.run("privacy", "delete", "--phone", ANN, "--yes").output
    )
    assert shell.do(lambda d: count(d, utterances, call_id="hers")) == 2
    assert "free again" in shell.run("privacy", "hold", "hers", "--off").output
    assert "no record of a call nowhere" in shell.wrong("privacy", "hold", "nowhere")


def test_an_export_makes_a_folder(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told = shell.run("privacy", "export", "--phone", ANN, "--output", str(out)).output
    assert f"1 calls of {mask(ANN)}" in told
    assert ANN in (out / "calls.csv").read_text("utf-8-sig")
    assert "is there already" in shell.wrong(
        "privacy", "export", "--phone", ANN, "--output", str(out)
    )
    shell.run("privacy", "export", "--phone", ANN)
    assert len(list(tmp_path.glob("export-*Z"))) == 1


def test_retention_counts_first_and_then_lets_go(shell: Shell) -> None:
    async def age(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(calls.update().values(rang_at=NOW - 401 * DAY))

    shell.do(age)
    assert "Would go" in shell.run("privacy", "retention", "--dry-run").output
    assert shell.do(lambda d: count(d, calls)) == 2
    assert "Gone" in shell.run("privacy", "retention").output
    assert shell.do(lambda d: count(d, calls)) == 0


def test_keys_can_be_replaced(shell: Shell, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text(env.read_text().replace(OLD, f"{NEW},{OLD}"))
    assert "1 numbers sealed anew" in shell.run("privacy", "rekey").output
    stored = shell.do(lambda d: column(d, calls, "caller_number", call_id="hers"))
    assert isinstance(stored, list)
    assert Vault(NEW).unseal(stored[0]) == ANN


def test_verify_ends_with_1_and_names_the_first_broken_entry(shell: Shell) -> None:
    assert "holds: 0 entries" in shell.run("audit", "verify").output
    for _ in range(3):
        shell.run("privacy", "hold", "hers")
    told = shell.run("audit", "verify").output
    assert "holds: 3 entries, from 1 on" in told
    head = told.split("head ")[1].strip()
    assert "holds" in shell.run("audit", "verify", "--head", head).output
    assert "cut off" in shell.run("audit", "verify", "--head", "1" * 64, code=1).output
    assert "64 digits" in shell.wrong("audit", "verify", "--head", head[:8])

    async def tamper(database: Database) -> None:
        guard = "audit_update" if database.dialect == "sqlite" else "audit_rows ON audit"
        async with database.write() as connection:
            await connection.execute(text(f"DROP TRIGGER {guard}"))
            await connection.execute(text("UPDATE audit SET actor = 'eve' WHERE n = 2"))

    shell.do(tamper)
    assert "Entry 2 was changed" in shell.run("audit", "verify", code=1).output


def test_entries_are_listed_by_time_actor_and_action(shell: Shell) -> None:
    shell.run("privacy", "hold", "hers", "--reason", "[red]\x1b[31mx")
    told = shell.run("audit", "list", "--since", "1h", "--action", "hold.").output
    assert "hold.set" in told
    assert "[red]" in told
    assert "\x1b" not in told
    assert "hold.set" not in shell.run("audit", "list", "--since", "2100-01-01").output
    assert "hold.set" not in shell.run("audit", "list", "--actor", "nobody").output
    for since in ("soon", "999999w", "2026-13-01"):
        assert "is no time" in shell.wrong("audit", "list", "--since", since)


def test_a_number_without_its_country_finds_nothing_and_it_is_said_why(
    shell: Shell, tmp_path: Path
) -> None:
    env = tmp_path / ".env"
    env.write_text(env.read_text().replace("OFFHOOK_DEFAULT_REGION=DE", ""))
    told = shell.run("privacy", "delete", "--phone", "030 23125 001")
    assert "0 calls" in told.output
    assert "OFFHOOK_DEFAULT_REGION" in told.stderr


@pytest.mark.parametrize("phone", ["ann", "", "12"])
def test_what_is_no_number_is_refused(shell: Shell, phone: str) -> None:
    assert "no phone number" in shell.wrong("privacy", "delete", "--phone", phone)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("off", "no records are kept"),
        ("sqlite:///nowhere.sqlite3", "does not exist"),
        ("postgresql://offhook:hush@127.0.0.1:1/none", "The database cannot be used"),
    ],
)
def test_without_records_it_is_said_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(f"OFFHOOK_DATABASE_URL={url}\n")
    for command in (["audit", "verify"], ["privacy", "retention"], ["privacy", "rekey"]):
        told = Shell(url).wrong(*command)
        assert why in told
        assert "hush" not in told
    assert list(tmp_path.glob("*.sqlite3")) == []


def test_a_folder_of_journals_that_cannot_be_read_is_told(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "journals").write_text("a file where a folder should be")
    shell.run("privacy", "delete", "--phone", ANN, "--yes")
