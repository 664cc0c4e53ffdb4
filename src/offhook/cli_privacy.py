"""`offhook privacy` and `offhook audit`: what is kept of people, and who did what with it."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.config import Settings
    from offhook.store.database import Database
    from offhook.store.subject.erase import Erased
    from offhook.store.subject.find import Findings
    from offhook.store.vault import Vault

privacy = typer.Typer(help="What is kept of people: hand it out, delete it.", no_args_is_help=True)
audit = typer.Typer(help="Who saw or changed what, provably.", no_args_is_help=True)

BROKEN = 1

EnvFile = Annotated[Path, typer.Option(help="Where the settings are.")]
Phone = Annotated[str, typer.Option(help="The person's number, such as +49 30 23125 001.")]
Reason = Annotated[str | None, typer.Option(help="Why; goes into the audit log.")]
DotEnv = Path(".env")

_AGO = re.compile(r"(\d{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@privacy.command("key")
def key() -> None:
    """Print a new key for OFFHOOK_RECORDS_KEY."""
    from offhook.store.vault import new_key

    typer.echo(new_key())


@privacy.command("rekey")
def rekey(env_file: EnvFile = DotEnv) -> None:
    """Seal all numbers anew with the first key, so that the others can be thrown away."""

    async def work() -> None:
        from offhook.store.rekeying import rekey as run

        async with _records(env_file) as (settings, database):
            done = await run(database, _vault(settings), _actor())
        typer.echo(f"{done.sealed} numbers sealed anew.")
        if done.unreadable:
            typer.echo(f"{done.unreadable} cannot be read with any key in OFFHOOK_RECORDS_KEY.")
        if done.hashed:
            typer.echo(f"{done.hashed} are kept as a hash alone: keep the old key to find them.")

    asyncio.run(work())


@privacy.command("retention")
def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """Let go of all that is older than the OFFHOOK_RETAIN_... settings say."""

    async def work() -> None:
        from offhook.store import retention

        async with _records(env_file) as (settings, database):
            gone = await retention.retain(
                database,
                retention.terms(settings.privacy),
                Path(settings.logs.journal_dir),
                now=_now(),
                actor=_actor(),
                dry_run=dry_run,
            )
        counts = {name: getattr(gone, name) for name in gone.__struct_fields__ if name != "head"}
        _print(Console(highlight=False), ("Would go" if dry_run else "Gone", "How many"), counts)

    asyncio.run(work())


@privacy.command("hold")
def hold(
    call_id: Annotated[str, typer.Argument(help="The id of the call.")],
    off: Annotated[bool, typer.Option("--off", help="Lift the hold.")] = False,
    reason: Reason = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Protect a call from retention and deletion, until the hold is lifted."""

    async def work() -> None:
        from offhook.store import holds

        async with _records(env_file) as (_, database):
            found = await holds.hold(database, call_id, on=not off, actor=_actor(), reason=reason)
        if not found:
            raise UserError(f"There is no record of a call {call_id}.")
        typer.echo(f"{call_id} is {'free again' if off else 'under a legal hold'}.")

    asyncio.run(work())


