"""Real processes, a real database and a cloud in a box, and what is done to them on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bench.chaos import busy, deliveries, fencing, garbage, killed, outage, rolling, weather
from bench.chaos.verdict import Verdict

RUNS: dict[str, Callable[[bool], Awaitable[Verdict]]] = {
    "deliveries": lambda quick: deliveries.run(deliveries.QUICK if quick else deliveries.Size()),
    "killed": lambda quick: killed.run(killed.QUICK if quick else killed.Size()),
    "rolling": lambda quick: rolling.run(rolling.QUICK if quick else rolling.Size()),
    "weather": lambda quick: weather.run(weather.QUICK if quick else weather.Size()),
    "outage": lambda quick: outage.run(outage.QUICK if quick else outage.Size()),
    "fencing": lambda quick: fencing.run(fencing.QUICK if quick else fencing.Size()),
    "garbage": lambda quick: garbage.run(garbage.QUICK if quick else garbage.Size()),
    "busy": lambda quick: busy.run(busy.QUICK if quick else busy.Size()),
}
