"""The options that narrow a list of calls, declared once for all commands that have them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from offhook.core.end import EndReason, Fault
from offhook.errors import UserError

if TYPE_CHECKING:
    from offhook.reports.opening import Records
    from offhook.store.reading import Filter

Since = Annotated[str | None, typer.Option(help="From then on: 2026-11-22, today, 24h, 7d.")]
Until = Annotated[str | None, typer.Option(help="Before then; as --since.")]
Number = Annotated[str | None, typer.Option(help="The caller's, such as +49 30 23125 001.")]
Why = Annotated[str | None, typer.Option("--reason", help="Why it ended, as caller_hung_up.")]
Whose = Annotated[str | None, typer.Option("--fault", help="Whose fault the end was, as cloud.")]
Line = Annotated[str | None, typer.Option(help="The name of the line.")]
Words = Annotated[str | None, typer.Option("--text", help="Words of the transcript.")]
Live = Annotated[bool, typer.Option("--live", help="Only calls that go on.")]


class Narrowing:
    """Which calls, as options say it; checked before the database is opened."""

    def __init__(
        self,
        since: Since = None,
        until: Until = None,
        number: Number = None,
        reason: Why = None,
        fault: Whose = None,
        line: Line = None,
        text: Words = None,
        live: Live = False,
    ) -> None:
        from offhook.reports import times
        from offhook.store.reading.search import words
        from offhook.telephony.numbers import is_number

        now = datetime.now(UTC)
        self.since = None if since is None else times.parse(since, "--since", now)
        self.until = None if until is None else times.parse(until, "--until", now)
        self.reason = _one_of("--reason", reason, EndReason)
        self.fault = _one_of("--fault", fault, Fault)
        if number is not None and not is_number(number):
            raise UserError("--number: that is no phone number; try +49 30 23125 001.")
        if text is not None and not words(text):
            raise UserError("--text: there is no word in it; it takes letters and digits.")
        self.number, self.line, self.text, self.live = number, line, text, live or None

    def filter(self, records: Records) -> Filter:
        """The same for the store; numbers are found by their hash."""
        from offhook.store.reading import Filter
        from offhook.telephony.numbers import normalise

        region = records.settings.phone.default_region
        number = self.number and normalise(self.number, region)
        return Filter(
            since=self.since,
            until=self.until,
            number_hashes=records.vault.hashes(number) if number else (),
            reason=self.reason,
            fault=self.fault,
            line=self.line,
            text=self.text,
            live=self.live,
        )


def _one_of(option: str, value: str | None, kind: type[EndReason] | type[Fault]) -> str | None:
    known = [each.value for each in kind]
    if value is None or value in known:
        return value
    raise UserError(f"{option}: there is no {value!r}. It takes {', '.join(known)}.")


_OPTIONS: Final = signature(Narrowing, eval_str=True).parameters


def narrowed(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options before its own; it gets them as its first argument."""
    own = [*signature(command, eval_str=True).parameters.values()][1:]

    @wraps(command)
    def run(**given: Any) -> None:
        wanted = Narrowing(**{name: given.pop(name) for name in _OPTIONS})
        command(wanted, **given)

    parameters = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in (*_OPTIONS.values(), *own)]
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # Typer reads both
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
