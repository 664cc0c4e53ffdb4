"""The lines that operators search for, alert on and know from the bot that came before."""

from __future__ import annotations

from typing import Any

from offhook import tool
from offhook.simulator import CallsTools, Faults, HangsUp, Hears, Replies, Says, Script
from support.serving import GREETING, plain_bot, serving


@tool
async def stock(product: str) -> str:
    """Look up the stock."""
    if product == "ghost":
        raise LookupError("no ghosts")
    return "3 left"


def asks_for(product: str) -> CallsTools:
    return CallsTools(("stock", {"product": product}))


async def test_a_call_is_told_from_its_webhook_to_its_summary() -> None:
    bot = plain_bot(tools=[stock])
    async with serving(bot) as service:
        call = await service.talk(
            Hears(),
            Says("Is there a lamp?"),
            Hears("!"),
            HangsUp(),
            model=(asks_for("lamp"), Replies("Yes, there is!")),
        )
        told = [
            (line["scope"], line["event"])
            for line in service.lines
            if line.get("call_id") == call.call_id and line["scope"] != "transcript"
        ]
        assert told == [
            ("webhook", "received"),
            ("call", "accepted"),
            ("call", "ws_opened"),
            ("call", "greeting"),
            ("tool", "start"),
            ("tool", "success"),
            ("call", "sideband lost"),
            ("call", "attach failed"),
            ("call", "ended"),
        ]
        assert len(service.log.of("transcript", call_id=call.call_id)) == 3


async def test_the_webhook_is_logged_with_its_event_type() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp())
        (line,) = service.log.of("received", scope="webhook")
        assert line["eventType"] == "realtime.call.incoming"
        assert line["call_id"] == call.call_id
        assert line["result"] == "started"


async def test_the_milestones_of_a_call_have_a_status_each() -> None:
    async with serving() as service:
        call = await service.talk(Hears(), HangsUp())
        statuses = [
            line["status"]
            for line in service.lines
            if line["scope"] == "call" and line["call_id"] == call.call_id and "status" in line
        ]
        assert statuses == ["accepted", "ws_opened", "greeting", "ended"]


async def test_a_tool_that_fails_is_an_error_with_its_cause() -> None:
    async with serving(plain_bot(tools=[stock])) as service:
        await service.talk(
            Hears(),
            Says("A ghost?"),
            Hears("!"),
            HangsUp(),
            model=(asks_for("ghost"), Replies("No!")),
        )
        (line,) = service.log.of("error", scope="tool")
        assert line["level"] == "error"
        assert line["tool"] == "stock"
        assert line["outcome"] == "failed"
        assert "LookupError: no ghosts" in line["error"]


async def test_every_line_of_a_call_carries_its_id() -> None:
    async with serving(plain_bot(tools=[stock])) as service:
        await service.talk(
            Hears(),
            Says("A lamp?"),
            Hears("!"),
            HangsUp(),
            model=(asks_for("lamp"), Replies("Yes!")),
        )
        scopes = {"call", "tool", "transcript"}
        assert all("call_id" in line for line in service.lines if line["scope"] in scopes)


async def test_the_summary_counts_what_happened() -> None:
    async with serving(plain_bot(tools=[stock])) as service:
        call = await service.talk(
            Hears(),
            Says("A lamp?"),
            Hears("!"),
            HangsUp(),
            model=(asks_for("lamp"), Replies("Yes!")),
        )
        end = await service.ended(call)
        expected: dict[str, Any] = {
            "status": "ended",
            "reason": "caller_hung_up",
            "fault": "caller",
            "utterances": 3,
            "cut_off": 0,
            "tools": 1,
            "transfers": [],
        }
        assert {key: end[key] for key in expected} == expected
        assert end["level"] == "info"
        assert end["seconds"] > 0
        assert end["input_tokens"] > 0
        assert end["output_tokens"] > 0


async def test_an_end_that_somebody_must_look_into_is_a_warning() -> None:
    async with serving(faults=Faults(accept_status=(401,))) as service:
        call = await service.ring()
        assert (await service.ended(call))["level"] == "warning"


async def test_a_call_ends_in_one_line_and_one_count() -> None:
    async with serving() as service:
        for _ in range(3):
            await service.talk(Hears(), HangsUp())
        assert len(service.log.of("ended")) == 3
        labels = {"end_reason": "caller_hung_up", "fault": "caller"}
        assert service.counted("offhook_calls_total", **labels) == 3
        assert service.counted("offhook_webhook_deliveries_total", result="started") == 3


async def test_the_greeting_is_in_the_transcript_before_anything_else() -> None:
    async with serving(OFFHOOK_LOG_TRANSCRIPTS="1") as service:
        call = await service.ring(Script(steps=(Hears(), Says("Hi."), Hears(), HangsUp())))
        await service.over(call)
        texts = [(line["who"], line["text"]) for line in service.log.of("transcript")]
        assert texts == [("bot", GREETING), ("caller", "Hi."), ("bot", "You said: Hi.")]
