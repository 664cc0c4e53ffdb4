"""Running one function call: whatever happens, exactly one outcome, and in time."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import sys
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field

from offhook.core.call import Call
from offhook.core.outcomes import (
    Answered,
    Failed,
    HangUp,
    InvalidArguments,
    Outcome,
    TimedOut,
    Transfer,
)
from offhook.core.rules import Lines, Rules
from offhook.tools import Tool, tool
from offhook.tools.run import MAX_OUTPUT, read_arguments, run

LINES = Lines(**dict.fromkeys(Lines.__struct_fields__, ""))
CALL = Call(id="rtc_1", rules=Rules(lines=LINES))


def not_seven(value: int) -> int:
    if value == 7:
        raise ValueError("seven is taken, ask for another number")
    return value


@tool
async def book(
    number: Annotated[int, Field(ge=1), AfterValidator(not_seven)], names: tuple[str, ...] = ()
) -> str:
    """Book."""
    return f"{number} for {' and '.join(names)}"


async def answer_of(value: Any) -> Outcome:
    @tool
    async def give() -> Any:
        """Give it."""
        return value

    return await run(give, CALL, "")


async def refusal_of(made: Tool, arguments: str) -> str:
    outcome = await run(made, CALL, arguments)
    assert isinstance(outcome, InvalidArguments)
    return outcome.message


# Arguments


async def test_arguments_are_read_checked_and_passed() -> None:
    outcome = await run(book, CALL, '\n {"number": "3",\n "names": ["Ada", "Bo"]} \n')
    assert outcome == Answered("3 for Ada and Bo")


@pytest.mark.parametrize("text", ["{", "number=3", '{"number": 3', "{'number': 3}", "nul"])
async def test_text_that_is_not_json_is_called_that(text: str) -> None:
    assert "not valid JSON" in await refusal_of(book, text)


async def test_text_that_is_not_even_unicode_is_called_that() -> None:
    assert "not valid JSON" in await refusal_of(book, '{"number": "\ud800"}')


@pytest.mark.parametrize("text", ["[]", "3", '"three"', "null", "[" * 5000])
async def test_json_that_is_no_object_is_told_apart(text: str) -> None:
    assert "Send one JSON object" in await refusal_of(book, text)


@pytest.mark.parametrize("text", ["", " ", "\n"])
async def test_no_text_counts_as_no_arguments(text: str) -> None:
    @tool
    async def ping() -> str:
        """Ping."""
        return "pong"

    assert await run(ping, CALL, text) == Answered("pong")
    assert "number is missing" in await refusal_of(book, text)


async def test_each_wrong_argument_is_named() -> None:
    message = await refusal_of(book, '{"number": 0, "names": ["Ada", 5], "colour": "red"}')
    assert "number: Input should be greater than or equal to 1" in message
    assert "names.1: Input should be a valid string" in message
    assert "colour is not known" in message


async def test_a_validators_own_words_reach_the_model() -> None:
    message = await refusal_of(book, '{"number": 7}')
    assert "number: seven is taken, ask for another number" in message
    assert "Value error" not in message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_number_is_a_finite_one(number: str) -> None:
    @tool
    async def pay(amount: float) -> None:
        """Pay."""

    assert "amount" in await refusal_of(pay, f'{{"amount": {number}}}')


async def test_a_flood_of_mistakes_gets_a_short_answer() -> None:
    flood = ",".join(f'"{"x" * 500}{n}": 1' for n in range(1000))
    assert len(await refusal_of(book, "{" + flood + "}")) < 1500


async def test_a_validator_that_breaks_is_our_failure_not_the_models() -> None:
    def broken(value: str) -> str:
        return {"a": "b"}[value]

    def look(number: Any) -> None:
        """Look."""

    look.__annotations__["number"] = Annotated[str, AfterValidator(broken)]
    outcome = await run(tool(look), CALL, '{"number": "z"}')
    assert isinstance(outcome, Failed)
    assert "KeyError" in outcome.error


async def test_a_left_out_argument_takes_the_default_of_the_signature() -> None:
    seen: list[list[str]] = []

    @tool
    async def keep(words: list[str] = ["a"]) -> None:  # noqa: B006  # the runner must copy it
        """Keep."""
        words.append("b")
        seen.append(words)

    await run(keep, CALL, "{}")
    await run(keep, CALL, "{}")
    assert seen == [["a", "b"], ["a", "b"]]


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_is_either_read_or_refused(text: str) -> None:
    assert isinstance(read_arguments(book, text), dict | InvalidArguments)


# The call and the function


async def test_a_tool_sees_the_call() -> None:
    @tool
    async def who(number: int, current: Call) -> str:
        """Tell."""
        return f"{current.id} {number}"

    assert await run(who, CALL, '{"number": 1}') == Answered("rtc_1 1")


async def test_a_plain_function_runs_in_a_thread_with_the_context_of_the_call() -> None:
    trace: ContextVar[str] = ContextVar("trace")
    trace.set("t1")

    @tool
    def where() -> dict[str, Any]:
        """Tell."""
        return {"main": threading.current_thread() is threading.main_thread(), "t": trace.get()}

    assert await run(where, CALL, "") == Answered('{"main":false,"t":"t1"}')


async def test_a_coroutine_function_behind_a_plain_decorator_is_awaited() -> None:
    def plain(function: Callable[[], Awaitable[str]]) -> Callable[[], Awaitable[str]]:
        @functools.wraps(function)
        def inner() -> Awaitable[str]:
            return function()

        return inner

    @tool
    @plain
    async def deep() -> str:
        """Dive."""
        return "deep"

    assert await run(deep, CALL, "") == Answered("deep")


async def test_many_blocked_tools_do_not_keep_another_waiting() -> None:
    gate = threading.Event()

    @tool(timeout=20)
    def blocked() -> str:
        """Block."""
        gate.wait(20)
        return "free"

    @tool(timeout=5)
    def quick() -> str:
        """Answer."""
        return "quick"

    waiting = [asyncio.ensure_future(run(blocked, CALL, "")) for _ in range(50)]
    assert await run(quick, CALL, "") == Answered("quick")
    gate.set()
    assert await asyncio.gather(*waiting) == [Answered("free")] * 50


# Answers


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    at: dt.date


class Order(msgspec.Struct):
    number: str
    total: decimal.Decimal


class Shop(BaseModel):
    city: str
    opened: dt.time


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("plain text", "plain text"),
        ("", ""),
        (None, '{"done":true}'),
        (True, "true"),
        (3.5, "3.5"),
        ({"ort": "Köln"}, '{"ort":"Köln"}'),
        ([Colour.RED, {1: None}], '["red",{"1":null}]'),
        (Point(1, dt.date(2026, 3, 29)), '{"x":1,"at":"2026-03-29"}'),
        (Order("A-1", decimal.Decimal("12.50")), '{"number":"A-1","total":"12.50"}'),
        (Shop(city="Köln", opened=dt.time(9, 30)), '{"city":"Köln","opened":"09:30:00"}'),
        ({"nested": [Shop(city="B", opened=dt.time(9))]},
         '{"nested":[{"city":"B","opened":"09:00:00"}]}'),
        (
            dt.datetime(2026, 3, 29, 9, tzinfo=ZoneInfo("Europe/Berlin")),
            '"2026-03-29T09:00:00+02:00"',
        ),
    ],
)  # fmt: skip
async def test_what_a_tool_returns_is_encoded_for_the_model(value: Any, output: str) -> None:
    assert await answer_of(value) == Answered(output)


@pytest.mark.parametrize(
    "outcome",
    [Transfer("billing"), HangUp("done"), InvalidArguments("say it again"), Answered("as is")],
)
async def test_an_outcome_is_passed_through(outcome: Outcome) -> None:
    assert await answer_of(outcome) == outcome


async def test_a_result_that_cannot_be_encoded_is_a_failure() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (object(), {"a": object()}, circle, "\ud800"):
        assert isinstance(await answer_of(value), Failed)


async def test_an_answer_that_is_too_long_is_a_failure_that_says_so() -> None:
    assert await answer_of("x" * MAX_OUTPUT) == Answered("x" * MAX_OUTPUT)
    for value in ("x" * (MAX_OUTPUT + 1), "ü" * (MAX_OUTPUT // 2 + 1), Answered("x" * 40_000)):
        outcome = await answer_of(value)
        assert isinstance(outcome, Failed)
        assert str(MAX_OUTPUT) in outcome.error


# Failures


def raising(error: BaseException) -> list[Tool]:
    def plain() -> None:
        """Raise."""
        raise error

    async def coroutine() -> None:
        """Raise."""
        raise error

    return [tool(plain), tool(coroutine)]


@pytest.mark.parametrize(
    "error",
    [ValueError("no such row"), StopIteration("no such row"), SystemExit("no such row")],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_a_tool_raises_is_a_failure_with_a_text_for_the_log(
    error: BaseException,
) -> None:
    for made in raising(error):
        outcome = await run(made, CALL, "")
        assert isinstance(outcome, Failed)
        assert type(error).__name__ in outcome.error


async def test_the_failure_names_the_place() -> None:
    outcome = await run(raising(ValueError("x"))[1], CALL, "")
    assert isinstance(outcome, Failed)
    assert outcome.error.startswith("ValueError: x (in coroutine")
    assert "test_tool_run.py" in outcome.error


async def test_a_tool_that_cancels_itself_has_failed_and_cancels_nobody_else() -> None:
    for made in raising(asyncio.CancelledError()):
        assert isinstance(await run(made, CALL, ""), Failed)


# Time


async def test_a_tool_that_takes_too_long_is_cancelled() -> None:
    cancelled = asyncio.Event()

    @tool(timeout=0.01)
    async def slow() -> None:
        """Dawdle."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    assert await run(slow, CALL, "") == TimedOut(0.01)
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_a_tool_without_a_timeout_of_its_own_gets_the_default() -> None:
    @tool
    async def slow() -> None:
        """Dawdle."""
        await asyncio.Event().wait()

    assert await run(slow, CALL, "", default_timeout=0.01) == TimedOut(0.01)


