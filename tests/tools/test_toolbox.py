"""The set of tools that a bot offers."""

from __future__ import annotations

from typing import Any, cast

import pytest

from offhook.core.outcomes import InvalidArguments
from offhook.errors import ToolError
from offhook.tools import Toolbox, tool


@tool
def first() -> None:
    """Be first."""


@tool
def second() -> None:
    """Be second."""


def test_tools_are_found_by_name_and_keep_their_order() -> None:
    box = Toolbox([second, first])
    assert box.find("first") is first
    assert list(box) == [second, first]
    assert len(box) == 2
    assert [each["name"] for each in box.definitions] == ["second", "first"]


def test_an_unknown_tool_is_answered_with_those_there_are() -> None:
    answer = Toolbox([first, second]).find("third")
    assert isinstance(answer, InvalidArguments)
    assert "'third'" in answer.message
    assert "first, second" in answer.message


def test_an_empty_toolbox_says_so() -> None:
    answer = Toolbox().find("x")
    assert isinstance(answer, InvalidArguments)
    assert "none" in answer.message


def test_two_tools_of_one_name_are_refused() -> None:
    twin = tool(name="first")(second.function)
    with pytest.raises(ToolError, match="'first'"):
        Toolbox([first, twin])


def test_a_function_that_is_no_tool_is_refused() -> None:
    with pytest.raises(ToolError, match="@tool"):
        Toolbox([cast("Any", first.function)])
