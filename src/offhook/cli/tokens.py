"""`offhook token`: who may look in."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from offhook.cli.asking import ask_database, print_json, print_table, time_of
from offhook.cli.options import AsJson, DotEnv, EnvFile
from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.config import Settings
    from offhook.store.database import Database

_UNITS: Final = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])")

token = typer.Typer(help="Make, list and revoke tokens for the API.", no_args_is_help=True)


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
    env_file: EnvFile = DotEnv,
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

    made, secret = ask_database(make, env_file)
    if as_json:
        typer.echo(json.dumps({"id": made.id, "expires_at": made.expires_at, "secret": secret}))
        return
    typer.echo(secret)
    typer.echo(f"{made.id}, {role}, {_until(made.expires_at)}. It is not shown again.", err=True)


@token.command("list")
def show(as_json: AsJson = False, env_file: EnvFile = DotEnv) -> None:
    """List all tokens, without their secrets."""

    async def ask(database: Database, _: Settings) -> list[Any]:
        from offhook.store.tokens import Tokens

        return await Tokens(database).all()

    found = ask_database(ask, env_file)
    if as_json:
        print_json(found)
        return
    columns = ("ID", "Name", "Role", "Made", "Until", "Last used", "Revoked")
    rows = [
        (t.id, t.name, t.role, time_of(t.made_at), time_of(t.expires_at),
         time_of(t.used_at, "-"), time_of(t.revoked_at, "-"))
        for t in found
    ]  # fmt: skip
    print_table(columns, rows)


@token.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, tok_...")],
    env_file: EnvFile = DotEnv,
) -> None:
    """End a token at once."""

    async def end(database: Database, _: Settings) -> bool:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.tokens import Tokens

        done = await Tokens(database).revoke(token_id)
        if done:
            await Audit(database).note(shell_actor(), "token.revoked", subject=token_id)
        return done

    if not ask_database(end, env_file):
        raise UserError("There is no valid token with this id; `offhook token list` shows them.")
    typer.echo(f"{token_id} opens nothing any more.")


@token.command("link")
def link(env_file: EnvFile = DotEnv) -> None:
    """Print a link that opens the server in a browser, once, within ten minutes."""

    async def make(database: Database, settings: Settings) -> str:
        from offhook.store.audit import Audit, shell_actor
        from offhook.store.passes import Passes
        from offhook.web.admin.mount import invite

        await Audit(database).note(shell_actor(), "link.created")
        server = settings.server
        url = settings.admin.public_url or f"http://{server.host}:{server.port}"
        return await invite(Passes(database), url)

    typer.echo(ask_database(make, env_file))


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


def _until(ms: int | None) -> str:
    return "for ever" if ms is None else f"until {time_of(ms)}"
