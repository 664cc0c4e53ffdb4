"""The JSON schema that the model reads."""

from __future__ import annotations

import datetime as dt
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from offhook.tools import tool


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


class Address(BaseModel):
    """Where it goes."""

    city: str
    title: str | None = None


class Parcel(BaseModel):
    to: Address
    back_to: Address | None = None


class Node(BaseModel):
    name: str
    children: list[Node] = []


def properties_of(function: Any) -> dict[str, Any]:
    properties: dict[str, Any] = tool(function).parameters["properties"]
    return properties


def test_types_constraints_and_defaults_reach_the_schema() -> None:
    def order(
        count: Annotated[int, Field(ge=1, le=9), "How many"],
        when: dt.datetime,
        size: Size,
        mode: Literal["fast", "slow"] = "slow",
        note: str | None = None,
    ) -> None:
        """Order."""

    assert properties_of(order) == {
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many"},
        "when": {"type": "string", "format": "date-time"},
        "size": {"type": "string", "enum": ["s", "l"]},
        "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    }


def test_nested_types_are_written_out_in_place() -> None:
    def send(parcel: Annotated[Parcel, "What to send"]) -> None:
        """Send."""

    address = {
        "type": "object",
        "description": "Where it goes.",
        "properties": {
            "city": {"type": "string"},
            "title": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        },
        "required": ["city"],
    }
    assert "$defs" not in tool(send).parameters
    assert properties_of(send)["parcel"] == {
        "type": "object",
        "description": "What to send",
        "properties": {
            "to": address,
            "back_to": {"anyOf": [address, {"type": "null"}], "default": None},
        },
        "required": ["to"],
    }


def test_a_type_that_holds_itself_stays_a_reference() -> None:
    def plant(tree: Node) -> None:
        """Plant."""

    schema = tool(plant).parameters
    assert schema["properties"]["tree"] == {"$ref": "#/$defs/Node"}
    assert schema["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_a_tool_without_parameters_takes_an_empty_object() -> None:
    def ping() -> None:
        """Ping."""

    assert tool(ping).parameters == {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def test_parameters_may_be_named_like_anything_in_pydantic() -> None:
    def odd(schema: str, model_config: int, _x: str, title: str, json: str = "a") -> None:
        """Take odd names."""

    assert list(properties_of(odd)) == ["schema", "model_config", "_x", "title", "json"]
    assert properties_of(odd)["title"] == {"type": "string"}


def test_a_description_in_a_field_is_kept() -> None:
    def described(number: Annotated[str, Field(description="From Field")]) -> None:
        """Take one."""

    assert properties_of(described)["number"]["description"] == "From Field"
