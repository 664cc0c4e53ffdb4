"""The tables of switches in the documentation, read from the classes that define them.

python -m offhook.simulator.switches docs/simulator.md
"""

from __future__ import annotations

import ast
import inspect

from msgspec import NODEFAULT, Struct, structs

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.faults import Faults
from offhook.simulator.profile import Timings

SWITCHES: tuple[type[Struct], ...] = (Beliefs, Faults, Timings)


def meanings(kind: type[Struct]) -> dict[str, str]:
    """What the string below each field of a class says; a field without one is not in it."""
    [definition] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(definition, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                found[name] = " ".join(text.split())
    return found


def table(kind: type[Struct]) -> str:
    """A class as a Markdown table: switch, default, meaning."""
    told = meanings(kind)
    rows = (
        f"| `{field.name}` | `{_default(field)}` | {told.get(field.name, '')} |"
        for field in structs.fields(kind)
    )
    return "\n".join(("| switch | default | what it does |", "|---|---|---|", *rows, ""))


def _default(field: structs.FieldInfo) -> object:
    return "required" if field.default is NODEFAULT else repr(field.default)
