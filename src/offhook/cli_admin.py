"""`offhook token` and `offhook webhooks`: who may look in, and what others were not told."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.config import Settings
    from offhook.store.database import Database
    from offhook.store.outbox import State

T = TypeVar("T")

_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")

EnvFile = Annotated[Path, typer.Option(help="Where the settings are.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

token = typer.Typer(help="Make, list and revoke tokens for the API.", no_args_is_help=True)
webhooks = typer.Typer(help="See to the webhooks that we owe to others.", no_args_is_help=True)


class RoleName(StrEnum):
    """What a token may do; each may do all that those before it may."""

    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@token.command("create")
def create(
    role: Annotated[RoleName, typer.Option(help="What it may do.")],
    name: Annotated[str, typer.Option(help="Whose it is; the audit log says so.")],
    expires: Annotated[str, typer.Option(help="After 90d, 12h or 30m; or never.")] = "90d",
    as_json: AsJson = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """Make a token and print it, this once."""
    lasts_s = length_s(expires)
    if not re.fullmatch(r"[A-Za-z0-9 _.@-]{1,100}", name):
        raise UserError("--name takes up to 100 letters, digits, spaces and . _ @ -")

    async def make(database: Database, _: Settings) -> tuple[Any, str]:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.tokens import Role, Tokens

        made = await Tokens(database).create(name, Role(role), by=shell_actor(), lasts_s=lasts_s)
        await Audit(database).note(
            shell_actor(), "token.created", subject=made[0].id, detail=role.value
        )
        return made

    made, secret = _run(make, env_file)
    if as_json:
        typer.echo(json.dumps({"id": made.id, "expires_at": made.expires_at, "secret": secret}))
        return
    typer.echo(secret)
    typer.echo(f"{made.id}, {role}, {_until(made.expires_at)}. It is not shown again.", err=True)


@token.command("list")
def show(as_json: AsJson = False, env_file: EnvFile = Path(".env")) -> None:
    """List all tokens, without their secrets."""

    async def ask(database: Database, _: Settings) -> list[Any]:
        from offhook.store.tokens import Tokens

        return await Tokens(database).all()

    found = _run(ask, env_file)
    if as_json:
        _print_json(found)
        return
    columns = ("ID", "Name", "Role", "Made", "Until", "Last used", "Revoked")
    _table(
        columns,
        [
            (t.id, t.name, t.role, *map(_time, (t.made_at, t.expires_at)), _time(t.used_at, "-"),
             _time(t.revoked_at, "-"))
            for t in found
        ],
    )  # fmt: skip


@token.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, tok_...")],
    env_file: EnvFile = Path(".env"),
) -> None:
    """End a token at once."""

    async def end(database: Database, _: Settings) -> bool:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.tokens import Tokens

        done = await Tokens(database).revoke(token_id)
        if done:
            await Audit(database).note(shell_actor(), "token.revoked", subject=token_id)
        return done

    if not _run(end, env_file):
        raise UserError("There is no valid token with this id; `offhook token list` shows them.")
    typer.echo(f"{token_id} opens nothing any more.")


@token.command("link")
def link(env_file: EnvFile = Path(".env")) -> None:
    """Print a link that opens the server in a browser, once, within ten minutes."""

    async def make(database: Database, settings: Settings) -> str:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.passes import Passes
        from offhook.web.admin.mount import invite

        await Audit(database).note(shell_actor(), "link.created")
        server = settings.server
        url = settings.admin.public_url or f"http://{server.host}:{server.port}"
        return await invite(Passes(database), url)

    typer.echo(_run(make, env_file))


@webhooks.command("list")
def sendings(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """List webhooks to others, the newest first."""
    _sendings(None, limit, as_json, env_file)


@webhooks.command("dead")
def dead(
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: AsJson = False,
    env_file: EnvFile = Path(".env"),
) -> None:
    """List those that nobody took, and that are not tried any more."""
    from offhook.store.outbox import State

    _sendings(State.DEAD, limit, as_json, env_file)


@webhooks.command("retry")
def retry(
    webhook_id: Annotated[str, typer.Argument(help="Its id, msg_...")],
    env_file: EnvFile = Path(".env"),
) -> None:
    """Try a dead one again; the server that runs does so within seconds."""

    async def again(database: Database, _: Settings) -> bool:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.outbox import Outbox

        done = await Outbox(database).retry(webhook_id)
        if done:
            await Audit(database).note(shell_actor(), "webhook.retried", subject=webhook_id)
        return done

    if not _run(again, env_file):
        raise UserError(
            "There is no dead webhook with this id; `offhook webhooks dead` shows them."
        )
    typer.echo(f"{webhook_id} is tried again.")


def _sendings(state: State | None, limit: int, as_json: bool, env_file: Path) -> None:
    async def ask(database: Database, _: Settings) -> list[Any]:
        from offhook.store.outbox import Outbox
        from offhook.web.admin.api.outgoing import shown

        return [shown(each) for each in await Outbox(database).letters(state, most=limit)]

    found = _run(ask, env_file)
    if as_json:
        _print_json(found)
        return
    columns = ("ID", "Event", "Call", "To", "Made", "State", "Tries", "Error")
    rows = [
        (w.id, w.kind, w.call_id or "-", w.host, _time(w.made_at), w.state, str(w.tries), w.error)
        for w in found
    ]
    _table(columns, [tuple(cell or "-" for cell in row) for row in rows])


def length_s(text: str) -> float | None:
    """`90d`, `12h` or `30m` in seconds, None for `never`. Raises `UserError`."""
    if text == "never":
        return None
    found = _LENGTH.fullmatch(text)
    if found is None:
        raise UserError(
            "--expires takes a number of days, hours or minutes (90d, 12h, 30m) or never."
        )
    return int(found[1]) * _UNITS[found[2]]


def _run(ask: Callable[[Database, Settings], Awaitable[T]], env_file: Path) -> T:
    """Ask the database that the settings name. Raises `UserError` if it cannot be asked."""

    async def work() -> T:
        from offhook.reports.opening import opened

        async with opened(env_file, make=True) as records:  # a token may be there before a call
            return await ask(records.database, records.settings)

    return asyncio.run(work())


def _print_json(found: list[Any]) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())


def _table(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in columns:  # an id is there to be copied
        table.add_column(name, overflow="fold", no_wrap=name == "ID")
    for row in rows:
        table.add_row(*map(str, row))
    Console(highlight=False).print(table if rows else "None.")


def _time(ms: int | None, otherwise: str = "never") -> str:
    return otherwise if ms is None else f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}Z"


def _until(ms: int | None) -> str:
    return "for ever" if ms is None else f"until {_time(ms)}"
