"""What was measured, as text: one table, and whether each target was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeAlias

from msgspec import Struct

from bench.programs import FLOOR, OFFHOOK, PROGRAMS
from bench.trial import ROUND_TRIP_S, Far, Near, Size

KB, MS, US = 1024, 1e3, 1e6
EVENT_MOST, SETUP_MOST = 1.4, 1.5  # times the floor
MEMORY_MOST = 45 * KB
TRIPS, TRIPS_SLACK_S = 2.5, 0.010  # webhook out, accept there and back, upgrade there and back
TOOL_MOST_S = 0.010
RATE_SHARE = 0.97  # of the wanted rate; below that the load itself was too slow to tell


class Results(Struct):
    """All rounds of all programs, by the program's name."""

    size: Size
    near: dict[str, list[Near]]
    far: dict[str, Far]

    def typical(self, name: str, measure: Callable[[Near], float]) -> float:
        """The median over the rounds."""
        return median(measure(n) for n in self.near[name])


Row: TypeAlias = tuple[str, Callable[[str], float], int]  # title, value by program, decimals


def share(times: Sequence[float], part: float) -> float:
    """The time within which that part of all was done, `nan` for none."""
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")


def text(results: Results) -> str:
    """The whole report."""
    parts = [
        "On loopback",
        _table(_near_rows(results)),
        f"With TLS, {ROUND_TRIP_S * MS:.0f} ms away (a bare request took "
        f"{min(f.round_trip for f in results.far.values()) * MS:.1f} ms)",
        _table(_far_rows(results)),
        "Targets",
        "\n".join(_targets(results)),
    ]
    return "\n\n".join([*parts, *_oddities(results)])


def _near_rows(results: Results) -> list[Row]:
    def of(measure: Callable[[Near], float], unit: float) -> Callable[[str], float]:
        return lambda name: results.typical(name, measure) * unit

    def times(measure: Callable[[Near], list[float]], part: float) -> Callable[[str], float]:
        return lambda name: results.typical(name, lambda n: share(measure(n), part)) * MS

    rows: list[Row] = [
        ("CPU per sideband event, µs", of(lambda n: n.event_cpu, US), 1),
        ("CPU to set a call up, ms", of(lambda n: n.setup_cpu, MS), 2),
        ("memory per live call, KB", of(lambda n: n.memory, 1 / KB), 1),
        ("CPU per second of an idle call, µs", of(lambda n: n.idle_cpu, US), 0),
        ("events sent a second", of(lambda n: n.event_rate, 1), 0),
        ("share of one processor meanwhile, %", of(lambda n: n.share, 100), 1),
    ]
    measures: list[tuple[str, Callable[[Near], list[float]]]] = [
        ("ring to 200", lambda n: n.to_200),
        ("ring to accept", lambda n: n.to_accept),
        ("ring to greeting", lambda n: n.to_greeting),
        ("tool asked to answer sent", lambda n: n.tool),
        ("tool asked to going on", lambda n: n.goes_on),
    ]
    for title, measure in measures:
        rows.append((f"{title}, p50 ms", times(measure, 0.5), 2))
        rows.append((f"{title}, p99 ms", times(measure, 0.99), 2))
    return rows


def _far_rows(results: Results) -> list[Row]:
    def times(measure: Callable[[Far], list[float]], part: float, less: float = 0) -> Row:
        title = "p50" if part == 0.5 else "p99"
        return title, lambda name: (share(measure(results.far[name]), part) - less) * MS, 1

    measures: list[tuple[str, Callable[[Far], list[float]], float]] = [
        ("ring to 200", lambda f: f.to_200, 0),
        ("ring to accept", lambda f: f.to_accept, 0),
        ("ring to greeting sent", lambda f: f.to_greeting, ROUND_TRIP_S / 2),
        ("ring to greeting in the cloud", lambda f: f.to_greeting, 0),
    ]
    rows: list[Row] = []
    for title, measure, less in measures:
        for part in (0.5, 0.99):
            short, value, decimals = times(measure, part, less)
            rows.append((f"{title}, {short} ms", value, decimals))
    return rows


def _table(rows: list[Row]) -> str:
    names = [p.name for p in PROGRAMS]
    ratios = [f"{n}/floor" for n in names if n != FLOOR.name]
    lines = [_line("", names, ratios)]
    for title, value, decimals in rows:
        values = {n: value(n) for n in names}
        floor = values[FLOOR.name]
        shown = [f"{values[n]:.{decimals}f}" for n in names]
        times = [f"{values[n] / floor:.2f}" if floor else "-" for n in names if n != FLOOR.name]
        lines.append(_line(title, shown, times))
    return "\n".join(lines)


def _line(title: str, values: Sequence[str], ratios: Sequence[str]) -> str:
    return f"{title:36}" + "".join(f"{v:>15}" for v in values) + "".join(f"{r:>21}" for r in ratios)


def _targets(results: Results) -> list[str]:
    def ours(measure: Callable[[Near], float]) -> float:
        return results.typical(OFFHOOK.name, measure)

    def ratio(measure: Callable[[Near], float]) -> float:
        return ours(measure) / results.typical(FLOOR.name, measure)

    event, setup = ratio(lambda n: n.event_cpu), ratio(lambda n: n.setup_cpu)
    memory = ours(lambda n: n.memory)
    greeting = share(results.far[OFFHOOK.name].to_greeting, 0.5) - ROUND_TRIP_S / 2
    most = TRIPS * ROUND_TRIP_S + TRIPS_SLACK_S
    tool = ours(lambda n: share(n.tool, 0.99))
    rate, wanted = ours(lambda n: n.event_rate), results.size.event_rate
    return [
        target(event <= EVENT_MOST, f"CPU per event {event:.2f} of at most {EVENT_MOST} floors"),
        target(setup <= SETUP_MOST, f"CPU of set-up {setup:.2f} of at most {SETUP_MOST} floors"),
        target(memory <= MEMORY_MOST, f"memory {memory / KB:.1f} of at most 45 KB a live call"),
        target(
            greeting <= most,
            f"ring to greeting sent {greeting * MS:.1f} of at most {most * MS:.0f} ms, which is "
            f"{TRIPS} round trips of {ROUND_TRIP_S * MS:.0f} ms + {TRIPS_SLACK_S * MS:.0f} ms "
            "(p50, warm connections)",
        ),
        target(
            tool < TOOL_MOST_S and rate > RATE_SHARE * wanted,
            f"{results.size.live} live calls, {rate:.0f} of {wanted:.0f} events a second, "
            f"tool answers p99 {tool * MS:.2f} of less than {TOOL_MOST_S * MS:.0f} ms",
        ),
    ]


def target(reached: bool, what: str) -> str:
    """One line of the targets."""
    return f"{'reached    ' if reached else 'NOT REACHED'}  {what}"


def _oddities(results: Results) -> list[str]:
    """What a program sent that a cloud would not have understood."""
    said = []
    for name, rounds in results.near.items():
        odd = [o for n in rounds for o in n.odd] + results.far[name].odd
        if odd:
            said.append(f"{name} sent {len(odd)} odd events, e.g. {odd[0]}")
    return ["Oddities", "\n".join(said)] if said else []
