"""Reads what is asked, strictly: unknown, doubled and unfit parameters are refused in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, TypeVar, get_args

import msgspec
from starlette.requests import ClientDisconnect, Request

from offhook.web.admin.endpoints import ID
from offhook.web.admin.problems import ProblemError, unfit

T = TypeVar("T")

MAX_BODY: Final = 64 * 1024
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
A_TIME: Final = "a time with its zone, such as 2026-11-22T14:30:00Z"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_AT: Final = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`", re.DOTALL)


def ids(given: Mapping[str, Any]) -> dict[str, str]:
    """The ids of a path. Raises 422 for what can be none."""
    for name, value in given.items():
        if not re.fullmatch(ID, str(value)) or "\n" in str(value):
            raise unfit(f"{name}: an id has 1 to 200 visible ASCII characters.")
    return {name: str(value) for name, value in given.items()}


def query(pairs: Iterable[tuple[str, str]], kind: type[T]) -> T:
    """The parameters of an address as a struct. Raises 422 saying which is wrong, and how."""
    known = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}  # type: ignore[arg-type]
    given: dict[str, Any] = {}
    for name, text in pairs:
        if name in given:
            raise unfit(f"{_short(name)}: is given twice.")
        given[name] = _typed(text, known.get(name))
    return _converted(given, kind)


async def body(request: Request, kind: type[T]) -> T:
    """The body as a struct. Raises 400, 413, 415 or 422."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        detail = "Send the body as application/json."
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    try:
        given = msgspec.json.decode(await _raw(request))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The body is not JSON.") from None
    if not isinstance(given, dict):
        raise unfit("The body must be a JSON object.")
    return _converted(given, kind)


async def _raw(request: Request) -> bytes:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAX_BODY:
                detail = f"The body is larger than {MAX_BODY} bytes."
                raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    except ClientDisconnect:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "The body came to no end.") from None
    return bytes(raw)


def _typed(text: str, kind: Any) -> Any:
    """A parameter's text as the type it is meant to be, if it looks like that."""
    names = str(kind)
    match text:
        case "true" | "false" if "bool" in names:
            return text == "true"
        case _ if "int" in names and _INTEGER.fullmatch(text):
            return int(text)
        case _ if "datetime" in names:  # in an address, `+` is a space
            return re.sub(r" (?=[0-9]{2}:[0-9]{2}$)", "+", text)
        case _ if "float" in names and _NUMBER.fullmatch(text):
            return float(text)
        case _:
            return text


def _converted(given: dict[str, Any], kind: type[T]) -> T:
    for name, value in given.items():
        if isinstance(value, str) and _CONTROL.search(value):
            raise unfit(f"{_short(name)}: must not hold control characters.")
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise unfit(_in_words(str(error), kind)) from None


def _in_words(message: str, kind: type) -> str:
    """`Expected `int` <= 200 - at `$.limit`` as `limit: expected int <= 200.`"""
    if unknown := _UNKNOWN.match(message):
        names = ", ".join(f.encode_name for f in msgspec.structs.fields(kind)) or "none"
        return f"{_short(unknown[1])}: there is no such parameter; there are: {names}."
    if found := _AT.match(message):
        return f"{found['where'] or 'body'}: {_wanted(found['what'], found['where'], kind)}."
    return f"{message.replace('`', '')}."


def _wanted(what: str, where: str, kind: type) -> str:
    """What would have been right, where msgspec only says what was wrong."""
    if what.startswith("Invalid RFC3339"):
        return f"takes {A_TIME}"
    types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    if what.startswith("Invalid enum value") and where in types:
        return f"takes one of {', '.join(_values(types[where]))}"
    what = what.replace("`", "")
    return what[:1].lower() + what[1:]


def _values(kind: Any) -> Iterator[str]:
    """Those of an enumeration or a literal, which may be one of several types."""
    if isinstance(kind, str):
        yield kind
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(member.value) for member in kind)
    for part in get_args(kind):
        yield from _values(part)


def _short(name: str) -> str:
    """A name as somebody gave it, fit to be said back."""
    return re.sub(r"[^\w.-]", "?", name[:40], flags=re.ASCII) or "(empty)"
