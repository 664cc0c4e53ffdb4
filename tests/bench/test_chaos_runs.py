"""The chaos run in small: real processes, a real database, and judges that can say no."""

from __future__ import annotations

import math
import random

import pytest

pytest.importorskip("psutil")

from bench.chaos import deliveries
from bench.chaos.__main__ import DOCUMENT
from bench.chaos.busy import Sample, quarters
from bench.chaos.document import HEAD, revised
from bench.chaos.fuzz import Ward, by_dice, flat
from bench.chaos.mutants import frames_for
from bench.chaos.patient import Died, Patient
from bench.chaos.talk import again
from bench.chaos.verdict import Verdict, below, exactly, none, p99, within
from bench.frames import Response, begun
from bench.postgres import WHY_NOT, programs


@pytest.mark.skipif(programs() is None, reason=WHY_NOT)
async def test_calls_announced_ten_times_to_two_processes_are_answered_once() -> None:
    verdict = await deliveries.run(deliveries.Size(calls=10, spread_s=1.0))
    assert verdict.held, verdict.text()
    assert "deliveries answered 2xx" in verdict.text()


def test_what_did_not_hold_is_said_with_an_example() -> None:
    verdict = Verdict("1. A run", "What is done.", (exactly("calls", 2, 1),), ("rtc_1 is lost",))
    assert not verdict.held
    assert verdict.text().splitlines()[-2:] == [
        "calls         2         1  NOT HELD",
        "e.g. rtc_1 is lost",
    ]


def test_what_held_needs_no_example() -> None:
    verdict = Verdict("1. A run", "What is done.", (none("calls lost", []),), ("a remark",))
    assert verdict.held
    assert "a remark" not in verdict.text()


def test_a_run_that_is_saved_leaves_the_others_and_the_notes_as_they_are() -> None:
    old = [Verdict(f"{n}. Run", "Long ago.", (exactly("calls", n, n),)) for n in (1, 2, 10)]
    text = revised("", old) + "\nThese are notes.\n\n- **Run 1.** Why.\n"
    again = Verdict("2. Run of more calls", "Today.", (exactly("calls", 5, 5),))
    new = revised(text, [again])
    assert new == text.replace(old[1].text(), again.text())
    assert new.startswith(HEAD)
    assert revised(new, old) == text
    assert text.index("2. Run") < text.index("10. Run") < text.index("These are notes.")


def test_what_is_saved_is_what_is_there() -> None:
    text = DOCUMENT.read_text()
    assert revised(text, []) == text


def test_quarters_have_as_many_turns_each_however_fast_they_went() -> None:
    walk = [Sample(n, n * 0.002, 0.0, 100.0) for n in range(0, 400, 4)]
    run = [Sample(n, 0.8 + (n - 400) * 0.004, 0.0, 300.0) for n in range(400, 1201, 20)]
    first, second, third, last = quarters([*walk, *run])
    assert [q.turns for q in (first, second, third, last)] == [300, 300, 300, 300]
    assert first.cpu == pytest.approx(0.002)
    assert last.cpu == pytest.approx(0.004)
    assert (first.memory, last.memory) == (100.0, 300.0)


def test_limits_are_limits() -> None:
    assert below("time", 3.0, 2.9, "s").held
    assert not below("time", 3.0, 3.0, "s").held
    assert not below("time", 3.0, math.nan, "s").held
    assert within("memory", 5, -5.0).held
    assert not within("memory", 5, 5.1).held


def test_of_a_hundred_values_one_may_be_greater_than_p99() -> None:
    assert p99([*[1.0] * 99, 7.0]) == 1.0
    assert p99([*[1.0] * 98, 7.0, 7.0]) == 7.0
    assert math.isnan(p99([]))


def test_a_payment_that_ran_twice_is_found_and_a_look_is_not() -> None:
    assert again(["pays 1 a", "looks 2 b", "pays 1 c", "looks 2 b"]) == []
    assert again(["pays 1 a", "pays 1 a"]) == ["pays 1 a"]


def test_memory_that_grows_is_not_flat() -> None:
    assert flat([1, 100, 100, 100]) == 0
    assert flat([1, 100, 100, 150]) == pytest.approx(50)


def test_broken_frames_break_no_call() -> None:
    dice = random.Random(1)
    ward = Ward(dice)
    by_dice(ward, 2000, dice)
    assert ward.wrong == []
    assert ward.answers > 5


def test_mutants_are_many() -> None:
    source = frames_for(random.Random(5))
    assert len({next(source) for _ in range(500)}) > 300


def test_a_call_that_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = Patient(random.Random(1))
    patient.take(begun(Response("resp_1")))
    monkeypatch.setattr(patient, "_work", lambda: None)  # a shell that steps nothing
    with pytest.raises(Died, match="ever"):
        patient.leave()
