"""docs/chaos.md: what the runs brought when they were last played, and the notes below that."""

from __future__ import annotations

from collections.abc import Iterable

from bench.chaos.verdict import Verdict

HEAD = """# Chaos

What `make chaos` does to offhook, and what came of it. Each run has real `offhook serve` processes,
a throw-away PostgreSQL and the [simulator](simulator.md), all on loopback. What the cloud saw is
the judge, together with the records in the database. Times are real seconds; where a run has
simulated ones, it says so. Saved by `python -m bench.chaos --save`.
"""

_FENCE = "\n```\n"
_BETWEEN = "\n\n\n"


def revised(text: str, verdicts: Iterable[Verdict]) -> str:
    """The document with these results in place of older ones of the same runs, in their order.

    Results of other runs stay, and so does what stands below the results. `text` may be empty.
    """
    _, _, old = text.partition(_FENCE)
    results, _, notes = old.partition(_FENCE)
    found = {_number(each): each for each in results.split(_BETWEEN) if each.strip()}
    found |= {_number(each.title): each.text() for each in verdicts}
    return f"{HEAD}{_FENCE}{_BETWEEN.join(found[n] for n in sorted(found))}{_FENCE}{notes}"


def _number(title: str) -> int:
    """A title begins with the number of its run."""
    return int(title.strip().partition(".")[0])
