"""A dialled number has one line, the same as by looking through the whole plan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import load
from offhook.dialplan import ANY, DialPlan, matches
from offhook.dialplan import Line as PlanLine
from offhook.runtime.directory import Directory, only
from offhook.runtime.line import Line, make_line

LINE = make_line(Bot("Be brief."), load(None, {}, serving=False))

patterns = st.sampled_from(["*", "+4930*", "+493*", "+49301", "+49302", "+1555*", "112"])
numbers = st.sampled_from([None, "", "+49301", "+49309", "+493", "+15550100", "112", "+81"])


def directory(*lines: PlanLine) -> Directory:
    made = {each.name: replace(LINE, plan=each) for each in lines}
    return Directory(DialPlan(lines), made)


def name(line: Line | None) -> str | None:
    return line.plan.name if line else None


def looked_up(lines: list[PlanLine], number: str | None) -> str | None:
    """The name of the line with the most exact pattern, by going through all of them."""
    found = [
        (not pattern.endswith(ANY), len(pattern), line.name)
        for line in lines
        for pattern in line.numbers
        if matches(pattern, number)
    ]
    return max(found)[2] if found else None


@given(st.lists(st.sets(patterns, min_size=1), min_size=1, max_size=4), numbers)
def test_the_index_finds_what_going_through_the_plan_finds(
    claims: list[set[str]], number: str | None
) -> None:
    taken: set[str] = set()
    lines = []
    for n, claim in enumerate(claims):
        if own := claim - taken:
            lines.append(PlanLine(name=f"l{n}", numbers=tuple(sorted(own))))
            taken |= own
    assert name(directory(*lines).find(number)) == looked_up(lines, number)


@pytest.mark.parametrize(
    ("number", "line"),
    [
        ("+49301", "whole"),
        ("+493012", "longer"),
        ("+49309", "shorter"),
        ("+4930", "shorter"),
        ("+493", None),
        ("+15550100", None),
        (None, None),
    ],
)
def test_the_most_exact_pattern_wins(number: str | None, line: str | None) -> None:
    shorter, longer = (
        PlanLine(name="shorter", numbers=("+4930*",)),
        PlanLine(name="longer", numbers=("+49301*",)),
    )
    whole = PlanLine(name="whole", numbers=("+49301",))
    assert name(directory(shorter, whole, longer).find(number)) == line


@pytest.mark.parametrize("number", ["+15550100", None])
def test_a_number_that_is_not_known_belongs_to_the_line_that_takes_any(number: str | None) -> None:
    some, rest = PlanLine(name="some", numbers=("+4930*",)), PlanLine(name="rest")
    assert name(directory(some, rest).find(number)) == "rest"


def test_one_line_takes_all() -> None:
    assert only(LINE).find(None) is LINE
    assert only(LINE).find("+15550100") is LINE


def test_a_call_that_began_elsewhere_finds_its_line_by_name() -> None:
    two = directory(PlanLine(name="a"), PlanLine(name="b", numbers=("+1*",)))
    assert name(two.named("b")) == "b"
    assert name(two.named("gone")) == "a"
