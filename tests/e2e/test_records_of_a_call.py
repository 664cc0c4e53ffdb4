"""Whole calls against the simulator leave the right records, in either database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from offhook import HangUp, tool
from offhook.simulator import (
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Presses,
    Replies,
    Says,
    Script,
    WaitsFor,
)
from offhook.store import schema
from offhook.store.database import Database
from offhook.telephony.targets import Target
from support.records import everything, rows, script_of, the_call, timeline_of
from support.serving import GREETING, Service, plain_bot, serving, signed

TARGETS = {"sales": Target("sales", "tel:+14155550133", "our sales team")}
TO_SALES = CallsTools(("handoff_human", {"target": "sales", "reason": "asked for"}))


@pytest.fixture
def env(database_url: str, tmp_path: Path) -> dict[str, Any]:
    """Settings with which records are kept."""
    return {"OFFHOOK_DATABASE_URL": database_url, "OFFHOOK_SPOOL_DIR": str(tmp_path / "spool")}


@tool
async def stock(product: str) -> dict[str, Any]:
    """Look up the stock of a product."""
    return {"product": product, "left": 3}


async def test_a_whole_call_is_on_record_in_spoken_order(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(plain_bot(tools=[stock]), **env) as service:
        call = await service.talk(
            Hears(),
            Says("How many lamps are there?"),
            Hears("!"),
            Says("Thanks."),
            Hears(),
            HangsUp(),
            model=(CallsTools(("stock", {"product": "lamp"})), Replies("There are three!")),
        )
    row = await the_call(database, call.call_id)
    assert (row["phase"], row["reason"], row["fault"]) == ("ended", "caller_hung_up", "caller")
    times = [row[f"{name}_at"] for name in ("rang", "accepted", "attached", "greeted", "ended")]
    assert times == sorted(times)
    assert (row["utterances"], row["tools"], row["greeted"]) == (5, 1, True)
    said = await script_of(database, call.call_id)
    assert said[:4] == [
        ("bot", GREETING),
        ("caller", "How many lamps are there?"),
        ("bot", "There are three!"),
        ("caller", "Thanks."),
    ]
    (looked_up,) = await rows(database, schema.tool_calls)
    assert (looked_up["name"], looked_up["outcome"]) == ("stock", "answered")
    assert looked_up["arguments"] == '{"product":"lamp"}'
    assert json.loads(looked_up["output"]) == {"product": "lamp", "left": 3}
    assert row["attached_at"] <= looked_up["asked_at"] <= looked_up["ended_at"] <= row["ended_at"]
    timeline = await timeline_of(database, call.call_id)
    assert timeline == ["rang", "accepted", "attached", "greeted", "sideband_lost", "ended"]


async def test_each_delivery_is_on_record_with_the_time_to_its_answer(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(**env) as service:
        call = await service.ring()
        await post(service, b"{}", {})
        other = b'{"object":"event","id":"evt_1","type":"batch.completed","data":{}}'
        await post(service, other, signed(other, service.cloud.webhook_secret))
        await call.reached("bot_said")
    taken, refused, ignored = await rows(database, schema.deliveries)
    assert (taken["result"], taken["status"], taken["call_id"]) == ("started", 200, call.call_id)
    assert taken["event_type"] == "realtime.call.incoming"
    assert (refused["result"], refused["status"]) == ("invalid_signature", 400)
    assert (ignored["result"], ignored["event_type"]) == ("ignored", "batch.completed")
    assert all(0 < each["took_us"] < 1_000_000 for each in (taken, refused, ignored))


async def test_a_flood_of_refused_deliveries_does_not_fill_the_database(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(**env) as service:
        await asyncio.gather(*(post(service, b"{}", {}) for _ in range(100)))
    assert 10 <= len(await rows(database, schema.deliveries)) < 100


async def test_a_transfer_is_on_record_from_its_beginning_to_its_outcome(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(plain_bot(targets=TARGETS), **env) as service:
        call = await service.talk(Hears(), Says("A human please."), model=(TO_SALES,))
    (transfer,) = await rows(database, schema.transfers)
    assert (transfer["n"], transfer["target"], transfer["reason"]) == (0, "sales", "asked for")
    assert transfer["outcome"] == "transferred"
    assert transfer["began_at"] < transfer["ended_at"]
    row = await the_call(database, call.call_id)
    assert (row["reason"], row["target"]) == ("transferred", "sales")
    assert "referred" in await timeline_of(database, call.call_id)


async def test_each_try_of_a_transfer_is_on_record(env: dict[str, Any], database: Database) -> None:
    faults = Faults(refer=(500, "ok"))
    async with serving(plain_bot(targets=TARGETS), faults=faults, **env) as service:
        call = await service.talk(
            Hears(),
            Says("A human."),
            Hears("sorry"),
            Says("Again."),
            model=(TO_SALES, TO_SALES),
        )
    tries = await rows(database, schema.transfers)
    assert [(each["n"], each["outcome"]) for each in tries] == [(0, "refused"), (1, "transferred")]
    assert tries[0]["detail"]
    assert (await the_call(database, call.call_id))["target"] == "sales"


async def test_a_cut_is_marked_and_the_whole_text_kept(
    env: dict[str, Any], database: Database
) -> None:
    long = "We sell kettles, toasters, coffee machines, lamps, radios and a great many more things."
    async with serving(speed=20, **env) as service:
        await service.talk(
            Hears(),
            Says("What do you sell?"),
            Says("Thank you, that is enough.", over=True, after_ms=900),
            Hears(),
            HangsUp(),
            model=(Replies(long),),
        )
    spoken = [u for u in await rows(database, schema.utterances) if u["text"] == long]
    assert [0 < u["heard_ms"] < u["spoken_ms"] for u in spoken] == [True]


async def test_the_timeline_counts_keys_and_tells_of_the_sideband(
    env: dict[str, Any], database: Database
) -> None:
    async with serving(plain_bot(), **env) as service:
        call = await service.ring(
            Script(
                steps=(
                    Hears(),
                    Presses("4711#", gap_s=0.1),
                    WaitsFor("caller_pressed", 5),
                    LosesSideband(),
                )
            )
        )
        await call.reached("attach", count=2)
        await service.log.reached("ws_opened", count=2, call_id=call.call_id)
    moments = await rows(database, schema.moments)
    kinds = [moment["kind"] for moment in moments]
    assert kinds[4:] == ["keys", "sideband_lost", "sideband_back", "sideband_lost", "ended"]
    assert moments[4]["detail"] == "5"
    assert "4711" not in str(await everything(database))


async def test_nothing_personal_is_in_database_or_spool(
    env: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    canaries = ("+49 30 23125 077", "ann.canary@example.com", "4111 1111 1111 1111")

    @tool
    async def note(text: str) -> dict[str, str]:
        """Note something."""
        return {"noted": text}

    spool = Collected(tmp_path / "spool")
    words = ", ".join(canaries)
    async with serving(plain_bot(tools=[note]), **env) as service:
        await service.talk(
            Hears(),
            Says(f"My data: {words}"),
            Hears("!"),
            Says("Thanks."),
            Hears(),
            HangsUp(),
            model=(CallsTools(("note", {"text": words})), Replies(f"Noted {words}!")),
        )
        spool.look()
    kept = str(await everything(database)) + spool.text
    assert "[card:1]" in kept
    for canary in canaries:
        for written in (canary, canary.replace(" ", "")):
            assert written not in kept


async def test_a_tool_that_goes_on_after_the_call_is_on_record_with_its_outcome(
    env: dict[str, Any], database: Database
) -> None:
    go = asyncio.Event()

    @tool(finish=True)
    async def books() -> str:
        """Book, whatever happens to the caller."""
        await go.wait()
        return "booked"

    async with serving(plain_bot(tools=[books]), **env) as service:
        steps = (Hears(), Says("Please book."), WaitsFor("tool_asked"), HangsUp())
        call = await service.ring(Script(steps=steps, model=(CallsTools(("books", {})),)))
        await service.over(call)
        go.set()
        await service.log.reached("success", scope="tool")
    (booked,) = await rows(database, schema.tool_calls)
    assert (booked["outcome"], booked["output"]) == ("answered", "booked")
    assert booked["ended_at"] >= (await the_call(database, call.call_id))["ended_at"]


async def test_a_tool_with_effects_runs_only_once_it_is_on_record(
    env: dict[str, Any], database: Database
) -> None:
    found: list[Any] = []

    @tool(effects=True)
    async def pays(amount: int) -> str:
        """Pay."""
        found.extend(await rows(database, schema.tool_calls))
        return "paid"

    async with serving(plain_bot(tools=[pays]), **env) as service:
        act = CallsTools(("pays", {"amount": 5}))
        await service.talk(Hears(), Says("Pay."), Hears("!"), HangsUp(), model=(act, Replies("!")))
    assert [(t["outcome"], t["arguments"]) for t in found] == [("running", '{"amount":5}')]


@pytest.mark.parametrize("act", ["refer", "hangup"])
async def test_what_cannot_be_undone_waits_for_its_record(act: str, tmp_path: Path) -> None:
    @tool
    async def ends() -> HangUp:
        """End the call."""
        return HangUp()

    recorded, asked = asyncio.Event(), asyncio.Event()

    async def settled(within: float = 1.0) -> bool:
        asked.set()
        return await recorded.wait()

    env: dict[str, Any] = {"OFFHOOK_DATABASE_URL": f"sqlite:///{tmp_path / 'calls.sqlite3'}"}
    async with serving(plain_bot(targets=TARGETS, tools=[ends]), **env) as service:
        vars(service.app.state.writer)["settled"] = settled
        model = TO_SALES if act == "refer" else CallsTools(("ends", {}))
        call = await service.ring(Script(steps=(Hears(), Says("Go.")), model=(model,)))
        async with asyncio.timeout(10):
            await asked.wait()
        assert call.marks(act) == []
        recorded.set()
        await call.reached(act)
        await service.over(call)


class Collected:
    """What was in the files of a folder whenever one looked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.text = ""

    def look(self) -> None:
        """Add what is there now."""
        self.text += "".join(path.read_text() for path in self._folder.glob("*"))


async def post(service: Service, body: bytes, headers: dict[str, str]) -> int:
    """A delivery by hand; its status."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(service.webhook, data=body, headers=headers) as answer,
    ):
        return answer.status
