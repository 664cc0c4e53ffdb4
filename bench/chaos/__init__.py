"""Real processes, a real database and a cloud in a box, and what is done to them on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bench.chaos import deliveries
from bench.chaos.verdict import Verdict

RUNS: dict[str, Callable[[bool], Awaitable[Verdict]]] = {
    "deliveries": lambda quick: deliveries.run(deliveries.QUICK if quick else deliveries.Size()),
}
