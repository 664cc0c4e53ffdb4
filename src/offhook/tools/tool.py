"""`@tool`: a function that the model may call. Its signature is the schema, its docstring the text.

Everything that would make a tool unusable in a call is refused here, when it is defined.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from msgspec import Struct
from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from offhook.core.call import Call
from offhook.errors import ToolError
from offhook.tools.schema import arguments_model, json_schema

P = ParamSpec("P")
R = TypeVar("R")

# The names that the Realtime API accepts for functions ("tools" in OpenAI's API reference).
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tool(Struct, frozen=True, eq=False):
    """One thing the model can ask for.

    `timeout` is in seconds; `None` leaves it to the settings. `effects` says that it changes
    something in the world, so it must never run twice for one request. `finish` says that it
    keeps running when the caller leaves. `arguments` checks what the model sends;
    `call_parameter` names the parameter that gets the `Call`, which the model never sees.
    """

    name: str
    description: str
    function: Callable[..., Any]
    arguments: type[BaseModel]
    parameters: dict[str, Any]
    call_parameter: str | None = None
    timeout: float | None = None
    effects: bool = False
    finish: bool = False

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as the Realtime API wants it in `session.tools`."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }


class ToolFunction(Tool, Generic[P, R], frozen=True, eq=False):
    """What `@tool` leaves in place of the function: a `Tool` that can still be called as before."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself: no checks, no timeout."""
        result: R = self.function(*args, **kwargs)
        return result

    @property
    def __wrapped__(self) -> Callable[P, R]:
        """The function, so that `inspect.signature` sees through."""
        return self.function


@overload
def tool(function: Callable[P, R], /) -> ToolFunction[P, R]: ...


@overload
def tool(
    *, name: str | None = ..., timeout: float | None = ..., effects: bool = ..., finish: bool = ...
) -> Callable[[Callable[P, R]], ToolFunction[P, R]]: ...


def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    timeout: float | None = None,
    effects: bool = False,
    finish: bool = False,
) -> ToolFunction[P, R] | Callable[[Callable[P, R]], ToolFunction[P, R]]:
    """Make a tool of a function, with or without options: `@tool` or `@tool(timeout=5)`.

    An `async def` runs on the event loop, a plain `def` in a thread of its own. A parameter
    annotated `Call` gets the call as it stands. The function returns what the model shall read
    (text, or anything that JSON can hold), or a `Transfer` or a `HangUp`.

    Raises `ToolError` for a function without a docstring, a parameter without a type or of a
    type that JSON cannot carry, `*args` and `**kwargs`, a bad name, a timeout that is not
    positive.
    """

    def define(function: Callable[P, R]) -> ToolFunction[P, R]:
        return _define(function, name=name, timeout=timeout, effects=effects, finish=finish)

    if function is None:
        return define
    given: object = function
    if isinstance(given, Tool) or not callable(given):
        raise ToolError(f"@tool wants a function, not {given!r}; options are named: name=...")
    return define(function)


def _define(
    function: Callable[P, R],
    *,
    name: str | None,
    timeout: float | None,
    effects: bool,
    finish: bool,
) -> ToolFunction[P, R]:
    where = f"tool {getattr(function, '__qualname__', function)!r}"
    name = getattr(function, "__name__", "") if name is None else name
    if not _NAME.fullmatch(name):
        raise ToolError(f"{where}: the name {name!r} must be 1 to 64 of a-z, A-Z, 0-9, _ and -")
    if timeout is not None and not (math.isfinite(timeout) and timeout > 0):
        raise ToolError(f"{where}: timeout must be a number of seconds above 0, not {timeout!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ToolError(f"{where}: return the whole answer instead of yielding it")
    description = inspect.getdoc(function)
    if not description:
        raise ToolError(f"{where}: write a docstring, it tells the model what the tool is for")
    parameters, call_parameter = _split(where, _signature(where, function))
    try:
        arguments = arguments_model(name, parameters)
        schema = json_schema(arguments)
    except (PydanticUserError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ToolError(f"{where}: a parameter's type does not fit into JSON: {reason}") from error
    return ToolFunction(
        name=name,
        description=description,
        function=function,
        arguments=arguments,
        parameters=schema,
        call_parameter=call_parameter,
        timeout=None if timeout is None else float(timeout),
        effects=effects,
        finish=finish,
    )


def _signature(where: str, function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except NameError as error:
        raise ToolError(
            f"{where}: {error}; its types must be importable where it is defined, "
            "at the top of the module and not only under TYPE_CHECKING"
        ) from error
    except (TypeError, ValueError, SyntaxError, AttributeError) as error:
        raise ToolError(f"{where}: its signature cannot be read: {error}") from error


def _split(where: str, signature: inspect.Signature) -> tuple[list[inspect.Parameter], str | None]:
    """The parameters that the model fills in, and the name of the one that gets the call."""
    ours: list[str] = []
    theirs: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        match parameter.kind:
            case parameter.VAR_POSITIONAL | parameter.VAR_KEYWORD:
                raise ToolError(f"{where}: name each parameter instead of {parameter}")
            case parameter.POSITIONAL_ONLY:
                raise ToolError(f"{where}: {parameter.name!r} is positional only; remove the '/'")
        if parameter.annotation is parameter.empty:
            raise ToolError(f"{where}: give {parameter.name!r} a type, e.g. {parameter.name}: str")
        if parameter.annotation is Call:
            ours.append(parameter.name)
        else:
            theirs.append(parameter)
    if len(ours) > 1:
        raise ToolError(f"{where}: only one parameter can get the call, not {', '.join(ours)}")
    return theirs, ours[0] if ours else None
