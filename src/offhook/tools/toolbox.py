"""The tools that a bot offers, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from offhook.core.outcomes import InvalidArguments
from offhook.errors import ToolError
from offhook.tools.tool import Tool


class Toolbox:
    """A fixed set of tools with distinct names.

    Raises `ToolError` for two of the same name, and for a function that is no tool.
    """

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        by_name: dict[str, Tool] = {}
        for each in tools:
            if not isinstance(each, Tool):
                raise ToolError(f"{each!r} is not a tool; put @tool above the function")
            if by_name.setdefault(each.name, each) is not each:
                raise ToolError(f"two tools are named {each.name!r}; rename one with name=...")
        self._by_name = by_name

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    @cached_property
    def definitions(self) -> tuple[dict[str, Any], ...]:
        """All tools as the Realtime API wants them in `session.tools`, in the order given."""
        return tuple(each.definition for each in self)

    def find(self, name: str) -> Tool | InvalidArguments:
        """The tool of that name, or what to tell the model when there is none."""
        if (found := self._by_name.get(name)) is not None:
            return found
        known = ", ".join(self._by_name) or "none"
        return InvalidArguments(f"There is no tool named {name[:64]!r}. Available: {known}.")
