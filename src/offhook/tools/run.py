"""Run one function call of the model: check its arguments, run it in time, encode its answer.

Whatever the tool does, exactly one outcome comes back, and never later than the tool's timeout.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_jsonable_python

from offhook.core.call import Call
from offhook.core.outcomes import Answered, Failed, InvalidArguments, Outcome, TimedOut
from offhook.tools.schema import arguments_of
from offhook.tools.tool import Tool

MAX_OUTPUT = 32 * 1024
"""The longest answer, in bytes of UTF-8. All of it is read by the model before it can speak."""

DEFAULT_TIMEOUT = 10.0

_MAX_PROBLEMS = 8
_encoder = msgspec.json.Encoder(enc_hook=to_jsonable_python, decimal_format="string")


async def run(
    tool: Tool, call: Call, arguments: str, *, default_timeout: float = DEFAULT_TIMEOUT
) -> Outcome:
    """Run a tool with the JSON text that the model sent.

    `default_timeout`, in seconds, is for a tool that has none of its own.

    A tool that is still busy when its time is up is cancelled and left behind: a coroutine may
    ignore that and a thread cannot be stopped, but neither is waited for. Cancelling this
    coroutine cancels the tool and propagates.
    """
    try:
        given = read_arguments(tool, arguments)
    except Exception as error:  # a validator of the tool's own may raise anything
        return Failed(_describe(error))
    if isinstance(given, InvalidArguments):
        return given
    if tool.call_parameter is not None:
        given[tool.call_parameter] = call
    timeout = default_timeout if tool.timeout is None else tool.timeout
    work = asyncio.ensure_future(_work(tool.function, given))
    try:
        await asyncio.wait({work}, timeout=timeout)
    finally:
        work.cancel()  # a no-op for work that is done
    if not work.done():
        return TimedOut(timeout)
    if work.cancelled():
        return Failed("the tool cancelled itself")
    return work.result()


def read_arguments(tool: Tool, arguments: str) -> dict[str, Any] | InvalidArguments:
    """The checked arguments by parameter name, or what the model should put right.

    An empty text counts as no arguments, which is what some models send for a tool without any.
    """
    text = arguments if arguments.strip() else "{}"
    try:
        return arguments_of(tool.arguments.model_validate_json(text))
    except ValidationError as error:
        return _refused(tool, error)


def encode(result: object) -> Outcome:
    """What a tool returned, as an outcome. An outcome (`Transfer`, `HangUp`...) is kept as it is.

    Text goes as it is, everything else as JSON. Raises what the encoder raises.
    """
    match result:
        case Answered(output):
            answer = output
        case None:
            answer = '{"done":true}'
        case str():
            answer = result
        case _ if isinstance(result, Outcome):
            return result
        case _:
            answer = _encoder.encode(result).decode()
    if (size := len(answer.encode())) > MAX_OUTPUT:
        return Failed(f"the answer is too long: {size} bytes, the limit is {MAX_OUTPUT}")
    return Answered(answer)


async def _work(function: Callable[..., Any], given: dict[str, Any]) -> Outcome:
    """Run and encode. Raises nothing but a cancellation, so that nothing is left unretrieved."""
    try:
        if inspect.iscoroutinefunction(function):
            result = await function(**given)
        else:
            result = await _in_thread(lambda: function(**given))
        return encode(result)
    except (Exception, SystemExit) as error:  # sys.exit() in a tool must not end all calls
        return Failed(_describe(error))


async def _in_thread(function: Callable[[], Any]) -> Any:
    """Call a plain function in a thread of its own and await what it may return.

    Not the event loop's pool: a few tools that block for good would fill it, and name lookups
    wait for the same pool. A daemon, so that such a tool cannot keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    context = contextvars.copy_context()

    def settle(result: Any, error: BaseException | None) -> None:
        if not done.done():
            done.set_result((result, error))

    def body() -> None:
        result, error = None, None
        try:
            result = context.run(function)
        except BaseException as raised:  # whatever it is, it belongs to the one who waits
            error = raised
        with suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=body, name="offhook-tool", daemon=True).start()
    result, error = await done
    if error is not None:
        raise error
    return await result if isinstance(result, Awaitable) else result


def _refused(tool: Tool, error: ValidationError) -> InvalidArguments:
    problems = error.errors(include_url=False, include_input=False)
    match problems[0]:
        case {"type": "json_invalid", "ctx": {"error": reason}}:
            return InvalidArguments(
                f"The arguments are not valid JSON ({reason}). Send one JSON object."
            )
        case {"type": "string_unicode", "loc": ()}:
            return InvalidArguments("The arguments are not valid JSON (broken Unicode).")
        case {"loc": ()}:
            return InvalidArguments("The arguments are not a JSON object. Send one JSON object.")
    told = "; ".join(_problem(each) for each in problems[:_MAX_PROBLEMS])
    return InvalidArguments(
        f"Invalid arguments for {tool.name}: {told}. "
        "Put this right and call again; ask the caller for what you do not know."
    )


def _problem(problem: ErrorDetails) -> str:
    field = ".".join(str(part) for part in problem["loc"])[:100]
    match problem["type"]:
        case "missing":
            return f"{field} is missing"
        case "extra_forbidden":
            return f"{field} is not known"
        case "value_error" | "assertion_error":  # the tool's own words, without pydantic's prefix
            return f"{field}: {problem['ctx']['error']}"
        case _:
            return f"{field}: {problem['msg']}"


def _describe(error: BaseException) -> str:
    """The error in one line and where it was raised, for the log."""
    what = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return what
    last = frames[-1]
    return f"{what} (in {last.name}, line {last.lineno} of {last.filename.rpartition('/')[2]})"
