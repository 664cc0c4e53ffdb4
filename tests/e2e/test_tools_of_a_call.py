"""Function calls on whole calls: each is answered once, and then the model goes on once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from offhook import Bot, Call, tool
from offhook.simulator import Call as CloudCall
from offhook.simulator import (
    CallsTools,
    Faults,
    HangsUp,
    Hears,
    LosesSideband,
    Replies,
    Says,
    Script,
    WaitsFor,
)
from support.serving import (
    GREETING,
    Service,
    asks,
    order_of,
    outputs,
    plain_bot,
    said,
    sent,
    serving,
)


class Counter:
    """Tools that note what happens to them, and wait where they are told to."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.met = {"a": asyncio.Event(), "b": asyncio.Event()}
        self.go = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.finished = asyncio.Event()

    def bot(self, **more: Any) -> Bot:
        """A bot with all of them."""
        log = self.ran

        @tool
        async def stock(product: str, shop: int = 1) -> dict[str, Any]:
            """Look up the stock of a product."""
            log.append(f"stock {product} {shop}")
            return {"product": product, "left": 3}

        @tool
        async def meets_a() -> str:
            """Wait until b is there, too."""
            self.met["a"].set()
            await self.met["b"].wait()
            return "a has met b"

        @tool
        async def meets_b() -> str:
            """Wait until a is there, too."""
            self.met["b"].set()
            await self.met["a"].wait()
            return "b has met a"

        @tool
        async def breaks() -> str:
            """Break."""
            raise RuntimeError("the database of +15550177 is down")

        @tool(timeout=0.1)
        async def hangs() -> str:
            """Take for ever."""
            await asyncio.Event().wait()
            return "never"

        @tool
        async def waits() -> str:
            """Wait to be let go."""
            log.append("waits")
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return "done waiting"

        @tool(finish=True)
        async def books() -> str:
            """Book, whatever happens to the caller."""
            log.append("books")
            await self.go.wait()
            self.finished.set()
            return "booked"

        @tool
        def counts(call: Call) -> int:
            """Count what was said so far, in a thread."""
            return len(call.transcript.utterances)

        tools = [stock, meets_a, meets_b, breaks, hangs, waits, books, counts]
        return plain_bot(tools=tools, **more)


async def talk(service: Service, *acts: Any, **options: Any) -> CloudCall:
    """A call on which the model does these things once it is asked."""
    return await service.talk(
        Hears(), Says("Please do."), Hears("!"), HangsUp(), model=acts, **options
    )


def calls(*named: str | tuple[str, Any], preamble: str = "") -> CallsTools:
    """The model calls these at once."""
    pairs = [(n, {}) if isinstance(n, str) else n for n in named]
    return CallsTools(*pairs, preamble=preamble)


DONE = Replies("That is all!")


@pytest.mark.parametrize("profile", ["openai", "azure"])
async def test_a_tool_is_run_and_the_model_speaks_of_what_it_says(profile: Any) -> None:
    tools = Counter()
    async with serving(tools.bot(), profile=profile) as service:
        acts = calls(("stock", {"product": "lamp"})), Replies(from_tool="There are {left} left!")
        call = await talk(service, *acts)
        assert said(call) == [GREETING, "There are 3 left!"]
        ((_, output),) = outputs(call)
        assert json.loads(output) == {"product": "lamp", "left": 3}
        assert asks(call) == ["greeting", "tools"]
        assert tools.ran == ["stock lamp 1"]


async def test_two_tools_run_side_by_side_and_the_model_goes_on_once() -> None:
    async with serving(Counter().bot()) as service:
        call = await talk(service, calls("meets_a", "meets_b"), DONE)
        assert sorted(text for _, text in outputs(call)) == ["a has met b", "b has met a"]
        assert asks(call) == ["greeting", "tools"]


async def test_the_model_goes_on_only_after_the_last_answer() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await service.ring(
            Script(
                steps=(Hears(), Says("Please do.")),
                model=(calls(("stock", {"product": "lamp"}), "waits"), DONE),
            )
        )
        await call.reached("tool_answered")
        assert asks(call) == ["greeting"]
        tools.go.set()
        await call.reached("bot_said", text="That is all!")
        assert asks(call) == ["greeting", "tools"]
        order = [k["type"] for k in sent(call)][-3:]
        assert order == ["conversation.item.create"] * 2 + ["response.create"]


