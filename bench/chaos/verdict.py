"""What a run demanded, what was measured, and whether it held: as values and as text."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from textwrap import fill

from msgspec import Struct

WIDTH = 100


class Demand(Struct, frozen=True):
    """One line of the table."""

    what: str
    demanded: str
    measured: str
    held: bool


class Verdict(Struct, frozen=True):
    """One run: what was done, what was demanded, and examples of what went wrong."""

    title: str
    done: str
    demands: tuple[Demand, ...]
    wrong: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether all of it held."""
        return all(demand.held for demand in self.demands)

    def text(self) -> str:
        """The table."""
        rows = [("", "demanded", "measured", "")]
        rows += [
            (d.what, d.demanded, d.measured, "held" if d.held else "NOT HELD") for d in self.demands
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            f"{what:{widths[0]}}  {demanded:>{widths[1]}}  {measured:>{widths[2]}}  {held}".rstrip()
            for what, demanded, measured, held in rows
        ]
        wrong = [] if self.held else [f"e.g. {each[: WIDTH * 5]}" for each in self.wrong[:3]]
        return "\n".join([self.title, "", fill(self.done, WIDTH), "", *lines, *wrong])


def exactly(what: str, wanted: int, found: int) -> Demand:
    """A count that must be met."""
    return Demand(what, f"{wanted:,}", f"{found:,}", found == wanted)


def none(what: str, found: Collection[object] | int) -> Demand:
    """What must not have happened."""
    return exactly(what, 0, found if isinstance(found, int) else len(found))


def below(what: str, most: float, found: float, unit: str, digits: int = 0) -> Demand:
    """A measure with an upper limit; no number is a failure."""
    held = not math.isnan(found) and found < most
    return Demand(what, f"< {most:,.{digits}f} {unit}", f"{found:,.{digits}f} {unit}", held)


def within(what: str, most: float, found: float) -> Demand:
    """A change in per cent, up or down, that must stay small."""
    return Demand(what, f"within {most:.0f} %", f"{found:+.1f} %", abs(found) <= most)


def told(what: str, measured: str) -> Demand:
    """What is worth knowing, and is not judged."""
    return Demand(what, "-", measured, True)


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 do not exceed, the greatest of fewer; `nan` of none."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * 0.99) - 1] if ordered else math.nan
