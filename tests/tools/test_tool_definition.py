"""What makes a function a tool, and what is refused when it is defined."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from offhook.core.call import Call
from offhook.errors import ToolError
from offhook.tools import Tool, tool

if TYPE_CHECKING:
    from decimal import Decimal as OnlyForTheChecker


async def lookup(call: Call, number: Annotated[str, "As printed"], count: int = 1) -> str:
    """Look something up.

    Say where it is.
    """
    return number * count


def test_a_tool_takes_its_name_and_text_from_the_function() -> None:
    made = tool(lookup)
    assert isinstance(made, Tool)
    assert (made.name, made.description) == ("lookup", "Look something up.\n\nSay where it is.")
    assert (made.timeout, made.effects, made.finish) == (None, False, False)


def test_options_are_kept() -> None:
    made = tool(name="find-it", timeout=2, effects=True, finish=True)(lookup)
    assert made.name == "find-it"
    assert (made.timeout, made.effects, made.finish) == (2.0, True, True)


def test_the_definition_is_what_the_realtime_api_wants() -> None:
    assert tool(lookup).definition == {
        "type": "function",
        "name": "lookup",
        "description": "Look something up.\n\nSay where it is.",
        "parameters": {
            "type": "object",
            "properties": {
                "number": {"type": "string", "description": "As printed"},
                "count": {"type": "integer", "default": 1},
            },
            "required": ["number"],
            "additionalProperties": False,
        },
    }


def test_the_call_is_found_by_its_type_wherever_it_stands() -> None:
    @tool
    def late(number: str, who: Call) -> None:
        """Say nothing."""

    assert late.call_parameter == "who"
    assert list(late.parameters["properties"]) == ["number"]


def test_a_tool_is_still_the_function_it_was() -> None:
    @tool
    def twice(number: int, by: int = 2) -> int:
        """Multiply."""
        return number * by

    assert twice(4, by=3) == 12
    assert str(inspect.signature(twice)) == "(number: 'int', by: 'int' = 2) -> 'int'"


def test_a_tool_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        tool(lookup).timeout = 99  # type: ignore[misc]


def test_a_method_of_an_object_can_be_a_tool() -> None:
    class Desk:
        def greet(self, name: str) -> str:
            """Greet."""
            return f"Hello {name}"

    assert list(tool(Desk().greet).parameters["properties"]) == ["name"]


async def undocumented(number: str) -> None: ...


async def starred(*numbers: str) -> None:
    """Take many."""


async def double_starred(**numbers: str) -> None:
    """Take anything."""


async def untyped(number) -> None:  # type: ignore[no-untyped-def]
    """Take what comes."""


async def positional(number: str, /) -> None:
    """Take one."""


async def two_calls(one: Call, other: Call) -> None:
    """Take two."""


async def unresolvable(price: OnlyForTheChecker) -> None:
    """Take a price."""


async def maybe_call(call: Call | None) -> None:
    """Take half a call."""


def yielding(number: str) -> Iterator[str]:
    """Yield."""
    yield number


class Opaque:
    """Nothing that JSON can carry."""


async def opaque(thing: Opaque) -> None:
    """Take a thing."""


@dataclass
class Holder:
    thing: Callable[[], None]


async def callback_inside(holder: Holder) -> None:
    """Take a callback."""


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (undocumented, "docstring"),
        (starred, "name each parameter"),
        (double_starred, "name each parameter"),
        (untyped, "give 'number' a type"),
        (positional, "positional only"),
        (two_calls, "one, other"),
        (unresolvable, "TYPE_CHECKING"),
        (maybe_call, "does not fit into JSON"),
        (yielding, "instead of yielding"),
        (opaque, "does not fit into JSON"),
        (callback_inside, "does not fit into JSON"),
        (lambda: None, "'<lambda>'"),
        ("lookup", "wants a function"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused_at_import(function: Any, says: str) -> None:
    with pytest.raises(ToolError, match=says):
        tool(function)


@pytest.mark.parametrize("name", ["", "zwölf", "a b", "a" * 65, "a.b", "a\n"])
def test_a_name_that_the_cloud_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ToolError, match="1 to 64"):
        tool(name=name)(lookup)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_timeout_must_be_a_positive_time(timeout: float) -> None:
    with pytest.raises(ToolError, match="timeout"):
        tool(timeout=timeout)(lookup)


def test_a_tool_is_not_made_a_tool_again() -> None:
    with pytest.raises(ToolError, match="wants a function"):
        tool(tool(lookup))
