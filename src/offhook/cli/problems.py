"""What a user reads of a mistake of theirs: what to mend, and how; never a trace."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from offhook.errors import SettingsError, UserError

errors = Console(stderr=True, highlight=False)


def explain(error: UserError) -> None:
    """Say what the user can mend, and how."""
    if not isinstance(error, SettingsError):
        errors.print(f"[bold red]{escape(str(error))}[/]")
        return
    errors.print("[bold red]The settings need your attention:[/]")
    for problem in error.problems:
        errors.print(f"  [bold]{escape(problem.setting)}[/] {escape(problem.what)}")
        if problem.example:
            errors.print(f"      for example: {escape(problem.line)}", soft_wrap=True)