@pytest.mark.parametrize(
    ("asked", "error", "word"),
    [
        (("stock", '{"product": '), "invalid_arguments", "JSON"),
        (("stock", "[1]"), "invalid_arguments", "object"),
        (("stock", {}), "invalid_arguments", "product is missing"),
        (("stock", {"product": "lamp", "colour": "red"}), "invalid_arguments", "colour"),
        (("stock", {"product": "lamp", "shop": "north"}), "invalid_arguments", "shop"),
        (("no_such_tool", {}), "invalid_arguments", "no_such_tool"),
        (("breaks", {}), "failed", "did not work"),
        (("hangs", {}), "timed_out", "in time"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_whatever_goes_wrong_the_model_gets_one_answer_it_can_act_on(
    asked: Any, error: str, word: str
) -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await talk(service, calls(asked), DONE)
        ((_, output),) = outputs(call)
        answer = json.loads(output)
        assert answer["error"] == error
        assert word in answer["hint"]
        assert asks(call) == ["greeting", "tools"]
        assert tools.ran == []
        assert "database" not in output
        assert service.log.of("error", scope="tool", tool=asked[0], status="error")


async def test_the_model_may_put_its_arguments_right() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        right = calls(("stock", {"product": "lamp"}))
        call = await talk(service, calls(("stock", {})), right, DONE)
        assert asks(call) == ["greeting", "tools", "tools"]
        assert tools.ran == ["stock lamp 1"]


async def test_a_plain_function_sees_the_call() -> None:
    async with serving(Counter().bot()) as service:
        call = await talk(service, calls("counts"), DONE)
        ((_, output),) = outputs(call)
        assert output == "2"


async def test_a_preamble_is_heard_and_the_answer_after_it() -> None:
    async with serving(Counter().bot()) as service:
        acts = calls(("stock", {"product": "lamp"}), preamble="One moment."), DONE
        call = await talk(service, *acts)
        assert said(call) == [GREETING, "One moment.", "That is all!"]
        assert asks(call) == ["greeting", "tools"]


async def test_a_response_that_is_told_twice_runs_its_tools_once() -> None:
    tools = Counter()
    async with serving(tools.bot(), faults=Faults(duplicate_response_done=True)) as service:
        acts = calls(("stock", {"product": "lamp"}), ("stock", {"product": "desk"})), DONE
        call = await talk(service, *acts)
        assert sorted(tools.ran) == ["stock desk 1", "stock lamp 1"]
        assert len(outputs(call)) == 2
        assert asks(call) == ["greeting", "tools"]


async def test_tools_of_a_response_that_was_cut_off_are_not_run() -> None:
    tools = Counter()
    async with serving(tools.bot(), speed=20) as service:
        call = await service.ring(
            Script(
                steps=(
                    Hears(),
                    Says("Please do."),
                    Says("No, wait!", over=True),
                    Hears("No, wait!"),
                    HangsUp(),
                ),
                model=(calls(("stock", {"product": "x" * 400}), preamble="Let me look at that."),),
            )
        )
        await service.over(call)
        answered = {ref for ref, _ in outputs(call)}
        asked = {m.detail["call_id"] for m in call.marks("tool_asked")}
        assert asked <= answered
        assert len(outputs(call)) == len(answered)


async def test_when_the_caller_leaves_a_tool_is_stopped() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await talk_and_leave(service, "waits")
        async with asyncio.timeout(5):
            await tools.cancelled.wait()
        assert outputs(call) == []


async def test_when_the_caller_leaves_a_tool_that_must_finish_goes_on() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await talk_and_leave(service, "books")
        assert not tools.finished.is_set()
        tools.go.set()
        async with asyncio.timeout(5):
            await tools.finished.wait()
        line = await service.log.reached("success", scope="tool", tool="books")
        assert line["outcome"] == "answered"
        assert service.record(call).tools.owed == ()
        assert outputs(call) == []


async def talk_and_leave(service: Service, name: str) -> CloudCall:
    """A call whose caller leaves while a tool runs."""
    steps = (Hears(), Says("Please do."), WaitsFor("tool_asked"))
    call = await service.ring(Script(steps=steps, model=(calls(name),)))
    await service.log.reached("start", scope="tool", tool=name)
    call.caller_hangs_up()
    assert (await service.ended(call))["reason"] == "caller_hung_up"
    return call


async def test_a_caller_who_speaks_while_a_tool_runs_is_answered_and_so_is_the_tool() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await service.ring(
            Script(
                steps=(
                    Hears(),
                    Says("Please do."),
                    WaitsFor("tool_asked"),
                    Says("Are you there?"),
                    Hears("Yes, one moment."),
                ),
                model=(
                    calls("waits"),
                    Replies("Yes, one moment.", to="there"),
                    Replies(from_tool="{output}!"),
                ),
            )
        )
        await call.reached("bot_said", text="Yes, one moment.")
        tools.go.set()
        await call.reached("bot_said", text="done waiting!")
        assert len(outputs(call)) == 1
        assert asks(call) == ["greeting", "tools"]


async def test_an_output_that_was_lost_with_the_sideband_is_sent_again() -> None:
    tools = Counter()
    async with serving(tools.bot()) as service:
        call = await service.ring(
            Script(
                steps=(Hears(), Says("Please do."), WaitsFor("tool_asked"), LosesSideband()),
                model=(calls("waits"), Replies(from_tool="{output}!")),
            )
        )
        await service.log.reached("sideband lost")
        tools.go.set()
        await call.reached("bot_said", text="done waiting!")
        assert len(outputs(call)) == 1
        assert asks(call) == ["greeting", "tools"]
        assert order_of(call, "detach", "attach", "tool_answered") == [
            "attach",
            "detach",
            "attach",
            "tool_answered",
        ]
        assert service.counted("offhook_sideband_reattach_total") == 1


async def test_a_tool_that_changes_the_world_runs_once_although_the_sideband_is_lost() -> None:
    tools = Counter()
    async with serving(tools.bot(), faults=Faults(frames_lost=True)) as service:
        call = await service.ring(
            Script(
                steps=(Hears(), Says("Please do."), WaitsFor("tool_answered"), LosesSideband()),
                model=(calls(("stock", {"product": "lamp"})), DONE),
            )
        )
        await call.reached("attach", count=2)
        call.do(Says("And?"))
        await call.reached("bot_said", count=3)
        assert tools.ran == ["stock lamp 1"]


async def test_a_tool_call_is_told_from_its_start_to_its_end() -> None:
    async with serving(Counter().bot()) as service:
        call = await talk(service, calls(("stock", {"product": "lamp"})), DONE)
        start, end = (line for line in service.lines if line["scope"] == "tool")
        assert (start["event"], start["status"], start["tool"]) == ("start", "start", "stock")
        assert (end["event"], end["status"], end["outcome"]) == ("success", "success", "answered")
        assert start["ref"] == end["ref"] == outputs(call)[0][0]
        assert start["call_id"] == end["call_id"] == call.call_id
        assert end["took_ms"] >= 0
        counted = service.counted("offhook_tool_calls_total", tool="stock", outcome="answered")
        assert counted == 1
