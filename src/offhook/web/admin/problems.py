"""What went wrong, as RFC 9457 writes it: `application/problem+json`, in a sentence that helps."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error. `title` is the same for all of its status, `detail` says what to do."""

    title: str
    status: int
    detail: str | None = None


class ProblemError(Exception):
    """An answer other than the one that was hoped for."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        body = Problem(self.status.phrase, self.status.value, self.detail)
        return Response(msgspec.json.encode(body), self.status, self.headers, MEDIA_TYPE)


def unauthorised(detail: str = "This needs a valid token or a session.") -> ProblemError:
    """401. The same whatever is wrong, so that nobody learns whether a token exists."""
    challenge = {"WWW-Authenticate": 'Bearer realm="offhook"'}
    return ProblemError(HTTPStatus.UNAUTHORIZED, detail, challenge)


def forbidden(detail: str) -> ProblemError:
    """403."""
    return ProblemError(HTTPStatus.FORBIDDEN, detail)


def not_found(detail: str) -> ProblemError:
    """404."""
    return ProblemError(HTTPStatus.NOT_FOUND, detail)


def unfit(detail: str) -> ProblemError:
    """422: understood, but a value is none that we take."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def too_many(wait_s: float) -> ProblemError:
    """429."""
    seconds = max(1, round(wait_s))
    detail = f"Too many failed attempts from this address; wait {seconds} s."
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(seconds)})


def away(detail: str, wait_s: int = 5) -> ProblemError:
    """503: calls go on, but what was asked for cannot be had just now."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": str(wait_s)})
