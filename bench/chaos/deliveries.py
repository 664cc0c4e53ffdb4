"""Run 1: every call is announced many times, in any order, to several replicas at once."""

from __future__ import annotations

import asyncio
import random

from msgspec import Struct

from bench.chaos.cloud import CALLED, Watched
from bench.chaos.stage import Stage, stage
from bench.chaos.verdict import Verdict, exactly, none
from offhook.simulator import Hears, Script
from offhook.simulator.faults import Faults
from offhook.simulator.invite import Invite
from offhook.simulator.webhooks import Delivery, incoming_call, new_delivery

TIMES = 10
AT_ONCE = 48
SPEED = 20.0


class Size(Struct, frozen=True):
    """How much is done."""

    calls: int = 1000
    replicas: int = 2


QUICK = Size(calls=100)


async def run(size: Size) -> Verdict:
    """Nine deliveries of each call while it is there, one after it has ended."""
    dice = random.Random(1)
    async with stage(SPEED) as place:
        await place.start(size.replicas)
        flood = Flood(place, dice)
        while_there = list(range(size.calls)) * (TIMES - 1)
        dice.shuffle(while_there)
        await flood.pour(while_there)
        calls = list(flood.calls.values())
        await place.until(lambda: all(c.marks("bot_said") for c in calls), 60)
        for call in calls:
            call.caller_hangs_up()
        await place.recorded(calls)
        await flood.pour(list(range(size.calls)))
        await place.recorded(calls)
        rows = await place.rows("SELECT count(*) AS n FROM calls")
        wrong = [c.call_id for c in calls if c.accepted != 1 or c.greetings != 1]
        return Verdict(
            f"1. {TIMES * size.calls:,} deliveries of {size.calls:,} calls",
            f"Each call is announced {TIMES} times to {size.replicas} replicas, shuffled over all "
            "calls: half of the repeats under the same delivery id, half under a new one, one of "
            "them after the call has ended.",
            (
                exactly("deliveries answered 2xx", TIMES * size.calls, flood.answered),
                exactly("accepts", size.calls, sum(c.accepted for c in calls)),
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

    async def pour(self, numbers: list[int]) -> None:
        """Announce these calls, in this order, many at once."""
        few = asyncio.Semaphore(AT_ONCE)

        async def one(number: int) -> None:
            async with few:
                await self._announce(number)

        await asyncio.gather(*map(one, numbers))

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
