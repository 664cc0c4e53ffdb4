"""A number is found in the same line as by looking through the whole plan."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.bot import Bot
from offhook.config import load
from offhook.dialplan import DialPlan
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


@given(st.lists(st.sets(patterns, min_size=1), min_size=1, max_size=4), numbers)
def test_the_index_finds_what_the_plan_finds(claims: list[set[str]], number: str | None) -> None:
    taken: set[str] = set()
    lines = []
    for n, claim in enumerate(claims):
        if own := claim - taken:
            lines.append(PlanLine(name=f"l{n}", numbers=tuple(sorted(own))))
            taken |= own
    found = DialPlan(tuple(lines)).find(number)
    assert name(directory(*lines).find(number)) == (found.name if found else None)


def test_one_line_takes_all() -> None:
    assert only(LINE).find(None) is LINE
    assert only(LINE).find("+15550100") is LINE


def test_a_call_that_began_elsewhere_finds_its_line_by_name() -> None:
    two = directory(PlanLine(name="a"), PlanLine(name="b", numbers=("+1*",)))
    assert name(two.named("b")) == "b"
    assert name(two.named("gone")) == "a"
