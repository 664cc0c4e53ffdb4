"""`offhook audit`: who saw or changed what, listed and proven."""

from __future__ import annotations

import asyncio
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from offhook.cli.options import DotEnv, EnvFile
from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.store.audit import AuditEntry

audit = typer.Typer(help="Who saw or changed what, provably.", no_args_is_help=True)

BROKEN = 1


@audit.command("verify")
def verify(
    head: Annotated[
        str | None, typer.Option(help="A head hash noted before: is it still in the chain?")
    ] = None,
    env_file: EnvFile = DotEnv,
) -> None:
    """Prove that no entry was changed, taken out, put in or moved. Ends with 1 if one was."""

    if head is not None and not re.fullmatch(r"[0-9a-f]{64}", head):
        raise UserError("--head takes all 64 digits that `offhook audit verify` has printed.")

    async def work() -> bool:
        from offhook.reports.opening import opened
        from offhook.store.audit import Audit

        async with opened(env_file) as records:
            verdict = await Audit(records.database).verify(head)
        if verdict.why:
            where = f"Entry {verdict.broken} {verdict.why}" if verdict.broken else verdict.why
            typer.echo(f"The audit log is broken. {where}.")
        else:
            first = f", from {verdict.first} on" if verdict.first else ""
            typer.echo(f"The audit log holds: {_counted(verdict.entries)}{first}.")
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

        from offhook.reports.opening import opened
        from offhook.reports.times import parse
        from offhook.store.audit import Audit

        after = None if since is None else parse(since, "--since", datetime.now(UTC))
        async with opened(env_file) as records:
            found = await Audit(records.database).entries(
                since=after, actor=actor, action=action, limit=limit
            )
        if as_json:
            for entry in found:
                typer.echo(msgspec.json.encode(entry).decode())
            return
        out = Console(highlight=False, markup=False, soft_wrap=True)
        out.print("\n".join(map(_in_lines, found)) or "None.")

    asyncio.run(work())


def _counted(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries} entries"


def _in_lines(entry: AuditEntry) -> str:
    """Who did what, and below it to what, from where and why; no control character gets out."""
    from offhook.telephony.numbers import clean

    at = datetime.fromtimestamp(entry.at / 1000, UTC)
    about = (entry.subject, entry.address and f"from {entry.address}", entry.reason, entry.detail)
    head = f"{entry.n:>5}  {at:%Y-%m-%d %H:%M:%S}  {clean(entry.actor, 128)}  {entry.action}"
    return "\n".join([head, *(f"       {clean(each, 400)}" for each in about if each)])
