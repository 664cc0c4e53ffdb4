"""Real processes, a real database and a cloud in a box, and what is done to them on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from bench.chaos import busy, deliveries, fencing, garbage, killed, outage, rolling, weather
from bench.chaos.verdict import Verdict

# Each in small if `quick`, and with dice that fall as `seed` says where a run throws any for it.
RUNS: dict[str, Callable[[bool, int], Awaitable[Verdict]]] = {
    "deliveries": lambda quick, _: deliveries.run(deliveries.QUICK if quick else deliveries.Size()),
    "killed": lambda quick, _: killed.run(killed.QUICK if quick else killed.Size()),
    "rolling": lambda quick, _: rolling.run(rolling.QUICK if quick else rolling.Size()),
    "weather": lambda quick, seed: weather.run(
        replace(weather.QUICK if quick else weather.Size(), seed=seed)
    ),
    "outage": lambda quick, _: outage.run(outage.QUICK if quick else outage.Size()),
    "fencing": lambda quick, _: fencing.run(fencing.QUICK if quick else fencing.Size()),
    "garbage": lambda quick, _: garbage.run(garbage.QUICK if quick else garbage.Size()),
    "busy": lambda quick, _: busy.run(busy.QUICK if quick else busy.Size()),
}
