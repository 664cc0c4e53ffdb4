"""A tool's signature as a pydantic model, and that model as the JSON schema the model reads.

Both come from the one signature, so what is promised and what is checked cannot drift apart.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, create_model

_PREFIX = "arg_"  # a parameter may be called `schema` or `_x`; a pydantic field may not


def arguments_model(name: str, parameters: Iterable[inspect.Parameter]) -> type[BaseModel]:
    """The pydantic model of a function's arguments; unknown ones are forbidden.

    `parameters` carry evaluated annotations (no strings). A bare text in `Annotated` is the
    parameter's description. Raises whatever pydantic raises for a type it cannot check.
    """
    fields: dict[str, Any] = {
        _PREFIX + p.name: (_described(p.annotation), ... if p.default is p.empty else p.default)
        for p in parameters
    }
    config = ConfigDict(
        extra="forbid",
        alias_generator=lambda field: field.removeprefix(_PREFIX),
        allow_inf_nan=False,
    )
    return create_model(name, __config__=config, **fields)


def arguments_of(values: BaseModel) -> dict[str, Any]:
    """The checked values by parameter name, defaults included."""
    return {
        field.removeprefix(_PREFIX): getattr(values, field) for field in type(values).model_fields
    }


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON schema: no titles, `$defs` inlined except for types that hold themselves."""
    raw = model.model_json_schema()
    definitions: dict[str, Any] = raw.pop("$defs", {})
    recursive = {name for name in definitions if name in _reachable(name, definitions)}
    schema: dict[str, Any] = _tidy(raw, definitions, recursive)
    schema.setdefault("properties", {})
    if recursive:
        schema["$defs"] = {
            name: _tidy(definitions[name], definitions, recursive) for name in sorted(recursive)
        }
    return schema


def _described(annotation: Any) -> Any:
    """`Annotated[T, "text"]` as `Annotated[T, Field(description="text")]`."""
    if get_origin(annotation) is not Annotated:
        return annotation
    inner, *notes = get_args(annotation)
    told = [Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(inner, *told)]


def _tidy(schema: Any, definitions: Mapping[str, Any], recursive: set[str]) -> Any:
    """One schema without titles and references. Walks only where schemas can be."""

    def tidy(part: Any) -> Any:
        return _tidy(part, definitions, recursive)

    if not isinstance(schema, dict):  # `true` and `false` are schemas too
        return schema
    tidied: dict[str, Any] = {}
    for key, value in schema.items():
        match key:
            case "title" | "discriminator":  # the latter is OpenAPI and points at definitions
                continue
            case "$ref" if (name := _name(value)) not in recursive:
                tidied = {**tidy(definitions[name]), **tidied}
            case "properties" | "patternProperties":
                tidied[key] = {name: tidy(part) for name, part in value.items()}
            case "anyOf" | "oneOf" | "allOf" | "prefixItems":
                tidied[key] = [tidy(part) for part in value]
            case "items" | "additionalProperties" | "propertyNames" | "not" | "contains":
                tidied[key] = tidy(value)
            case _:
                tidied[key] = value
    return tidied


def _name(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def _references(schema: Any) -> set[str]:
    """The names of all definitions that a schema mentions anywhere."""
    match schema:
        case dict():
            here = {_name(schema["$ref"])} if isinstance(schema.get("$ref"), str) else set()
            return here.union(*(_references(value) for value in schema.values()))
        case list():
            return set().union(*(_references(value) for value in schema))
        case _:
            return set()


def _reachable(name: str, definitions: Mapping[str, Any]) -> set[str]:
    """The definitions that one definition leads to, itself only if it comes round again."""
    seen: set[str] = set()
    ahead = _references(definitions[name])
    while ahead:
        seen |= ahead
        ahead = set().union(*(_references(definitions[each]) for each in ahead)) - seen
    return seen
