"""The reference of all settings, made from their declarations: a list, and a table for people."""

from __future__ import annotations

from offhook.config.declare import Entry, entry
from offhook.config.settings import groups


def fields() -> list[Entry]:
    """Every setting there is, in the order of the table."""
    return [
        entry(f"{group}.{field}", info)
        for group, kind in groups().items()
        for field, info in kind.model_fields.items()
    ]


def table() -> str:
    """All settings as a Markdown table: name, default, meaning with what is accepted."""
    rows = [_row(each) for each in fields()]
    return "\n".join(["| Setting | Default | Meaning |", "|---|---|---|", *rows]) + "\n"


def _row(each: Entry) -> str:
    default = each.unset or f"`{each.default}`"
    cells = (f"`{each.name}`", default, f"{each.meaning}. Takes {each.accepts}.")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
