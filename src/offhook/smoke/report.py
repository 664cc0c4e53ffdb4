"""How a smoke test is told: one line a step, with its time or with what to look at."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape


class Report:
    """The steps of one smoke test."""

    def __init__(self, out: Console) -> None:
        self._out = out

    def passed(self, step: str, ms: float, told: str = "") -> None:
        """A step that worked, and how long it took."""
        more = f"  [dim]{escape(told)}[/]" if told else ""
        self._out.print(f"[green]ok[/]      {step:<22}{ms:>7.0f} ms{more}", soft_wrap=True)

    def failed(self, step: str, why: str) -> None:
        """A step that did not, and what to check."""
        self._out.print(f"[bold red]FAILED[/]  {step:<22}{escape(why)}", soft_wrap=True)