async def test_a_tool_that_ignores_its_cancellation_is_not_waited_for() -> None:
    gate = asyncio.Event()
    ended = asyncio.Event()

    @tool(timeout=0.01)
    async def stubborn() -> None:
        """Carry on."""
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                continue
        ended.set()
        raise ValueError("nobody hears this")

    assert await asyncio.wait_for(run(stubborn, CALL, ""), 5) == TimedOut(0.01)
    assert not ended.is_set()
    gate.set()
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_blocking_function_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: lost.append(context))
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    monkeypatch.setattr(threading, "excepthook", lost.append)
    gate = threading.Event()
    threads: list[threading.Thread] = []

    @tool(timeout=0.01)
    def blocked() -> None:
        """Block."""
        threads.append(threading.current_thread())
        gate.wait(20)
        raise ValueError("nobody hears this")

    assert await asyncio.wait_for(run(blocked, CALL, ""), 5) == TimedOut(0.01)
    assert threads[0].daemon  # so that it cannot keep the process from ending
    gate.set()
    await asyncio.to_thread(threads[0].join, 5)
    await asyncio.sleep(0)
    assert lost == []


def test_a_thread_that_outlives_the_event_loop_ends_quietly() -> None:
    gate = threading.Event()
    threads: list[threading.Thread] = []

    @tool(timeout=0.01)
    def blocked() -> None:
        """Block."""
        threads.append(threading.current_thread())
        gate.wait(20)

    assert asyncio.run(run(blocked, CALL, "")) == TimedOut(0.01)
    gate.set()
    threads[0].join(5)
    assert not threads[0].is_alive()


async def test_cancelling_the_run_cancels_the_tool_and_propagates() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @tool
    async def slow() -> None:
        """Dawdle."""
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    running = asyncio.ensure_future(run(slow, CALL, ""))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.wait_for(cancelled.wait(), 5)


async def test_nothing_is_reported_to_the_loop_behind_our_back() -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    @tool(timeout=0.01)
    async def fails_late() -> None:
        """Fail after its time."""
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("too late")

    assert await run(fails_late, CALL, "") == TimedOut(0.01)
    for made in raising(ValueError("x")):
        await run(made, CALL, "")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert reported == []
