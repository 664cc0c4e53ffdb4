"""`offhook calls`, `stats` and `export`: the records of calls, to read and to take away."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.console import Console

from offhook.cli.narrowing import Narrowing, narrowed
from offhook.cli.options import AsJson, DotEnv, EnvFile
from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.reports.exports import Format
    from offhook.reports.opening import Records
    from offhook.store.reading import Filter
    from offhook.store.reading.groups import By

calls = typer.Typer(help="List calls, and show one.", invoke_without_command=True)

MOST = 1000

Reveal = Annotated[
    bool, typer.Option("--reveal", help="Show numbers in full; noted in the audit log.")
]


@calls.callback()
@narrowed
def list_calls(
    wanted: Narrowing,
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=MOST)] = 20,
    cursor: Annotated[str | None, typer.Option(help="Go on: `next` of the --json before.")] = None,
    as_json: AsJson = False,
    reveal: Reveal = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """List calls, the newest first, narrowed by all that is given."""
    if context.invoked_subcommand:
        return

    async def work() -> None:
        from offhook.reports import tables
        from offhook.reports.opening import opened
        from offhook.store.reading import page

        async with opened(env_file) as records:
            async with records.database.read() as connection:
                found = await page(connection, wanted.filter(records), cursor=cursor, limit=limit)
            ids = [each.call_id for each in found.items]
            what = f"offhook calls: {len(ids)}"
            numbers = await records.reveal(ids, detail=what) if reveal else {}
        if as_json:
            _json({"items": [_plain(each, numbers) for each in found.items], "next": found.next})
            return
        out = Console(highlight=False)
        out.print(tables.calls(found.items, out, numbers))
        if found.next:
            out.print(f"There are more; --limit takes up to {MOST}.", style="dim")

    _run(work())


@calls.command("show")
def show(
    call_id: Annotated[str, typer.Argument(help="The id of the call.")],
    as_json: AsJson = False,
    reveal: Reveal = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """Show one call with everything: what was said and done, and when."""

    async def work() -> None:
        from offhook.reports import tables
        from offhook.reports.opening import opened
        from offhook.store.reading import call

        async with opened(env_file) as records:
            async with records.database.read() as connection:
                found = await call(connection, call_id)
            if found is None:
                raise UserError(f"There is no record of a call {call_id}; `offhook calls` lists.")
            numbers = await records.reveal([call_id], subject=call_id) if reveal else {}
        if as_json:
            _json(_plain(found, {}) | {"call": _plain(found.call, numbers)})
            return
        Console(highlight=False).print(tables.call(found, numbers.get(call_id)))

    _run(work())


@narrowed
def stats(
    wanted: Narrowing,
    by: Annotated[
        str | None, typer.Option(help="Latency and cost for each model, line or day.")
    ] = None,
    as_json: AsJson = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """Show calls in numbers: ends, transfers, latency, cost."""
    group = _by(by)

    async def work() -> None:
        from offhook.reports import tables
        from offhook.reports.opening import opened
        from offhook.store import reading

        async with opened(env_file) as records, records.database.read() as connection:
            chosen = wanted.filter(records)
            total = await reading.stats(connection, chosen)
            spread = await reading.percentiles(connection, by=group, wanted=chosen)
            spent = await reading.costs(connection, by=group, wanted=chosen)
        if as_json:
            _json({"stats": total, "latency": spread, "costs": spent})
            return
        out = Console(highlight=False)
        if group is None:
            out.print(tables.numbers(total), "")
        out.print(tables.groups(group, spent, spread))

    _run(work())


@narrowed
def export(
    wanted: Narrowing,
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "csv",
    output: Annotated[Path | None, typer.Option(help="The file; else standard output.")] = None,
    reveal: Reveal = False,
    env_file: EnvFile = DotEnv,
) -> None:
    """Write calls into a file for other programs, a row for each."""
    chosen = _format(form)
    if output is None and chosen == "parquet":
        raise UserError("--format parquet is no text: name a file with --output.")

    async def work() -> int:
        from offhook.reports.opening import opened

        async with opened(env_file) as records:
            with _written(output) as out:
                return await _export(records, wanted.filter(records), chosen, out, reveal)

    count = _run(work())
    if output is not None:
        typer.echo(f"{count:,} calls in {output}")


async def _export(
    records: Records, wanted: Filter, form: Format, out: BinaryIO, reveal: bool
) -> int:
    """Write all calls that fit; returns how many."""
    from offhook.reports.exports import sheet
    from offhook.store.reading import batches, numbers

    file, count = sheet(form, out, numbers=reveal), 0
    if reveal:
        await records.note(detail=f"offhook export: {form}")
    async with records.database.read() as connection:
        async for some in batches(connection, wanted):
            ids = [each.call_id for each in some] if reveal else []
            stored = await numbers(connection, ids) if ids else {}
            file.add(some, records.unsealed(stored))
            count += len(some)
    file.close()
    return count


@contextmanager
def _written(output: Path | None) -> Iterator[BinaryIO]:
    """The file to write; it has its name only once it is complete."""
    if output is None:
        yield sys.stdout.buffer
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise UserError(f"--output: {output} cannot be written: {error.strerror}.") from None
    finally:
        part.unlink(missing_ok=True)


def _by(value: str | None) -> By | None:
    match value:
        case None | "model" | "line" | "day":
            return value
        case _:
            raise UserError(f"--by: there is no {value!r}. It takes model, line or day.")


def _format(value: str) -> Format:
    from offhook.reports.exports import Format

    try:
        return Format(value.lower())
    except ValueError:
        takes = ", ".join(Format)
        raise UserError(f"--format: there is no {value!r}. It takes {takes}.") from None


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def _plain(value: Any, numbers: dict[str, str]) -> dict[str, Any]:
    """A struct as JSON has it; a call with its number, where that is revealed."""
    from msgspec import to_builtins

    fields: dict[str, Any] = to_builtins(value)
    number = numbers.get(fields.get("call_id", ""))
    return fields if number is None else fields | {"caller_number": number}


def _json(value: Any) -> None:
    from msgspec import json

    typer.echo(json.format(json.encode(value), indent=2).decode())
