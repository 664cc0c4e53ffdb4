"""The bench of records makes calls that the lists find, and tells of each filter."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from bench.records import SINGLE, run, sets


async def test_a_small_run_tells_of_every_filter(tmp_path: Path) -> None:
    text = await run(str(tmp_path / "records.sqlite3"), 300, times=1)
    assert text.startswith("300 calls in SQLite")
    assert all(title in text for title in SINGLE)
    assert f"of {len(SINGLE)} filters" in text
    assert f"of {len(list(sets(2)))} pairs" in text
    lines = [line for line in text.splitlines() if line[:92].strip() in SINGLE]
    found = {line[:92].strip(): int(line.split()[-1]) for line in lines}
    assert found["live"] == 40
    assert found["text, in all"] == 50
    assert found["text, nowhere"] == 0