@privacy.command("export")
def export(
    phone: Phone,
    output: Annotated[
        Path | None, typer.Option(help="A folder to make; else one named by the time.")
    ] = None,
    reason: Reason = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Write all that is kept of a person into a folder: JSON, CSV, and a manifest of hashes."""

    async def work() -> None:
        from offhook.store.subject import handout

        made = datetime.now(UTC)
        folder = output or Path(f"export-{made:%Y%m%dT%H%M%SZ}")
        async with _records(env_file) as (settings, database):
            found = await _find(settings, database, phone)
            rows = await handout.collect(database, _vault(settings), found)
            files = await asyncio.to_thread(handout.write, folder, rows, found.journals, made)
            await handout.note(database, found, _actor(), reason)
        typer.echo(f"{len(found.calls)} calls of {found.masked}: {len(files)} files in {folder}")
        if found.mentions:
            typer.echo(
                f"{len(found.mentions)} texts of other people's calls have the number in them; "
                "look through mentions.csv before you hand it out."
            )

    asyncio.run(work())


@privacy.command("delete")
def delete(
    phone: Phone,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it is only shown.")] = False,
    reason: Reason = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Delete all that is kept of a person. Without --yes it only shows what would go."""

    async def work() -> None:
        from offhook.store.subject import erase

        async with _records(env_file) as (settings, database):
            found = await _find(settings, database, phone)
            await erase.note(database, found, _actor(), reason)
            done = erase.plan(found)
            if yes:
                done = await erase.erase(database, found, now=_now(), actor=_actor(), reason=reason)
        _tell_of_deletion(found, done, yes)

    asyncio.run(work())


def _tell_of_deletion(found: Findings, done: Erased, really: bool) -> None:
    out = Console(highlight=False)
    head = "Deleted" if really else "Would be deleted"
    counts = {"calls": done.calls, "mentions elsewhere": done.mentions, "journals": done.journals}
    out.print(f"{found.masked}: {len(found.calls)} calls")
    _print(out, (head, "How many"), counts)
    for call_id in done.held:
        out.print(f"{call_id} is under a legal hold and stays.", markup=False)
    for call_id in done.live:
        out.print(f"{call_id} is not over and stays; run this again later.", markup=False)
    if not really:
        out.print("Nothing was changed: --yes does it.")


@audit.command("verify")
def verify(
    head: Annotated[
        str | None, typer.Option(help="A head hash noted before: is it still in the chain?")
    ] = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Prove that no entry was changed, taken out, put in or moved. Ends with 1 if one was."""

    async def work() -> bool:
        from offhook.store.audit import Audit

        async with _records(env_file) as (_, database):
            verdict = await Audit(database).verify(head)
        if verdict.why:
            where = f"Entry {verdict.broken} {verdict.why}" if verdict.broken else verdict.why
            typer.echo(f"The audit log is broken. {where}.")
        else:
            first = f", from {verdict.first} on" if verdict.first else ""
            typer.echo(f"The audit log holds: {verdict.entries} entries{first}.")
        typer.echo(f"head {verdict.head or 'none'}")
        return verdict.holds

    if not asyncio.run(work()):
        sys.exit(BROKEN)


@audit.command("list")
def entries(
    since: Annotated[
        str | None, typer.Option(help="A time such as 2026-11-01, or how long ago: 7d, 12h, 30m.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Only of this actor.")] = None,
    action: Annotated[
        str | None, typer.Option(help="Only this action; `privacy.` is all that begin so.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """List entries of the audit log, the newest first."""

    async def work() -> None:
        import msgspec

        from offhook.store.audit import Audit

        after = None if since is None else _time(since)
        async with _records(env_file) as (_, database):
            found = await Audit(database).entries(
                since=after, actor=actor, action=action, limit=limit
            )
        if as_json:
            for entry in found:
                typer.echo(msgspec.json.encode(entry).decode())
            return
        table = Table(box=None, pad_edge=False)
        for name in ("N", "Time (UTC)", "Actor", "Action", "Subject", "Reason", "Detail"):
            table.add_column(name, overflow="fold")
        for entry in found:
            at = datetime.fromtimestamp(entry.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
            texts = (entry.subject, entry.reason, entry.detail)
            table.add_row(str(entry.n), at, *map(_cell, (entry.actor, entry.action, *texts)))
        Console(highlight=False, markup=False).print(table)

    asyncio.run(work())


def _cell(text: str | None) -> Text:
    """A cell in which nothing is markup, and no control character reaches the terminal."""
    from offhook.telephony.numbers import clean

    return Text(clean(text or "", 400))


def _time(text: str) -> int:
    """A time in Unix ms: ISO 8601, in UTC unless it says otherwise, or how long ago."""
    try:
        if ago := _AGO.fullmatch(text):
            at = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise UserError(f"--since: {text} is no time; try 2026-11-01 or 7d.") from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def _print(out: Console, heads: tuple[str, str], counts: dict[str, int]) -> None:
    table = Table(*heads, box=None, pad_edge=False)
    for name, number in counts.items():
        table.add_row(name.replace("_", " "), str(number))
    out.print(table)


def _now() -> int:
    return int(time.time() * 1000)


def _actor() -> str:
    from offhook.store.audit import shell_actor

    return shell_actor()


def _vault(settings: Settings) -> Vault:
    from offhook.store.vault import Vault

    key = settings.privacy.records_key
    return Vault(key.get_secret_value() if key else None)


async def _find(settings: Settings, database: Database, phone: str) -> Findings:
    from offhook.store.subject.find import find
    from offhook.telephony.numbers import is_number, normalise

    if not is_number(phone):
        raise UserError("--phone: that is no phone number; try +49 30 23125 001.")
    number = normalise(phone, settings.phone.default_region)
    folder = Path(settings.logs.journal_dir)
    found = await find(database, _vault(settings), number, folder, now=_now())
    if not found.calls and not number.startswith("+"):
        hint = "write the number with its country code, or set OFFHOOK_DEFAULT_REGION"
        typer.echo(f"No call was found: {hint}.", err=True)
    return found


@asynccontextmanager
async def _records(env_file: Path) -> AsyncIterator[tuple[Settings, Database]]:
    """The settings, and the database that they name, open. Raises `UserError` if there is none."""
    from sqlalchemy.exc import DBAPIError

    from offhook.config import load
    from offhook.store.database import Database

    settings = load(env_file, serving=False)
    if settings.records.database_url is None:
        raise UserError("OFFHOOK_DATABASE_URL is off: no records are kept.")
    database = Database(settings.records.database_url.get_secret_value())
    if database.dialect == "sqlite" and (missing := _missing(database.url.database)):
        raise UserError(f"There are no records: {missing} does not exist (OFFHOOK_DATABASE_URL).")
    try:
        await database.open()
        yield settings, database
    except (DBAPIError, OSError) as error:
        raise UserError(f"The database cannot be used: {_why(error)}.") from None
    finally:
        await database.close()


def _missing(file: str | None) -> str | None:
    """The file, if it is not there: a command that looks does not make one."""
    return file if file and not Path(file).exists() else None


def _why(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().rstrip(".") or type(cause).__name__
