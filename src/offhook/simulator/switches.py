"""Faults and beliefs by their names, from JSON or from `name=value`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, ValidationError, structs

from offhook.simulator.beliefs import Beliefs
from offhook.simulator.faults import Faults

S = TypeVar("S", bound=Struct)


def switched(usual: S, given: Mapping[str, Any]) -> S:
    """The same with some fields replaced. Raises `ValidationError`, which says in words why not."""
    unknown = set(given) - set(usual.__struct_fields__)
    if unknown:
        raise ValidationError(f"There is no switch `{min(unknown)}`")
    return msgspec.convert({**structs.asdict(usual), **given}, type(usual))


def read(lines: Iterable[str]) -> tuple[Faults, Beliefs]:
    """Switches from `name=value` each, a value as JSON or as plain text.

    Raises `ValidationError`, as `switched` does.
    """
    given = dict(map(_read_one, lines))
    believed = {name: given.pop(name) for name in Beliefs.__struct_fields__ if name in given}
    return switched(Faults(), given), switched(Beliefs(), believed)


def _read_one(line: str) -> tuple[str, Any]:
    name, equals, text = line.partition("=")
    if not equals:
        raise ValidationError(f"`{line}` is not `name=value`")
    try:
        return name.strip(), msgspec.json.decode(text)
    except msgspec.DecodeError:
        return name.strip(), text
