"""How a setting is declared: name, default, meaning, unit and range, once and in one place."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, TypedDict, cast, get_args, get_origin

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo


class Group(BaseModel):
    """Settings that belong together: a frozen value. Fields are filled by their setting's name."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # what was typed may be a secret, even in the wrong place
        validate_by_alias=True,
        validate_by_name=True,
    )


class Entry(Struct, frozen=True):
    """What there is to know about one setting. The README's table has a row for each.

    `field` is its path in `Settings`. Unset, it has the value `default`, or where that is empty
    `unset` says what applies. `accepts` completes "must be ..."; `example` would be accepted.
    """

    name: str
    field: str
    meaning: str
    default: str
    unset: str
    accepts: str
    example: str


class _Notes(TypedDict):
    accepts: str
    unit: str
    unset: str
    span: tuple[float, float] | None


def setting(
    name: str,
    default: object,
    meaning: str,
    *,
    span: tuple[float, float] | None = None,
    unit: str = "",
    accepts: str = "",
    example: str = "",
    unset: str = "",
) -> Any:
    """Declare a field of a `Group`, read from the variable `name`.

    `span` is the smallest and largest number allowed, counted in `unit`; `accepts` is needed
    where type and span do not say what is allowed; `unset` says what an empty default means.
    """
    notes: _Notes = {"accepts": accepts, "unit": unit, "unset": unset, "span": span}
    low, high = span or (None, None)
    return Field(
        default,
        validation_alias=name,
        description=meaning,
        examples=[example or written(default)],
        json_schema_extra=cast("dict[str, Any]", notes),
        ge=low,
        le=high,
    )


def entry(field: str, info: FieldInfo) -> Entry:
    """Everything that was declared for one field of a group."""
    notes = cast("_Notes", info.json_schema_extra)
    return Entry(
        name=str(info.validation_alias),
        field=field,
        meaning=info.description or "",
        default=written(info.default),
        unset=notes["unset"],
        accepts=notes["accepts"] or _accepted(info.annotation, notes),
        example=str((info.examples or [""])[0]),
    )


def written(value: object) -> str:
    """A value as one would write it in `.env`; nothing for what has no text, and for secrets."""
    match value:
        case None | () | SecretStr():
            return ""
        case bool():
            return str(int(value))
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _accepted(annotation: object, notes: _Notes) -> str:
    """What fits a type, in words: `server or semantic`, `a whole number from 0 to 5000 (ms)`."""
    kind = _without_none(annotation)
    if kind is bool:
        return "1 or 0"
    if get_origin(kind) is Literal:
        *most, last = get_args(kind)
        return f"{', '.join(most)} or {last}"
    if notes["span"] is None:
        return "a text"
    low, high = notes["span"]
    number = "a whole number" if kind is int else "a number"
    unit = f" ({notes['unit']})" if notes["unit"] else ""
    return f"{number} from {low:g} to {high:g}{unit}"


def _without_none(annotation: object) -> object:
    inner = [part for part in get_args(annotation) if part is not NoneType]
    return inner[0] if len(inner) == 1 and get_origin(annotation) is not Literal else annotation
