"""Run 1: every call is announced many times, in any order, to several replicas at once."""

from __future__ import annotations

import asyncio
import random
from time import monotonic

from msgspec import Struct

from bench.chaos.cloud import CALLED, Watched
from bench.chaos.stage import PATIENT, Stage, stage
from bench.chaos.verdict import Verdict, exactly, none
from offhook.simulator import Hears, Script
from offhook.simulator.faults import Faults
from offhook.simulator.invite import Invite
from offhook.simulator.webhooks import Delivery, incoming_call, new_delivery

TIMES = 10
RATE = 25.0  # calls a second
SPEED = 20.0


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 1000
    replicas: int = 2
    spread_s: float = 6.0  # within which a call is announced again and again


QUICK = Size(calls=100)


async def run(size: Size) -> Verdict:
    """Nine deliveries of each call while it is there, one after it has ended."""
    dice = random.Random(1)
    async with stage(SPEED) as place:
        await place.start(size.replicas, **PATIENT)
        flood = Flood(place, dice)
        numbers = list(range(size.calls)) * (TIMES - 1)
        await flood.pour(sorted((n / RATE + dice.uniform(0, size.spread_s), n) for n in numbers))
        calls = list(flood.calls.values())
        await place.until(lambda: all(c.marks("bot_said") for c in calls), 60)
        for call in calls:
            call.caller_hangs_up()
        await place.recorded(calls)
        await flood.pour([(n / RATE / TIMES, n) for n in range(size.calls)])
        await place.recorded(calls)
        rows = await place.rows("SELECT count(*) AS n FROM calls")
        once = {c.call_id for c in calls if len(c.marks("accept")) == c.greetings == 1}
        wrong = [c.call_id for c in calls if c.call_id not in once]
        return Verdict(
            f"1. {TIMES * size.calls:,} deliveries of {size.calls:,} calls",
            f"{RATE:.0f} calls a second, each announced {TIMES} times to {size.replicas} replicas, "
            f"shuffled over all calls within {size.spread_s:.0f} s: half of the repeats under the "
            "same delivery id, half under a new one, one of them after the call has ended.",
            (
                exactly("deliveries answered 2xx", TIMES * size.calls, flood.answered),
                exactly("accepts", size.calls, sum(c.accepts_taken for c in calls)),
                none("accepts that the cloud had to refuse", sum(c.accepts_refused for c in calls)),
                exactly("greetings", size.calls, sum(c.greetings for c in calls)),
                exactly("sidebands", size.calls, sum(len(c.attached_at) for c in calls)),
                exactly("records of calls", size.calls, rows[0]["n"]),
                none("own mistakes in the logs", place.bugs()),
            ),
            tuple(wrong + place.bugs()),
        )


class Flood:
    """Calls by their number, placed when they are first announced."""

    def __init__(self, place: Stage, dice: random.Random) -> None:
        self.calls: dict[int, Watched] = {}
        self.answered = 0
        self._place = place
        self._dice = dice
        self._events: dict[int, Delivery] = {}

    async def pour(self, plan: list[tuple[float, int]]) -> None:
        """Announce these calls, each at its time in seconds from now, whatever comes back."""
        began, under_way = monotonic(), []
        for at, number in plan:
            await asyncio.sleep(max(began + at - monotonic(), 0))
            under_way.append(asyncio.create_task(self._announce(number)))
        await asyncio.gather(*under_way)

    async def _announce(self, number: int) -> None:
        cloud = self._place.cloud
        if number not in self.calls:
            self.calls[number] = cloud.place(Script(steps=(Hears(),)))
        call = self.calls[number]
        webhook = self._dice.choice(self._place.replicas).webhook
        known = self._events.get(number)
        if known is None or self._dice.random() < 0.5:
            event = incoming_call(call.call_id, Invite(called=CALLED))
            known = self._events.setdefault(number, new_delivery(webhook, event))
            delivery = new_delivery(webhook, event)
        else:
            delivery = Delivery(webhook, known.id, known.body)
        status = await cloud.post(delivery, Faults(webhook_timeout_s=30))
        self.answered += 200 <= status < 300
