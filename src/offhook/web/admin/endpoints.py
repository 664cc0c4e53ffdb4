"""How an endpoint is declared: once, with all that routing, checking and the document need.

    @endpoint("GET", "/api/v1/calls", Role.VIEWER)
    async def calls(desk: Desk, ask: Ask[CallsQuery, None]) -> Page[CallSummary]:
        "The calls, the newest first."

What may be asked and what is answered are msgspec structs: they check what comes in, they are
what goes out, and their schema is in the OpenAPI document. Nothing is written down twice.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, TypeAlias, TypeVar, get_args, get_type_hints

from msgspec import Meta, Struct
from starlette.responses import Response

from offhook.store.tokens import Role
from offhook.web.admin.desk import Desk
from offhook.web.admin.visitors import Visitor

Q = TypeVar("Q")
B = TypeVar("B")

# What a text may hold: PostgreSQL takes no NUL, and nobody searches for other control characters.
Text: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["stock"])
]
Words: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")
]
ID = r"^[!-~]{1,200}$"


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A query without parameters."""


class Ask(Struct, Generic[Q, B], frozen=True):
    """What somebody who was let in asks for. `ids` are those of the path, checked."""

    visitor: Visitor
    ids: Mapping[str, str]
    query: Q
    body: B
    accept: str = ""


Act: TypeAlias = Callable[[Desk, Ask[Any, Any]], Awaitable[Any]]


class Endpoint(Struct, frozen=True, kw_only=True):
    """One thing that can be asked. `also` are other paths to it, kept for those who know them.

    `answer` is the struct that is answered as JSON, None if there is none; `media` are the types
    of texts that are answered instead.
    """

    method: str
    path: str
    role: Role
    act: Act
    query: Any
    body: Any
    answer: Any
    also: tuple[str, ...] = ()
    status: int = 200
    media: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"

    @property
    def name(self) -> str:
        """The name of it in the document."""
        return str(getattr(self.act, "__name__", "")).strip("_")

    @property
    def about(self) -> tuple[str, str]:
        """Its first line, and what else there is to say."""
        first, _, rest = inspect.cleandoc(self.act.__doc__ or "").partition("\n")
        return first, " ".join(rest.split())


def endpoint(method: str, path: str, role: Role, **more: Any) -> Callable[[Act], Endpoint]:
    """Declare an endpoint from a function: its annotations say what is asked and answered."""

    def declare(act: Act) -> Endpoint:
        hints = get_type_hints(act, include_extras=True)
        query, body = get_args(hints["ask"])
        return Endpoint(
            method=method,
            path=path,
            role=role,
            act=act,
            query=query,
            body=None if body is NoneType else body,
            answer=_struct(hints["return"]),
            **more,
        )

    return declare


def _struct(answer: Any) -> Any:
    """What is answered as JSON, of `Transcript | Response` the first."""
    kinds = get_args(answer) if isinstance(answer, UnionType) else (answer,)
    return next((kind for kind in kinds if kind is not Response), None)
