"""A process of its own that feeds calls with broken frames: `python -m bench.chaos.fuzz 100000`.

With `--atheris` the frames are those that lead to code that was not run yet (atheris, libFuzzer),
with `--hypothesis` those that Hypothesis thinks of; else dice break true ones. It tells of what
it found in one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable

import psutil

from bench.chaos.mutants import frames_for
from bench.chaos.patient import Patient

LIFE = 250  # frames of one call
SAMPLES = 40


class Ward:
    """One call after the other, each for so many frames."""

    def __init__(self, dice: random.Random) -> None:
        self.frames = 0
        self.calls = 0
        self.answers = 0
        self.wrong: list[str] = []
        self._dice = dice
        self._patient = Patient(dice)
        self._left = LIFE

    def feed(self, raw: bytes) -> None:
        """One more frame, and what it broke is written down."""
        self.frames += 1
        try:
            self._patient.take(raw)
            self._left -= 1
            if self._left == 0:
                self._next()
        except Exception as error:
            self.wrong.append(f"{error!r} by {raw[:300]!r}")
            self._fresh()

    def _next(self) -> None:
        self._patient.leave()
        self._fresh()

    def _fresh(self) -> None:
        self.calls += 1
        self.answers += len(self._patient.answered)
        self._patient, self._left = Patient(self._dice), LIFE


def by_dice(ward: Ward, count: int, dice: random.Random) -> list[int]:
    """True frames, broken. Returns the memory (bytes) in the course of it."""
    weighed, source, process = [], frames_for(dice), psutil.Process()
    for n in range(count):
        ward.feed(next(source))
        if n % (count // SAMPLES or 1) == 0:
            weighed.append(process.memory_info().rss)
    return weighed


def by_hypothesis(ward: Ward, count: int) -> None:
    """Frames whose fields are anything at all."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from offhook.realtime.frames import KNOWN

    names = st.sampled_from(sorted({f for kind in KNOWN for f in kind.__struct_encode_fields__}))
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    value = st.recursive(leaf, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v))
    types = st.sampled_from(sorted(str(kind.__struct_config__.tag) for kind in KNOWN))
    frame = st.builds(lambda t, v: {**v, "type": t}, types, st.dictionaries(names, value))

    @settings(
        max_examples=count, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(frame)
    def play(body: dict[str, object]) -> None:
        ward.feed(json.dumps(body).encode())

    play()


def by_atheris(count: int) -> None:
    """Frames that libFuzzer makes, led by what they reach. It ends this process itself."""
    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["offhook.realtime", "offhook.core"]):
        from bench.chaos.patient import Patient as Instrumented

    dice = random.Random(3)
    seeds = frames_for(random.Random(4))

    def one(data: bytes) -> None:
        patient = Instrumented(dice)
        for raw in data.split(b"\n"):
            patient.take(raw)
        patient.leave()

    def change(data: bytes, most: int, seed: int) -> bytes:
        """Now and then a true frame is put behind what there is."""
        if seed % 3 == 0:
            return (data + b"\n" + next(seeds))[-most:]
        changed: bytes = atheris.Mutate(data, most)
        return changed

    options = ["fuzz", f"-runs={count}", "-max_len=8000", "-verbosity=0", "-rss_limit_mb=2000"]
    atheris.Setup(options, one, custom_mutator=change)
    atheris.Fuzz()


def flat(weighed: Iterable[int]) -> float:
    """By how many per cent the last quarter is heavier than the second; the first is warm-up."""
    values = list(weighed)
    quarter = max(len(values) // 4, 1)
    second, last = values[quarter : 2 * quarter] or values, values[-quarter:]
    return 100 * (sum(last) / len(last) / (sum(second) / len(second)) - 1)


def main() -> None:
    """Feed, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--hypothesis", action="store_true")
    options = parser.parse_args()
    if options.atheris:
        by_atheris(options.count)
        return
    dice = random.Random(7)
    ward = Ward(dice)
    weighed = []
    if options.hypothesis:
        by_hypothesis(ward, options.count)
    else:
        weighed = by_dice(ward, options.count, dice)
    found = {
        "frames": ward.frames,
        "calls": ward.calls,
        "answers": ward.answers,
        "wrong": ward.wrong[:20],
        "many": len(ward.wrong),
        "growth": flat(weighed) if weighed else 0.0,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
