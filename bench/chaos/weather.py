"""Run 4: sidebands drop, responses fail, frames come twice, and the model writes bad arguments."""

from __future__ import annotations

import asyncio
import itertools
import random

from msgspec import Struct

from bench.chaos.cloud import Watched
from bench.chaos.stage import stage
from bench.chaos.talk import HEARS_S, intact
from bench.chaos.verdict import Verdict, none, told
from offhook.simulator import CallsTools, FailsWith, Faults, HangsUp, Hears, Replies, Says, Script
from offhook.simulator.script import Act
from offhook.simulator.wire import Json

SPEED = 5.0
DROP_S = 20.0  # simulated, between two drops of a sideband
FAIL, TOOL, BAD = 0.15, 0.5, 0.25
FRAMES = Faults(duplicate_every=20)
ENDS = ("caller_hung_up", "transferred")
PATIENCE_S = 150.0  # real
RATE = 20.0


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 100
    turns: int = 25
    seed: int = 0


QUICK = Size(calls=12, turns=6)


class Moody:
    """Fails, asks for tools, and now and then with arguments that are no JSON or of no use."""

    def __init__(self, seed: str) -> None:
        self._dice = random.Random(seed)

    def act(self, session: Json, items: list[Json], caller_text: str) -> Act:
        """What the model does now."""
        del session
        dice = self._dice
        if dice.random() < FAIL:
            return FailsWith(dice.choice(("server_error", "rate_limit_exceeded")))
        after_a_tool = bool(items) and items[-1]["type"] == "function_call_output"
        if not after_a_tool and dice.random() < TOOL:
            return CallsTools(*(self._asked() for _ in range(dice.choice((1, 1, 2)))))
        return Replies(f"I heard {caller_text}")

    def _asked(self) -> tuple[str, dict[str, object] | str]:
        name, field = self._dice.choice((("looks", "number"), ("pays", "amount")))
        if self._dice.random() < BAD:
            bad = ('{"number": ', "[]", '{"number": "many"}', "{}", "\x00", '{"amount": 1e999}')
            return name, self._dice.choice(bad)
        return name, {field: self._dice.randrange(1000)}


async def run(size: Size) -> Verdict:
    """All of it at once, on every call."""
    said = [
        s for n in range(size.turns) for s in (Says(f"Sentence {n}."), Hears(timeout_s=HEARS_S))
    ]
    numbers = itertools.count()
    script = Script(
        steps=(Hears(timeout_s=HEARS_S), *said, HangsUp()),
        improviser=lambda: Moody(f"{size.seed}/{next(numbers)}"),
    )
    async with stage(SPEED, FRAMES) as place:
        (replica,) = await place.start()
        place.go()
        calls: list[Watched] = []
        drops = [0]
        tasks = []
        for _ in range(size.calls):
            calls.append(await place.cloud.phone(replica.webhook, script))
            tasks.append(asyncio.create_task(_drop(calls[-1], drops)))
            await asyncio.sleep(1 / RATE)
        await place.until(lambda: all(c.over for c in calls), PATIENCE_S)
        for task in tasks:
            task.cancel()
        demands, wrong = await intact(place, calls)
        undecided = await place.undecided(calls)
        keep = ("answered", "vain", "twice", "two owners", "mistakes", "no end")
        asked = sum(len(c.answers) for c in calls)
        apart = [n for c in calls for n in c.answers_unheard.values()]
        left = [f"{c.call_id} ended as {c.reason!r}" for c in calls if c.reason not in ENDS]
        ends = {end: sum(c.reason == end for c in calls) for end in ENDS}
        return Verdict(
            f"4. Bad weather on {size.calls} calls",
            f"Each sideband drops every {DROP_S:.0f} simulated seconds ({SPEED:.0f} of them pass "
            f"in a real one), {FAIL:.0%} of responses fail, every 20th frame comes twice, a "
            f"quarter of function calls has arguments of no use; {size.turns} sentences a call.",
            (
                told("sidebands dropped", f"{drops[0]:,}"),
                told("function calls", f"{asked:,}"),
                told("function calls made while no sideband was there to tell", f"{len(apart):,}"),
                told("of these never found, so never answered", f"{apart.count(0):,}"),
                told("calls that ended with a goodbye, with a transfer", str(tuple(ends.values()))),
                none("calls that ended in another way", left),
                *(d for d in demands if any(word in d.what for word in keep)),
                none("function calls with no outcome on record", undecided),
            ),
            (*left, *undecided, *(each for each in wrong if ENDS[1] not in each)),
        )


async def _drop(call: Watched, drops: list[int]) -> None:
    while not call.over:
        await asyncio.sleep(DROP_S / SPEED)
        if call.listened_to and not call.over:
            call.drop_sideband()
            drops[0] += 1
