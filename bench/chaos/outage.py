"""Run 5: the database is away for a while, and comes back."""

from __future__ import annotations

import asyncio
from time import monotonic

from msgspec import Struct

from bench.chaos.stage import stage
from bench.chaos.talk import Crowd, intact
from bench.chaos.verdict import Verdict, exactly, told

SPEED = 4.0


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 60
    fresh: int = 40
    away_s: float = 30.0


QUICK = Size(calls=12, fresh=8, away_s=4.0)


async def run(size: Size) -> Verdict:
    """Calls go on, and new ones come, while there is no database."""
    async with stage(SPEED) as place:
        replicas = await place.start(2)
        place.go()
        webhooks = [replica.webhook for replica in replicas]
        crowd = Crowd(place)
        await crowd.call(size.calls, webhooks)
        heard = _heard(crowd)
        await asyncio.to_thread(place.database.stop)
        began = monotonic()
        try:
            await crowd.call(size.fresh, webhooks)
            await asyncio.sleep(max(began + size.away_s - monotonic(), 0))
            greeted = sum(bool(c.marks("bot_said")) for c in crowd.calls[size.calls :])
            turns = _heard(crowd) - heard
        finally:
            await asyncio.to_thread(place.database.start)
        away = monotonic() - began
        await crowd.stop()
        demands, wrong = await intact(place, crowd.calls)
        return Verdict(
            f"5. The database away for {size.away_s:.0f} s",
            f"Two replicas, {size.calls} callers who talk all the time. PostgreSQL is stopped as "
            f"in a crash; meanwhile {size.fresh} new calls come in; then it is started again. "
            f"{SPEED:.0f} simulated seconds pass in a real one, so that people talk faster.",
            (
                told("how long it was away", f"{away:.1f} s"),
                told("sentences of the bot meanwhile", f"{turns:,}"),
                exactly("new calls greeted while it was away", size.fresh, greeted),
                *demands,
            ),
            tuple(wrong),
        )


def _heard(crowd: Crowd) -> int:
    return sum(len(call.marks("bot_said")) for call in crowd.calls)
