"""`offhook privacy`: what is kept of people is handed out, deleted, held, and let go."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from offhook.cli.options import DotEnv, EnvFile
from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.reports.opening import Records
    from offhook.store.subject.erase import Erased
    from offhook.store.subject.find import Findings

privacy = typer.Typer(help="What is kept of people: hand it out, delete it.", no_args_is_help=True)

Phone = Annotated[str, typer.Option(help="The person's number, such as +49 30 23125 001.")]
Reason = Annotated[str | None, typer.Option(help="Why; goes into the audit log.")]


@privacy.command("key")
def key() -> None:
    """Print a new key for OFFHOOK_RECORDS_KEY."""
    from offhook.store.vault import new_key

    typer.echo(new_key())


@privacy.command("rekey")
def rekey(env_file: EnvFile = DotEnv) -> None:
    """Seal all numbers anew with the first key, so that the others can be thrown away."""

    async def work() -> None:
        from offhook.reports.opening import opened
        from offhook.store.rekeying import rekey as run

        async with opened(env_file) as records:
            done = await run(records.database, records.vault, _actor())
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
        from offhook.reports.opening import opened
        from offhook.store import retention

        async with opened(env_file) as records:
            gone = await retention.retain(
                records.database,
                retention.terms(records.settings.privacy),
                Path(records.settings.logs.journal_dir),
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
        from offhook.reports.opening import opened
        from offhook.store import holds

        async with opened(env_file) as records:
            found = await holds.hold(
                records.database, call_id, on=not off, actor=_actor(), reason=reason
            )
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
        from offhook.reports.opening import opened
        from offhook.store.subject import handout

        made = datetime.now(UTC)
        folder = output or Path(f"export-{made:%Y%m%dT%H%M%SZ}")
        async with opened(env_file) as records:
            found = await _find(records, phone)
            rows = await handout.collect(records.database, records.vault, found)
            files = await asyncio.to_thread(handout.write, folder, rows, found.journals, made)
            await handout.note(records.database, found, _actor(), reason)
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
        from offhook.reports.opening import opened
        from offhook.store.subject import erase

        async with opened(env_file) as records:
            found = await _find(records, phone)
            await erase.note(records.database, found, _actor(), reason)
            done = erase.plan(found)
            if yes:
                spool, actor = _spool(records), _actor()
                done = await erase.erase(
                    records.database, found, spool, now=_now(), actor=actor, reason=reason
                )
        _tell_of_deletion(found, done, yes)

    asyncio.run(work())


def _tell_of_deletion(found: Findings, done: Erased, really: bool) -> None:
    out = Console(highlight=False)
    head = "Deleted" if really else "Would be deleted"
    counts = {
        "calls": done.calls,
        "mentions elsewhere": done.mentions,
        "journals": done.journals,
        "records that wait on disk": done.waiting,
    }
    out.print(f"{found.masked}: {len(found.calls)} calls")
    _print(out, (head, "How many"), counts)
    for call_id in done.held:
        out.print(f"{call_id} is under a legal hold and stays.", markup=False)
    for call_id in done.live:
        out.print(f"{call_id} is not over and stays; run this again later.", markup=False)
    if on_their_way := sum(found.waiting.values()) - done.waiting:
        out.print(f"{on_their_way} records are on their way to the database; run this again later.")
    if not really:
        out.print("Nothing was changed: --yes does it.")


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


async def _find(records: Records, phone: str) -> Findings:
    from offhook.store.subject.find import find
    from offhook.telephony.numbers import is_number, normalise

    settings = records.settings
    if not is_number(phone):
        raise UserError("--phone: that is no phone number; try +49 30 23125 001.")
    number = normalise(phone, settings.phone.default_region)
    journals = Path(settings.logs.journal_dir)
    found = await find(
        records.database, records.vault, number, journals, _spool(records), now=_now()
    )
    if not found.calls and not number.startswith("+"):
        hint = "write the number with its country code, or set OFFHOOK_DEFAULT_REGION"
        typer.echo(f"No call was found: {hint}.", err=True)
    return found


def _spool(records: Records) -> Path:
    from offhook.runtime.recording import spool_folder

    return spool_folder(records.settings, records.database.url)
