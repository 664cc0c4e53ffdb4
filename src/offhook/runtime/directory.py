"""Finds the line of a dialled number, in the same few steps however many numbers there are."""

from __future__ import annotations

from collections.abc import Mapping

from offhook.dialplan import ANY, DialPlan
from offhook.runtime.line import Line


class Directory:
    """All lines, by number and by name. A change is for calls that ring afterwards."""

    def __init__(self, plan: DialPlan, lines: Mapping[str, Line]) -> None:
        self.put(plan, lines)

    def put(self, plan: DialPlan, lines: Mapping[str, Line]) -> None:
        """Have these lines instead. `lines` is by name, and has all of the plan's."""
        self.plan = plan
        self.lines = dict(lines)
        self.reserved = {line.name: line.reserved for line in plan.lines if line.reserved}
        self._exact: dict[str, Line] = {}
        self._begin: dict[str, Line] = {}
        for line in plan.lines:
            for pattern in line.numbers:
                if pattern.endswith(ANY):
                    self._begin[pattern[:-1]] = self.lines[line.name]
                else:
                    self._exact[pattern] = self.lines[line.name]
        self._lengths = sorted({len(begin) for begin in self._begin}, reverse=True)

    @property
    def first(self) -> Line:
        """The line that stands in where none is found: its rules say how calls are refused."""
        return next(iter(self.lines.values()))

    def find(self, called: str | None) -> Line | None:
        """The line that a dialled number belongs to: the most exact pattern wins. `None`: nobody's.

        A number that is not known belongs to the line that takes any.
        """
        number = called or ""
        if (exact := self._exact.get(number)) is not None:
            return exact
        for length in self._lengths:
            if (found := self._begin.get(number[:length])) is not None and length <= len(number):
                return found
        return None

    def named(self, name: str) -> Line:
        """The line of a call that has begun elsewhere; the first one if it is no more."""
        return self.lines.get(name, self.first)


def only(line: Line) -> Directory:
    """A directory of one line, which takes every number."""
    return Directory(DialPlan((line.plan,)), {line.plan.name: line})
